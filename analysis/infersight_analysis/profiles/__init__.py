"""Profiles of processes: taken by py-spy, memray and PyTorch's profiler, kept in the store, joined to its traces."""
