"""Bags, cushions and mugs, drawn as they stand."""
