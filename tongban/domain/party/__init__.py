"""Parties (办事主体): natural persons and organisations that apply, hold licences and rate."""
