"""How a model is asked: a Python callable or a served endpoint, what to ask it, and what it answered."""
