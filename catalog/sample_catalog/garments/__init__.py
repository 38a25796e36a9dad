"""Clothes, drawn on a pose."""
