"""Experiments: who got which variant, whether the test can be trusted, and what the variants did."""
