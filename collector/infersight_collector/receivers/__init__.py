"""Receivers: they take requests from senders and answer once these are durable."""
