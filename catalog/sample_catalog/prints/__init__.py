"""Prints: how a piece of cloth is patterned, as a tile that repeats."""
