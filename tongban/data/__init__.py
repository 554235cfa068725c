"""Data files of the project: the sample catalogue with its departments and licence types."""
