"""Measures and their intervals; each defined once, against labels, with its denominator."""
