"""One sampling decision for the spans, log records, exemplars and predictions of a request, and its weight.

The decision is made at the request's first span and handed on by the trace's `sampled` flag. A trace that was sampled
by a ratio carries the threshold in its tracestate (`ot=th:...`, OpenTelemetry's consistent probability sampling), from
which everyone can tell how many requests it stands for; log records, which have no tracestate, carry the weight itself.
"""

import logging
import os
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Final

from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import ReadWriteLogRecord
from opentelemetry.sdk._logs._internal import SynchronousMultiLogRecordProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import TraceState, get_current_span

from infersight import _attributes as names
from infersight._config import Options, parse_ratio
from infersight._request import current_request, forced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.context import Context
    from opentelemetry.trace import Link, SpanKind
    from opentelemetry.util.types import Attributes

_RANGE: Final = 1 << 56
"""Thresholds and randomness have 56 bits."""

_DIGITS: Final = 14
_LOG: Final = logging.getLogger("infersight")


class RatioSampler(Sampler):
    """Samples a share of all traces, the same ones in every service, by the randomness of their ids.

    Args:
        ratio: the share, 0 to 1.
    """

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio
        self._threshold = _RANGE - round(ratio * _RANGE)
        self._member = f"th:{f'{self._threshold:0{_DIGITS}x}'.rstrip('0') or '0'}"
        self._of_root = TraceState([("ot", self._member)])

    def should_sample(  # noqa: PLR0917 - the interface's
        self,
        parent_context: "Context | None",
        trace_id: int,
        name: str,  # noqa: ARG002 - the interface's
        kind: "SpanKind | None" = None,  # noqa: ARG002 - the interface's
        attributes: "Attributes" = None,
        links: "Sequence[Link] | None" = None,  # noqa: ARG002 - the interface's
        trace_state: TraceState | None = None,  # noqa: ARG002 - the SDK leaves it out
    ) -> SamplingResult:
        """Decide by `rv` of the parent's tracestate, else by the last 56 bits of the trace id."""
        parent_state = get_current_span(parent_context).get_span_context().trace_state
        members = _members(parent_state)
        given = _number(members, "rv:")
        randomness = trace_id % _RANGE if given is None else given
        if randomness >= self._threshold:
            others = [member for member in members if not member.startswith("th:")]
            state = parent_state.update("ot", ";".join([self._member, *others])) if parent_state else self._of_root
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, state)
        if forced.get():
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, parent_state)
        return SamplingResult(Decision.DROP, trace_state=parent_state)

    def get_description(self) -> str:
        """Name and ratio."""
        return f"RatioSampler{{{self._ratio}}}"


def sampler_of(options: Options) -> Sampler | None:
    """The sampler for the options; None leaves it to OpenTelemetry's variables."""
    chosen = os.environ.get("OTEL_TRACES_SAMPLER", "parentbased_always_on").strip().lower()
    can_force = options.trace_secret is not None or bool(options.trace_allow)
    if options.sample_ratio is not None:
        root: Sampler = RatioSampler(options.sample_ratio)
    elif chosen in {"parentbased_traceidratio", "traceidratio"}:
        root = RatioSampler(_ratio_of_environment())
    elif chosen == "parentbased_always_on" and can_force:
        root = ALWAYS_ON
    else:
        return None
    if options.sample_ratio is None and chosen == "traceidratio":
        return root
    # Of ratio 0: takes only what is forced.
    return ParentBased(root, remote_parent_not_sampled=RatioSampler(0.0))


def weight_of(trace_state: TraceState | None) -> float | None:
    """How many traces one with this tracestate stands for; None where it does not say."""
    threshold = _number(_members(trace_state), "th:")
    return None if threshold is None else _RANGE / (_RANGE - threshold)


class SampledLogs(SynchronousMultiLogRecordProcessor):
    """Passes on the log records of sampled requests, and from the others warnings and errors only.

    Those are passed on whatever was decided, so they stand for themselves; the rest carries the weight of its trace.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # the SDK left it without types

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Pass one record on, or not; with the id of its request."""
        record = log_record.log_record
        severity = record.severity_number or SeverityNumber.UNSPECIFIED
        attributes = record.attributes
        request = current_request.get()
        if record.trace_id and severity.value < SeverityNumber.WARN.value and record.event_name != names.FEEDBACK:
            span_context = get_current_span(record.context).get_span_context()
            if not span_context.trace_flags.sampled:
                return
            weight = weight_of(span_context.trace_state)
            if weight is not None and isinstance(attributes, MutableMapping) and names.SAMPLE_WEIGHT not in attributes:
                attributes[names.SAMPLE_WEIGHT] = weight
        if request is not None and record.trace_id == request.span.get_span_context().trace_id:
            if request.id and isinstance(attributes, MutableMapping):
                attributes[names.REQUEST_ID] = request.id
            if request.recording is not None:
                request.recording.sent_logs.append(log_record)
        super().on_emit(log_record)


def _members(trace_state: TraceState | None) -> list[str]:
    of_opentelemetry = trace_state.get("ot") if trace_state else None
    return of_opentelemetry.split(";") if of_opentelemetry else []


def _number(members: list[str], prefix: str) -> int | None:
    """A hexadecimal number of up to 14 digits, those that are missing being zeros; `rv` has them all."""
    for member in members:
        if member.startswith(prefix):
            digits = member[len(prefix) :]
            if 0 < len(digits) <= _DIGITS and set(digits) <= _HEX:
                return int(digits.ljust(_DIGITS, "0"), 16)
    return None


_HEX: Final = frozenset("0123456789abcdef")


def _ratio_of_environment() -> float:
    value = os.environ.get("OTEL_TRACES_SAMPLER_ARG", "1").strip()
    try:
        return parse_ratio(value)
    except ValueError as error:
        _LOG.warning("ignoring OTEL_TRACES_SAMPLER_ARG=%s: %s", value, error)
        return 1.0
