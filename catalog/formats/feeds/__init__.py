"""Readers of product feeds, a module a format; each gives the same typed rows and rejections."""
