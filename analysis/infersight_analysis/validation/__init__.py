"""Inputs held against rules: those of a file themselves, those of a store by what is known of them."""
