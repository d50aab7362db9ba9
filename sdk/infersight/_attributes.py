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
OPERATION_FORWARD: Final = "forward"  # one call of a PyTorch module
OPERATION_QUEUE: Final = "queue"  # a request waits for its batch
OPERATION_BATCHED: Final = "batched"  # a request runs in its batch
OPERATION_BATCH: Final = "batch"  # one batch of several requests
OPERATION_GENERATION: Final = "generation"  # one stream of tokens
OPERATION_THREAD_POOL: Final = "thread_pool"  # work of a request waits for a thread
OPERATION_QUERY: Final = "query"  # one call of a database, an index or another service, named by the user
OPERATION_DETAIL: Final = "detail"  # a finer step, kept in memory and sent only with a request worth it

CPU_DURATION: Final = "infersight.cpu.duration"  # seconds that the thread of a sync span ran; the rest it waited
MODEL_NAME: Final = "infersight.model.name"
MODEL_VERSION: Final = "infersight.model.version"
BATCH_SIZE: Final = "infersight.batch.size"  # items in the call: the first dimension of its input
INPUT_SHAPE: Final = "infersight.input.shape"  # int array, batch dimension first
INPUT_DTYPE: Final = "infersight.input.dtype"  # as the array library prints it, without its own name: float32
OUTPUT_SHAPE: Final = "infersight.output.shape"  # int array
DEVICE: Final = "infersight.device"  # as the array library prints it: cpu, cuda:0

# Forward spans of PyTorch modules.
MODULE_PATH: Final = "infersight.module.path"  # as named_modules() has it: encoder.layers.0; not on the top module
MODULE_TYPE: Final = "infersight.module.type"  # the module's class
PARAMETER_COUNT: Final = "infersight.model.parameters"  # elements of all its parameters
MODEL_DTYPE: Final = "infersight.model.dtype"  # of its first parameter: float16
AUTOCAST: Final = "infersight.autocast"  # the dtype that autocast computes in, where it is on
OUTPUT_FINITE: Final = "infersight.output.finite"  # bool: neither NaN nor Inf in the output; absent if not checked
DEVICE_DURATION: Final = "infersight.device.duration"  # seconds on the device's own clock; the metric too
DEVICE_GAP: Final = "infersight.device.gap"  # seconds: device duration minus the span's duration
DEVICE_MEMORY_PEAK: Final = "infersight.device.memory.peak"  # bytes: most ever allocated, or since the last reset
DEVICE_MEMORY_RESERVED: Final = "infersight.device.memory.reserved"  # bytes that the caching allocator holds now

# Dynamic batching: spans `queue` and `batched` (in the request's trace) and `batch` (in its own), linked both ways.
QUEUE_DURATION: Final = "infersight.batch.queue.duration"  # seconds from enqueued to the batch's start; the metric too
RELEASE_REASON: Final = "infersight.batch.release_reason"  # why the batch did not wait longer: full, timeout, ...
BATCH_FILL: Final = "infersight.batch.fill"  # items divided by the capacity
BATCH_SHARE: Final = "infersight.batch.share"  # the request's part of the batch, 0 to 1, by its size without padding
BATCH_ITEM_SIZE: Final = "infersight.batch.item.size"  # of the request, without padding: its tokens, rows or pixels
BATCH_LARGEST_SIZE: Final = "infersight.batch.largest.size"  # of the largest item: what the others are padded to
BATCH_TRACE_IDS: Final = "infersight.batch.trace_ids"  # of the other requests in the batch, the first ones

# Generation, beside the `gen_ai.*` conventions.
TOKEN_DURATION: Final = "infersight.generation.token.duration"  # seconds: the mean after the first
GEN_AI_OPERATION_NAME: Final = "gen_ai.operation.name"  # chat, text_completion, ...
GEN_AI_REQUEST_MODEL: Final = "gen_ai.request.model"
GEN_AI_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
GEN_AI_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
GEN_AI_TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"  # seconds
GEN_AI_TOKEN_TYPE: Final = "gen_ai.token.type"  # input, output

# Server spans, beside the `http.*` conventions.
REQUEST_ID: Final = "infersight.request.id"  # the X-Request-Id header
REQUEST_QUEUE_DURATION: Final = "infersight.request.queue.duration"  # seconds in the host's socket before it began
THREAD_POOL_DURATION: Final = "infersight.thread_pool.queue.duration"  # seconds: all waits for a thread, summed
REQUESTS_IN_FLIGHT: Final = "infersight.requests.in_flight"  # open on this worker when it began, itself included
EVENT_LOOP_LAG: Final = "infersight.event_loop.lag"  # seconds: the longest lag seen while the request was open
CPU_QUEUE_DURATION: Final = "infersight.cpu.queue.duration"  # seconds: the loop's thread waited for a CPU
GC_DURATION: Final = "infersight.gc.duration"  # seconds in garbage collections of 1 ms and more while it was open

