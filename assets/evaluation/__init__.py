"""Protocols put to the engine that ships: what `lookbook evaluate` runs once its homes are built."""
