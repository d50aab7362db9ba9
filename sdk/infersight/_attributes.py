"""Every name that the SDK puts on telemetry. The only place with attribute, metric and event names.

Names follow the OpenTelemetry semantic conventions wherever one exists. Inference with a classic model has none, so
those names begin with `infersight.`; they are described by the schema `SCHEMA_URL` and only ever added to.
"""

from typing import Final

SCHEMA_URL: Final = "https://schemas.infersight.example/1.0.0"
"""Identifies this table of names on our scopes (an identifier, not a page: the host is reserved by RFC 2606)."""

SCOPE: Final = "infersight"
"""Instrumentation scope of the SDK's own spans, metrics and events."""

# Spans. `infersight.operation` says what a span times; the values are OPERATION_*.
OPERATION: Final = "infersight.operation"
OPERATION_INFERENCE: Final = "inference"  # one call of a function that runs a model
OPERATION_STAGE: Final = "stage"  # one step of a request, named by the user

MODEL_NAME: Final = "infersight.model.name"
MODEL_VERSION: Final = "infersight.model.version"
BATCH_SIZE: Final = "infersight.batch.size"  # items in the call: the first dimension of its input
INPUT_SHAPE: Final = "infersight.input.shape"  # int array, batch dimension first
INPUT_DTYPE: Final = "infersight.input.dtype"  # as the array library prints it, without its own name: float32
OUTPUT_SHAPE: Final = "infersight.output.shape"  # int array
DEVICE: Final = "infersight.device"  # as the array library prints it: cpu, cuda:0

# Server spans, beside the `http.*` conventions.
REQUEST_ID: Final = "infersight.request.id"  # the X-Request-Id header
REQUESTS_IN_FLIGHT: Final = "infersight.requests.in_flight"  # open on this worker when it began, itself included
EVENT_LOOP_LAG: Final = "infersight.event_loop.lag"  # seconds: the longest lag seen while the request was open

# Events, and the conventions they use.
EVENT_LOOP_BLOCKED: Final = "infersight.event_loop.blocked"  # log event with EVENT_LOOP_LAG and CODE_*
EXCEPTION_EVENT: Final = "exception"  # semantic conventions, exceptions on spans
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"
ERROR_TYPE: Final = "error.type"  # semantic conventions, the class of an error; a qualified exception name
CODE_STACKTRACE: Final = "code.stacktrace"  # semantic conventions, source code
CODE_FUNCTION_NAME: Final = "code.function.name"
CODE_FILE_PATH: Final = "code.file.path"
CODE_LINE_NUMBER: Final = "code.line.number"

# Resource.
SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"

# Metrics: name, and the unit in UCUM. Their attributes are MODEL_NAME, MODEL_VERSION and, on failure, ERROR_TYPE.
INFERENCE_DURATION: Final = "infersight.inference.duration"  # histogram, s
INFERENCE_ACTIVE: Final = "infersight.inference.active"  # up-down counter, {inference}
INFERENCE_BATCH_SIZE: Final = "infersight.inference.batch.size"  # histogram, {item}
INFERENCE_ERRORS: Final = "infersight.inference.errors"  # counter, {error}
# The metric `infersight.event_loop.lag` (histogram, s) shares its name with the span attribute EVENT_LOOP_LAG.
