"""A compact encoder and classifier of a folder of labelled photos: at most 429,000 parameters, from random weights."""
