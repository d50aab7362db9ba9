"""Whether a model says the same of inputs that mean the same, and whether old mistakes are mended."""
