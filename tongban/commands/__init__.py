"""The write side: authorise → load → facts → decide → append, many commands in one commit."""
