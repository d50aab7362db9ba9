"""infersight: spans, structured logs and inference metrics that share trace ids, from a Python model server.

infersight.configure(service_name="sentiment", service_version="1.4.0")
infersight.instrument_fastapi(app)

@infersight.observe(model="sentiment", version="1.4.0")
def classify(text): ...

with infersight.stage("preprocess"):
    ...
"""

from infersight._configure import configure, force_flush, shutdown
from infersight._decorate import observe
from infersight._errors import InfersightError, MissingExtraError
from infersight._spans import stage
from infersight._version import __version__
from infersight.integrations.fastapi import instrument_fastapi

__all__ = [
    "InfersightError",
    "MissingExtraError",
    "__version__",
    "configure",
    "force_flush",
    "instrument_fastapi",
    "observe",
    "shutdown",
    "stage",
]
