"""infersight: spans, structured logs and inference metrics that share trace ids, from a Python model server."""

from infersight._version import __version__

__all__ = ["__version__"]
