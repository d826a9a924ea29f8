"""Measurements whose numbers stand in the documentation."""
