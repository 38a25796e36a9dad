"""Models that run in torch: SAM 2, Grounding DINO, text towers; torch is imported inside functions only."""
