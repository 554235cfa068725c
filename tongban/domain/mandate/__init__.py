"""Mandates (委托授权): who may act for whom, in what, and from when to when."""
