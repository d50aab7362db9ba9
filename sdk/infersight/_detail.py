"""`detail`: a finer step of a request, kept in memory and sent only with a request that is worth it."""

from contextvars import ContextVar, Token
from types import TracebackType
from typing import Final, Self

from opentelemetry.trace import get_current_span

from infersight import _attributes as names
from infersight._configure import state
from infersight._faults import report
from infersight._recording import KeptSpan, Recording
from infersight._request import current_request
from infersight._values import AttributeValue, carriable, exception_attributes, safe_str, text

_current: Final[ContextVar[KeptSpan | None]] = ContextVar("detail", default=None)

_OPERATION: Final[dict[str, AttributeValue]] = {names.OPERATION: names.OPERATION_DETAIL}


class Detail:
    """A `with` block that becomes a span if its request turns out slow or failed, or was forced; usable once."""

    __slots__ = ("_attributes", "_began_ns", "_kept", "_name", "_recording", "_token")

    def __init__(self, name: str, attributes: dict[str, object]) -> None:
        self._name = name
        self._attributes = attributes
        self._recording: Recording | None = None

    def __enter__(self) -> Self:
        request, telemetry = current_request.get(), state.telemetry
        if request is None or request.recording is None or telemetry is None:
            return self
        try:
            context = get_current_span().get_span_context()
            around = _current.get()
            if around is not None and around.context.span_id != context.span_id:
                around = None  # a span of its own has begun in between
            values = {key: carriable(value) for key, value in self._attributes.items()}
            self._kept = KeptSpan(text(self._name), context, around, telemetry.time_ns(), values | _OPERATION)
            self._token: Token[KeptSpan | None] = _current.set(self._kept)
            self._recording = request.recording
            self._began_ns = telemetry.monotonic_ns()
        except Exception:  # noqa: BLE001 - the block runs in any case
            report("start a detail")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._recording is None:
            return
        try:
            _current.reset(self._token)
            telemetry = state.telemetry
            if telemetry is not None:
                self._kept.elapsed_ns = telemetry.monotonic_ns() - self._began_ns
            if error is not None:
                self._kept.exception = exception_attributes(error)
                self._kept.failure = safe_str(error) if isinstance(error, Exception) else None
            self._recording.keep(self._kept)
        except Exception:  # noqa: BLE001 - the block's outcome is not ours to change
            report("keep a detail")

    def set(self, **attributes: object) -> None:
        """Add attributes that became known inside the block."""
        if self._recording is not None:
            try:
                self._kept.attributes.update({key: carriable(value) for key, value in attributes.items()})
            except Exception:  # noqa: BLE001 - the block runs in any case
                report("set attributes of a detail")


def detail(name: str, **attributes: object) -> Detail:
    """Time a finer step than a stage, a tenth as dear: it is kept in memory and sent only if its request is worth it.

    A request is worth it when it fails, is slow, or is forced (see `configure`). The detail is then a span below the
    current one; it is not current itself, so that what begins inside it is in its place whether it is sent or not.
    Details inside details nest. Outside of a recorded request nothing is kept.

    Args:
        name: the step, the span's name; one of a few (low cardinality), such as "tokenize".
        attributes: facts about this execution; `**{"document.kind": kind}` for names with dots.

    Returns:
        The block for `with`; its `set(**attributes)` adds what becomes known inside.
    """
    return Detail(name, attributes)
