"""The catalogue of service items (政务服务事项)."""
