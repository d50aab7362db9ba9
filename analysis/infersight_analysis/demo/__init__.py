"""`infersight demo`: a real model server with real faults, watched by a real collector, explained from the store."""
