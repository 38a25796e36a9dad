"""Configured handles: where a home keeps its files, which profile it builds with, which models it runs."""
