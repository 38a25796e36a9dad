"""Pixels: decoding, masks, crops, colour signatures and contact sheets; no model runs here."""