# Sampling, and the flight recorder.
SAMPLE_WEIGHT: Final = "infersight.sample.weight"  # requests that this one stands for; 0: kept to be read, not counted
RECORDER_REASON: Final = "infersight.recorder.reason"  # slow, failed, forced, periodic; on the server span too
RECORDER_DROPPED: Final = "infersight.recorder.dropped"  # on the server span: details that its ring had no room for
RECORDER_DUMP: Final = "infersight.recorder.dump"  # resource attribute: why a file of last requests was written

# Profiles: log events with what the code of a request did, as of PROFILE_TIMES after the event's own time.
PROFILE: Final = "infersight.profile"  # log event, in the trace of the request
PROFILE_STACKS: Final = "infersight.profile.stacks"  # text array: the different stacks, folded, outermost frame first
PROFILE_SPANS: Final = "infersight.profile.spans"  # text array: span ids
PROFILE_TIMES: Final = "infersight.profile.sample.times"  # int array: microseconds since the request began
PROFILE_SAMPLES: Final = "infersight.profile.sample.stacks"  # int array beside it: places in PROFILE_STACKS
PROFILE_AWAITING: Final = "infersight.profile.sample.awaiting"  # bool array beside it: the request's task waited
PROFILE_SAMPLE_SPANS: Final = "infersight.profile.sample.spans"  # int array beside it: places in PROFILE_SPANS, or -1
PROFILE_DROPPED: Final = "infersight.profile.dropped"  # samples that there was no room for

# Predictions: log events joined to the trace, and by PREDICTION_ID to the labels that arrive later.
PREDICTION: Final = "infersight.prediction"  # log event
PREDICTION_ID: Final = "infersight.prediction.id"  # on predictions and on their feedback
PREDICTION_LABEL: Final = "infersight.prediction.label"  # always text, so that the column has one type
PREDICTION_CONFIDENCE: Final = "infersight.prediction.confidence"  # 0 to 1
PREDICTION_TOP_LABELS: Final = "infersight.prediction.top_k.labels"  # text array, most probable first
PREDICTION_TOP_PROBABILITIES: Final = "infersight.prediction.top_k.probabilities"  # double array, beside them
PREDICTION_ENTROPY: Final = "infersight.prediction.entropy"  # nats: Shannon's entropy of all probabilities
FEEDBACK: Final = "infersight.feedback"  # log event, with PREDICTION_ID or FEEDBACK_TRACE_ID
FEEDBACK_LABEL: Final = "infersight.feedback.label"  # text, what was right
FEEDBACK_TRACE_ID: Final = "infersight.feedback.trace_id"  # 32 hex digits: the request that predicted

# What a model was given, beside INPUT_SHAPE and INPUT_DTYPE; on predictions and on INPUT_INVALID.
INPUT_TYPE: Final = "infersight.input.type"  # qualified name of its class
INPUT_LENGTH: Final = "infersight.input.length"  # characters of a text, bytes, fields of a mapping
INPUT_DIGIT_RATIO: Final = "infersight.input.digit_ratio"  # 0 to 1, of a text's characters, as the next two
INPUT_SPECIAL_RATIO: Final = "infersight.input.special_ratio"  # neither letter nor digit nor whitespace
INPUT_WHITESPACE_RATIO: Final = "infersight.input.whitespace_ratio"
INPUT_UPPERCASE_RATIO: Final = "infersight.input.uppercase_ratio"  # 0 to 1, of a text's letters; absent without
INPUT_CASE: Final = "infersight.input.case"  # upper, lower, mixed, or none where no letter has a case
INPUT_SCRIPT: Final = "infersight.input.script"  # the script of most letters: Latin, Cyrillic, Han; absent without
INPUT_MIN: Final = "infersight.input.min"  # of the finite elements of an array, as the next three
INPUT_MAX: Final = "infersight.input.max"
INPUT_MEAN: Final = "infersight.input.mean"
INPUT_STD: Final = "infersight.input.std"  # of the population
INPUT_NAN_COUNT: Final = "infersight.input.nan_count"
INPUT_INF_COUNT: Final = "infersight.input.inf_count"
INPUT_FIELDS: Final = "infersight.input.fields"  # text array, sorted: names of a mapping's fields
INPUT_MISSING: Final = "infersight.input.missing"  # text array: the fields that are None, NaN or empty text
INPUT_SAMPLE_SIZE: Final = "infersight.input.sample_size"  # elements looked at, where not all were
INPUT_HASH: Final = "infersight.input.hash"  # equal for equal inputs
INPUT_VALUE: Final = "infersight.input.value"  # the input itself, only where capture is switched on; redacted
INPUT_INVALID: Final = "infersight.input.invalid"  # log event of `validate_input`
INPUT_NAME: Final = "infersight.input.name"  # what the application calls it
INPUT_VIOLATIONS: Final = "infersight.input.violations"  # text array: the checks that failed

