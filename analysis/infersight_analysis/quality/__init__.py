"""Predictions and what was right: where a model is wrong, how sure it is of that, and what has changed."""
