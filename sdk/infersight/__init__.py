"""infersight: spans, structured logs and inference metrics that share trace ids, from a Python model server.

infersight.configure(service_name="sentiment", service_version="1.4.0")
infersight.instrument_fastapi(app)

@infersight.observe(model="sentiment", version="1.4.0")
def classify(text): ...

with infersight.stage("preprocess"):
    ...
"""

from infersight._batch import Batch, QueuedItem
from infersight._checks import Violation, validate_input
from infersight._configure import configure, force_flush, shutdown
from infersight._decorate import observe
from infersight._detail import detail
from infersight._errors import InfersightError, MissingExtraError
from infersight._generate import generation
from infersight._predictions import feedback, prediction
from infersight._spans import query, stage
from infersight._variants import variant
from infersight._version import __version__
from infersight.integrations.fastapi import instrument_fastapi
from infersight.integrations.loguru import instrument_loguru
from infersight.integrations.structlog import instrument_structlog
from infersight.integrations.torch import instrument_torch

__all__ = [
    "Batch",
    "InfersightError",
    "MissingExtraError",
    "QueuedItem",
    "Violation",
    "__version__",
    "configure",
    "detail",
    "feedback",
    "force_flush",
    "generation",
    "instrument_fastapi",
    "instrument_loguru",
    "instrument_structlog",
    "instrument_torch",
    "observe",
    "prediction",
    "query",
    "shutdown",
    "stage",
    "validate_input",
    "variant",
]