# Variants: the log event of the feature flag conventions, and an attribute of the request's spans.
FEATURE_FLAG_EVALUATION: Final = "feature_flag.evaluation"
FEATURE_FLAG_KEY: Final = "feature_flag.key"
FEATURE_FLAG_VARIANT: Final = "feature_flag.result.variant"
FEATURE_FLAG_REASON: Final = "feature_flag.result.reason"
FEATURE_FLAG_CONTEXT_ID: Final = "feature_flag.context.id"
FEATURE_FLAG_PROVIDER: Final = "feature_flag.provider.name"
VARIANT_PREFIX: Final = "infersight.variant."  # followed by the flag's key; the value is the variant

# Log templates: on log records, put there by the collector (its processor `log_templates`).
LOG_TEMPLATE: Final = "infersight.log.template"  # the constant text of the message, <*> where values were
LOG_TEMPLATE_ID: Final = "infersight.log.template.id"  # 16 hex digits, of the service's name and the template

# Queries: the database conventions.
DB_QUERY_SUMMARY: Final = "db.query.summary"  # of few different values
DB_QUERY_TEXT: Final = "db.query.text"  # literals replaced by question marks
DB_SYSTEM_NAME: Final = "db.system.name"
DB_OPERATION_NAME: Final = "db.operation.name"

# Events, and the conventions they use.
EVENT_LOOP_BLOCKED: Final = "infersight.event_loop.blocked"  # log event with EVENT_LOOP_LAG, CPU_QUEUE_DURATION, CODE_*
OUT_OF_MEMORY: Final = "infersight.device.out_of_memory"  # log event with DEVICE and MEMORY_SUMMARY
MEMORY_SUMMARY: Final = "infersight.device.memory.summary"  # the allocator's own table, as text
COMPILATION: Final = "infersight.compilation"  # span event: torch.compile compiled a function, with COMPILE_*, CODE_*
COMPILE_ID: Final = "infersight.compile.id"  # FRAME/NUMBER, as in torch.compile's logs; NUMBER > 0 is a recompilation
COMPILE_DURATION: Final = "infersight.compile.duration"  # seconds
RECOMPILE_REASON: Final = "infersight.compile.recompile_reason"  # the guard that failed
GRAPH_BREAK: Final = "infersight.graph_break"  # span event: a graph ended early, at CODE_*
GRAPH_BREAK_REASON: Final = "infersight.graph_break.reason"
EXCEPTION_LOG: Final = "infersight.exception"  # log event with EXCEPTION_*, by OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN
EXCEPTION_EVENT: Final = "exception"  # semantic conventions, exceptions on spans
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"
ERROR_TYPE: Final = "error.type"  # semantic conventions, the class of an error; a qualified exception name
CODE_STACKTRACE: Final = "code.stacktrace"  # semantic conventions, source code
CODE_FUNCTION_NAME: Final = "code.function.name"
CODE_FILE_PATH: Final = "code.file.path"
CODE_LINE_NUMBER: Final = "code.line.number"

# The SDK's own health: semantic conventions, OpenTelemetry SDK.
SPANS_EXPORTED: Final = "otel.sdk.exporter.span.exported"  # counter, {span}; ERROR_TYPE where they were lost
LOGS_EXPORTED: Final = "otel.sdk.exporter.log.exported"  # counter, {log_record}
DATA_POINTS_EXPORTED: Final = "otel.sdk.exporter.metric_data_point.exported"  # counter, {data_point}
COMPONENT_TYPE: Final = "otel.component.type"
COMPONENT_NAME: Final = "otel.component.name"

# Resource.
SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"

