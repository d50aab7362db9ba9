"""Which variant of an experiment a request got: the feature flag conventions' event, and an attribute of its spans."""

from opentelemetry._logs import SeverityNumber
from opentelemetry.trace import get_current_span

from infersight import _attributes as names
from infersight._configure import state
from infersight._faults import report
from infersight._request import Request, current_request
from infersight._values import text


def variant(
    key: str,
    variant: str,
    *,
    context_id: str | None = None,
    provider: str | None = None,
    reason: str | None = None,
) -> None:
    """Record that the current request gets a variant of an experiment.

    Emits the log event `feature_flag.evaluation` of the semantic conventions, and puts the attribute
    `infersight.variant.KEY` on the request's server span, on the current span, and on the spans of `observe`, `stage`
    and `query` that begin later in the request.

    Args:
        key: the experiment or flag, `feature_flag.key`; one of a few, for it names an attribute.
        variant: what the request gets, `feature_flag.result.variant`.
        context_id: whom the assignment is for, `feature_flag.context.id`: a user or session.
        provider: what assigned it, `feature_flag.provider.name`.
        reason: why, `feature_flag.result.reason`: `split`, `targeting_match`, `static`, ...
    """
    telemetry = state.telemetry
    if telemetry is None:
        return
    try:
        key, variant = text(key), text(variant)
        optional = {
            names.FEATURE_FLAG_CONTEXT_ID: context_id,
            names.FEATURE_FLAG_PROVIDER: provider,
            names.FEATURE_FLAG_REASON: reason,
        }
        given = {name: text(value) for name, value in optional.items() if value is not None}
        telemetry.emit_event(
            names.FEATURE_FLAG_EVALUATION,
            SeverityNumber.INFO,
            f"{key}: {variant}",
            {names.FEATURE_FLAG_KEY: key, names.FEATURE_FLAG_VARIANT: variant, **given},
        )
        _mark_spans(names.VARIANT_PREFIX + key, variant)
    except Exception:  # noqa: BLE001 - the request gets its variant in any case
        report("record a variant")


def _mark_spans(name: str, value: str) -> None:
    current = get_current_span()
    request = current_request.get()
    if request is None or not request.holds(current):  # not in an application that `instrument_fastapi` has seen
        request = Request(current)
        if current.get_span_context().is_valid:
            current_request.set(request)
    request.got(name, value)
    if current is not request.span:
        current.set_attribute(name, value)
