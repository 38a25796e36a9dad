"""The drawing kit: outlines, a canvas in cm, folds, light, cloth."""