# Metrics: name, and the unit in UCUM. Their attributes are MODEL_NAME, MODEL_VERSION and, on failure, ERROR_TYPE.
INFERENCE_DURATION: Final = "infersight.inference.duration"  # histogram, s
INFERENCE_ACTIVE: Final = "infersight.inference.active"  # up-down counter, {inference}
INFERENCE_BATCH_SIZE: Final = "infersight.inference.batch.size"  # histogram, {item}
INFERENCE_ERRORS: Final = "infersight.inference.errors"  # counter, {error}
FORWARD_DURATION: Final = "infersight.forward.duration"  # histogram, s; top modules only
# The metric `infersight.event_loop.lag` (histogram, s) shares its name with the span attribute EVENT_LOOP_LAG.
# The metrics `infersight.device.duration` and `infersight.batch.queue.duration` (histograms, s) do so too.

# Semantic conventions of generative models, development status; the attributes are GEN_AI_OPERATION_NAME, _MODEL.
GEN_AI_REQUEST_DURATION: Final = "gen_ai.server.request.duration"  # histogram, s
GEN_AI_TIME_TO_FIRST_TOKEN: Final = "gen_ai.server.time_to_first_token"  # histogram, s
GEN_AI_TIME_PER_OUTPUT_TOKEN: Final = "gen_ai.server.time_per_output_token"  # histogram, s
GEN_AI_TOKEN_USAGE: Final = "gen_ai.client.token.usage"  # histogram, {token}; by GEN_AI_TOKEN_TYPE

# Metrics of the process: semantic conventions, process.* and cpython.*; all cumulative unless said otherwise.
PROCESS_CPU_TIME: Final = "process.cpu.time"  # counter, s
PROCESS_CPU_MODE: Final = "cpu.mode"  # user, system
PROCESS_MEMORY_USAGE: Final = "process.memory.usage"  # up-down counter, By: resident
PROCESS_MEMORY_VIRTUAL: Final = "process.memory.virtual"  # up-down counter, By
PROCESS_THREAD_COUNT: Final = "process.thread.count"  # up-down counter, {thread}
PROCESS_FILE_DESCRIPTOR_COUNT: Final = "process.unix.file_descriptor.count"  # up-down counter, {file_descriptor}
PROCESS_CONTEXT_SWITCHES: Final = "process.context_switches"  # counter, {context_switch}
PROCESS_CONTEXT_SWITCH_TYPE: Final = "process.context_switch.type"  # voluntary, involuntary
PROCESS_PAGING_FAULTS: Final = "process.paging.faults"  # counter, {fault}
PAGING_FAULT_TYPE: Final = "system.paging.fault.type"  # major, minor
GC_COLLECTIONS: Final = "cpython.gc.collections"  # counter, {collection}
GC_COLLECTED_OBJECTS: Final = "cpython.gc.collected_objects"  # counter, {object}
GC_UNCOLLECTABLE_OBJECTS: Final = "cpython.gc.uncollectable_objects"  # counter, {object}
GC_GENERATION: Final = "cpython.gc.generation"  # 0, 1, 2
GC_TIME: Final = "infersight.gc.time"  # counter, s: in all collections of a generation
GC_PAUSE: Final = "infersight.gc.pause"  # histogram, s: the collections that took a millisecond or more

# Metrics of GPUs: semantic conventions, hw.*, each with HW_ID and HW_TYPE = gpu; ours where they have none.
GPU_UTILIZATION: Final = "hw.gpu.utilization"  # gauge, 1
GPU_MEMORY_USAGE: Final = "hw.gpu.memory.usage"  # up-down counter, By
GPU_MEMORY_LIMIT: Final = "hw.gpu.memory.limit"  # up-down counter, By
GPU_MEMORY_UTILIZATION: Final = "hw.gpu.memory.utilization"  # gauge, 1
HW_TEMPERATURE: Final = "hw.temperature"  # gauge, Cel
HW_POWER: Final = "hw.power"  # gauge, W
HW_ENERGY: Final = "hw.energy"  # counter, J
GPU_CLOCK_SPEED: Final = "infersight.gpu.clock.speed"  # gauge, Hz
GPU_CLOCK_DOMAIN: Final = "infersight.gpu.clock.domain"  # graphics, sm, memory
GPU_THROTTLED: Final = "infersight.gpu.throttled"  # gauge, 1: 1 while its clocks are held down for the reason, else 0
GPU_THROTTLE_REASON: Final = "infersight.gpu.throttle.reason"  # power_cap, thermal_software, ...
HW_ID: Final = "hw.id"  # the GPU's UUID
HW_TYPE: Final = "hw.type"
HW_TYPE_GPU: Final = "gpu"
HW_MODEL: Final = "hw.model"
HW_VENDOR: Final = "hw.vendor"
HW_NAME: Final = "hw.name"  # its index on the host
HW_DRIVER_VERSION: Final = "hw.driver_version"
