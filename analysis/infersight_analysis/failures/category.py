"""What kind of trouble a fault is, decided by what is sure before what is likely, with the reason."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from infersight_analysis.failures.failures import Failure
from infersight_analysis.failures.fingerprint import short_type
from infersight_analysis.failures.spans import FailingSpan

Category = Literal[
    "input_validation", "model_inference", "infrastructure", "resource_exhaustion", "third_party", "unknown"
]


@dataclass(frozen=True)
class Advice:
    """What is commonly behind a category, and what to do about it."""

    hypothesis: str
    actions: tuple[str, ...]


ADVICE: Final[dict[Category, Advice]] = {
    "input_validation": Advice(
        "callers send what the service does not take: a client or its version broke the contract, or the contract is "
        "narrower than it says",
        (
            "see whether the failures come from few users, endpoints or client versions",
            "check the input at the edge and answer 4xx with what is wrong, so that it no longer counts as a fault",
            "replay one failing input against the version before",
        ),
    ),
    "model_inference": Advice(
        "the model fails on some inputs, or its weights, precision or preprocessing do not fit what it is given",
        (
            "compare the inputs that fail with those that do not (`infersight compare --errors`)",
            "check that model, weights and preprocessing are of the same version",
            "guard what the model cannot take before it, and give it a fallback",
        ),
    ),
    "infrastructure": Advice(
        "something that the service depends on did not answer, or not in time: a database, a queue, the network, or "
        "another service of the house",
        (
            "look at that dependency at the time of the failures, not at the service that reports them",
            "check pool sizes and time-outs against the number of requests in flight",
            "retry with backoff what may be repeated, and break the circuit for what stays away",
        ),
    ),
    "resource_exhaustion": Advice(
        "something is used up: memory, a queue, connections, files, or a quota",
        (
            "see what grew before the failures: batch size, input size, requests in flight, memory",
            "bound what may grow: queue length, batch size, input length, concurrency",
            "only then raise the limit",
        ),
    ),
    "third_party": Advice(
        "a service of someone else failed or refused",
        (
            "check its status page, and whether the credentials and the quota are still good",
            "set a time-out, retry with backoff, and answer without it where that is possible",
            "count its failures on their own, so that they do not look like yours",
        ),
    ),
    "unknown": Advice(
        "nothing that was recorded says what kind of trouble this is",
        (
            "record the exception with its stack trace (`span.record_exception`, `logger.exception`)",
            "look into an example trace",
        ),
    ),
}

_TYPES: Final[tuple[tuple[Category, re.Pattern[str]], ...]] = (
    (
        "resource_exhaustion",
        re.compile(
            r"^(?:MemoryError|.*OutOfMemory\w*|OOM\w*|RecursionError|StackOverflowError|QueueFull|Full|BrokenProcessPool"
            r"|RejectedExecution\w*|BulkheadFull\w*|TooManyRequests\w*|RateLimit\w*|\w*QuotaExceeded\w*|ResourceExhausted"
            r"|ThrottlingException|TooManyConnections\w*|QueueFullError|DiskFull\w*)$"
        ),
    ),
    (
        "infrastructure",
        re.compile(
            r"^(?:Connect(?:ion)?\w*(?:Error|Exception)|\w*Connection(?:Error|Exception|Refused\w*|Reset\w*|Closed\w*)"
            r"|\w*Time(?:d)?out\w*|gaierror|herror|BrokenPipe\w*|SSL\w*(?:Error|Exception)|UnknownHost\w*|NoRouteToHost\w*"
            r"|Socket\w*(?:Error|Exception)|OperationalError|InterfaceError|DatabaseError|InternalDatabaseError"
            r"|SQL\w*Exception|Jdbc\w*|DataAccess\w*|Redis\w*|Kafka\w*|Amqp\w*|Mongo\w*|DeadlineExceeded|Unavailable"
            r"|\w*Deadlock\w*|CircuitBreaker\w*|CallNotPermitted\w*|ServiceUnavailable\w*|BadGateway\w*|OpError)$"
        ),
    ),
    (
        "input_validation",
        re.compile(
            r"^(?:\w*Validation(?:Error|Exception|Failed)?|RequestValidation\w*|\w*JSONDecode\w*|JsonParse\w*|JsonMapping\w*"
            r"|\w*Unmarshal\w*|UnicodeDecodeError|UnidentifiedImageError|HttpMessageNotReadable\w*|MethodArgument\w*"
            r"|ConstraintViolation\w*|Bind(?:ing)?Exception|InvalidArgument\w*|BadRequest\w*|UnprocessableEntity\w*"
            r"|InvalidInput\w*|SchemaError|ZodError|MissingServletRequest\w*|DateTimeParse\w*|NumberFormatException"
            r"|InputError)$"
        ),
    ),
)
_AMBIGUOUS: Final = re.compile(
    r"^(?:ValueError|TypeError|AssertionError|Illegal(?:Argument|State)Exception|RangeError)$"
)
_OF_INPUT: Final = re.compile(
    r"\b(?:invalid|malformed|unsupported|expected\b.*\b(?:got|but|received)|must (?:be|have|not)"
    r"|(?:is|are) required|missing|schema|validation|out of range|not a valid|could not convert|invalid literal)\b",
    re.IGNORECASE,
)
_SYSTEM_CODES: Final[tuple[tuple[Category, re.Pattern[str]], ...]] = (
    (
        "resource_exhaustion",
        re.compile(
            r"(?:CUDA|HIP|MPS|XLA) (?:backend )?(?:error: )?out of memory|DefaultCPUAllocator"
            r"|\b(?:ENOMEM|EMFILE|ENFILE|ENOSPC)\b|\[Errno (?:12|23|24|28)\]"
            r"|Java heap space|GC overhead limit|Metaspace|CUDNN_STATUS_ALLOC_FAILED"
        ),
    ),
    (
        "infrastructure",
        re.compile(
            r"\b(?:ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EPIPE|EHOSTUNREACH|ENETUNREACH)\b"
            r"|\[Errno (?:-[23]|32|10[1-4]|11[0-3])\]|context deadline exceeded"
            r"|connection refused|connection reset by peer"
        ),
    ),
)
_MODEL_OPERATIONS: Final = frozenset({"inference", "forward", "batch", "batched", "generation"})
_HTTP: Final[dict[int, Category]] = {
    400: "input_validation", 405: "input_validation", 406: "input_validation", 411: "input_validation",
    413: "input_validation", 414: "input_validation", 415: "input_validation", 422: "input_validation",
    429: "resource_exhaustion", 507: "resource_exhaustion",
    408: "infrastructure", 502: "infrastructure", 503: "infrastructure", 504: "infrastructure",
}  # fmt: skip
_RPC: Final[dict[str, Category]] = {
    "3": "input_validation", "INVALID_ARGUMENT": "input_validation",
    "11": "input_validation", "OUT_OF_RANGE": "input_validation",
    "8": "resource_exhaustion", "RESOURCE_EXHAUSTED": "resource_exhaustion",
    "4": "infrastructure", "DEADLINE_EXCEEDED": "infrastructure",
    "14": "infrastructure", "UNAVAILABLE": "infrastructure",
}  # fmt: skip
_LIBRARIES: Final[tuple[tuple[Category, re.Pattern[str]], ...]] = (
    (
        "third_party",
        re.compile(
            r"[/\\](openai|anthropic|cohere|mistralai|stripe|twilio|sendgrid|botocore|googleapiclient|slack_sdk"
            r"|huggingface_hub)[/\\]"
        ),
    ),
    (
        "model_inference",
        re.compile(
            r"[/\\](torch|torchvision|transformers|tensorflow|keras|onnxruntime|jax|xgboost|lightgbm|sklearn|vllm"
            r"|tritonclient|sentence_transformers|diffusers|spacy)[/\\]"
        ),
    ),
)
_WORDS: Final[tuple[tuple[Category, re.Pattern[str]], ...]] = (
    (
        "resource_exhaustion",
        re.compile(
            r"out of memory|\boom\b|memory limit|cannot allocate|no space left|disk (?:is )?full|too many open files"
            r"|\bquota\b|rate limit|limit (?:was |is |has been )?(?:exceeded|reached)|too many (?:requests|connections)"
            r"|(?:queue|pool) (?:is )?(?:full|exhausted)|\bexhausted\b|\bcpu\b|insufficient memory|memory exceeded"
        ),
    ),
    (
        "infrastructure",
        re.compile(
            r"connection|\btime(?:d)?[ -]?out\b|timeout|\bdatabase\b|\bdeadlock|unreachable"
            r"|no such host|no instances? available|name resolution|broken pipe|network|\bdns\b|\beof\b"
            r"|deadline exceeded"
            r"|\bredis\b|\bpostgres|\bmysql\b|\bkafka\b|unavailable"
        ),
    ),
    (
        "input_validation",
        re.compile(r"\binvalid\b|\bvalidation\b|\bschema\b|malformed|bad request|unsupported (?:type|format|media)"),
    ),
    (
        "model_inference",
        re.compile(r"\bmodel\b|inference|prediction|\btensor\b|\bcuda\b|\bnan\b|\blogits?\b|\bembedding"),
    ),
    (
        "third_party",
        re.compile(
            r"third[ -]party|\bexternal\b|\bapi\b|\bupstream\b|\bvendor\b|\bwebhook\b|\bprovider\b"
            r"|(?<![-.\w])service\b(?!\()"  # not `seat-service`, which is a name
        ),
    ),
)

Decision = tuple[Category, str]


def category_of(failure: Failure, span: FailingSpan | None, services: frozenset[str]) -> Decision:
    """The category of a failure, and why: by exception type, system code, span, library, and only then by words.

    Args:
        failure: the failure.
        span: the span that it was recorded on.
        services: those that record telemetry here, which are no third party.
    """
    of_type = _by_type(failure) or _by_system_code(failure)
    if of_type is not None and of_type[0] != "infrastructure":
        return of_type
    of_span = None if span is None else _by_span(span, services)
    if of_type is not None:  # a time-out says whose it is only with the call
        return of_span if of_span is not None and of_span[0] == "third_party" else of_type
    return of_span or _by_library(failure) or _by_words(failure) or ("unknown", "nothing that was recorded tells")


def _by_type(failure: Failure) -> Decision | None:
    chain = [failure.first.type, *(raised.type for raised in failure.raised.chain)] if failure.raised else []
    # The first cause is what went wrong; what was raised for it says how it was told.
    kinds = [short_type(kind) for kind in reversed(chain or [failure.first.type]) if kind]
    for kind in kinds:
        for category, pattern in _TYPES:
            if pattern.match(kind):
                return category, f"its type is {kind}"
    for kind in kinds:
        if _AMBIGUOUS.match(kind) and _OF_INPUT.search(_said(failure)):
            return "input_validation", f"its type is {kind}, and it says what was wrong with a value"
    return None


def _by_system_code(failure: Failure) -> Decision | None:
    for category, pattern in _SYSTEM_CODES:
        if match := pattern.search(_said(failure)):
            return category, f"it is the system's {match[0]}"
    return None


def _by_span(span: FailingSpan, services: frozenset[str]) -> Decision | None:
    is_client = span.kind in ("CLIENT", "PRODUCER")
    status = span.http_status or 0
    if status in _HTTP and (status < 500 or not is_client):
        return _HTTP[status], f"the status of its span is {status}"
    if is_client and (dependency := _by_dependency(span, services)):
        return dependency
    if status in _HTTP:
        return _HTTP[status], f"the status of its call is {status}"
    if span.rpc_status in _RPC:
        return _RPC[span.rpc_status], f"the status of its call is {span.rpc_status}"
    if span.operation in _MODEL_OPERATIONS:
        return "model_inference", f"it was raised in a span of the model ({span.operation})"
    return None


def _by_dependency(span: FailingSpan, services: frozenset[str]) -> Decision | None:
    if called := span.database or span.messaging:
        return "infrastructure", f"it was raised in a call of {called}"
    if span.provider:
        return "third_party", f"it was raised in a call of {span.provider}"
    if span.server and (span.server in services or (_is_internal(span.server) and _host(span.server) in services)):
        return "infrastructure", f"it was raised in a call of the service {span.server}"
    if span.server and "." in span.server and not _is_internal(span.server):
        return "third_party", f"it was raised in a call of {span.server}"
    return None


def _host(name: str) -> str:
    return name.partition(".")[0]


def _is_internal(host: str) -> bool:
    """Whether a host is of the house: an address of a private network, or a name that the internet does not know."""
    private = re.match(r"^(?:10|127|192\.168|172\.(?:1[6-9]|2\d|3[01])|169\.254)\.", host)
    return bool(private) or host.endswith((".local", ".internal", ".svc", ".localhost", ".lan", ".cluster.local"))


def _by_library(failure: Failure) -> Decision | None:
    raised = failure.raised
    innermost = raised.root.frames[0] if raised and raised.root.frames else None
    if innermost is None or innermost.is_own:
        return None
    for category, pattern in _LIBRARIES:
        if match := pattern.search(innermost.file):
            return category, f"it was raised in {match[1]}"
    return None


def _by_words(failure: Failure) -> Decision | None:
    said = _said(failure).lower()
    for category, pattern in _WORDS:
        if match := pattern.search(said):
            return category, f"its message says {match[0]!r}"
    return None


def _said(failure: Failure) -> str:
    """The first line of the message, of the first cause too."""
    root = failure.raised.root.message if failure.raised else ""
    return " ".join(text.strip().partition("\n")[0] for text in (failure.first.message, root) if text)
