"""What a model predicted, as a log event in the trace of its request, and the labels that arrive later."""

import heapq
import json
import math
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry._logs import SeverityNumber
from opentelemetry.trace import INVALID_SPAN_CONTEXT, get_current_span

from infersight import _attributes as names
from infersight._characterise import Attributes, characterise, fields_of, is_on_host, leaves
from infersight._config import Options
from infersight._configure import state
from infersight._context import context_of, model_of_trace
from infersight._faults import report
from infersight._inputs import shape_of
from infersight._telemetry import Telemetry, model_attributes, new_id
from infersight._values import carriable, qualified_name, safe_str, text

if TYPE_CHECKING:
    from infersight._redact import Redactor

_CLASSES: Final = 10_000
"""Most probabilities that are looked at; of more, none are."""

_CAPTURED_ELEMENTS: Final = 4_096
"""Most elements of a list or array that are captured; of more, none are."""

_PROBABILITY_SLACK: Final = 0.01
"""How far from 1 probabilities may add up; beyond it they are logits, or not all of them."""


def prediction(
    *,
    label: object = None,
    confidence: Any = None,
    input: object = None,  # noqa: A002 - says at the call what it is
    probabilities: Any = None,
    top_k: int = 5,
    model: str | None = None,
    version: str | None = None,
    error: BaseException | None = None,
) -> str:
    """Record what a model predicted: the log event `infersight.prediction` in the current trace.

    The input is characterised (`infersight.input.*`), never sent, unless `configure(capture_inputs=...)` says so. The
    predictions of a request that is not sampled are not recorded. Of a value on an accelerator nothing is read, so
    that nothing waits for it.

    Args:
        label: what was predicted, kept as text; by default the most probable of `probabilities`.
        confidence: 0 to 1; by default the probability of the label.
        input: what it was predicted from: text, bytes, array, list, mapping, dataclass or pydantic model.
        probabilities: of all classes, at most 10 000: a mapping of label to probability, or a sequence or
            one-dimensional array, whose labels are the positions. They give the `top_k`, and, where they add up to 1,
            the entropy in nats.
        top_k: how many of the most probable classes are kept.
        model: name of the model; by default that of the current span, else of the last inference that
            `infersight.observe` saw in this trace.
        version: version of the model, when its name is given.
        error: why there is no prediction, for one that failed.

    Returns:
        The prediction's id, 32 hex digits: keep it to say later what was right, by `feedback`.
    """
    telemetry = state.telemetry
    if telemetry is None or _is_unsampled():
        return new_id()
    prediction_id = telemetry.new_id()
    try:
        attributes: Attributes = {names.PREDICTION_ID: prediction_id}
        known = (model, version) if model is not None else model_of_trace()
        if known is not None:
            attributes |= model_attributes(known)
        attributes |= _outcome(label, confidence, probabilities, top_k)
        if error is not None:
            attributes[names.ERROR_TYPE] = qualified_name(type(error))
        attributes |= _input(input, attributes, prediction_id)
        telemetry.emit_event(names.PREDICTION, SeverityNumber.INFO, _sentence(attributes), attributes)
    except Exception:  # noqa: BLE001 - the prediction is used in any case
        report("record a prediction")
    return prediction_id


def feedback(*, label: object, prediction_id: str | None = None, trace_id: str | None = None) -> None:
    """Record what would have been right: the log event `infersight.feedback`, from any process, on any day.

    Args:
        label: the right label, kept as text.
        prediction_id: what `prediction` returned.
        trace_id: the trace of the request that predicted, 32 hex digits, where the prediction's id was not kept.

    Raises:
        TypeError: neither id, or both, are given.
    """
    if (prediction_id is None) == (trace_id is None):
        raise TypeError("feedback(...) takes either prediction_id or trace_id")
    telemetry = state.telemetry
    if telemetry is None:
        return
    try:
        _emit_feedback(telemetry, safe_str(_plain(label)), prediction_id, trace_id)
    except Exception:  # noqa: BLE001 - whoever gives feedback is not to blame
        report("record feedback")


def _emit_feedback(telemetry: Telemetry, label: str, prediction_id: str | None, trace_id: str | None) -> None:
    # Ids come from outside: they are kept as text of limited length, and what is none joins nothing.
    attributes: Attributes = {names.FEEDBACK_LABEL: label}
    for name, given in ((names.PREDICTION_ID, prediction_id), (names.FEEDBACK_TRACE_ID, trace_id)):
        if given is not None:
            attributes[name] = text(str(given)).strip().lower()[:64]
    # It speaks of another request: this one's sampling must not lose it.
    context = context_of(INVALID_SPAN_CONTEXT) if _is_unsampled() else None
    telemetry.emit_event(names.FEEDBACK, SeverityNumber.INFO, f"{label!r} was right", attributes, context)


def _is_unsampled() -> bool:
    context = get_current_span().get_span_context()
    return context.is_valid and not context.trace_flags.sampled


def _plain(value: Any) -> Any:
    """The Python value of an array of one element (what `argmax` returns); None on an accelerator."""
    if not hasattr(value, "item"):
        return value
    return value.item() if is_on_host(value) else None


def _outcome(label: object, confidence: Any, probabilities: Any, top_k: int) -> Attributes:
    label, confidence = _plain(label), _plain(confidence)
    classes = _classes(probabilities)
    found: Attributes = {}
    if classes:
        best = heapq.nlargest(max(top_k, 1), classes.items(), key=lambda item: item[1])
        if label is None:
            label = best[0][0]
        if confidence is None:
            confidence = classes.get(safe_str(label))
        if top_k > 0:
            found[names.PREDICTION_TOP_LABELS] = [name for name, _ in best]
            found[names.PREDICTION_TOP_PROBABILITIES] = [probability for _, probability in best]
        if (entropy := _entropy(classes)) is not None:
            found[names.PREDICTION_ENTROPY] = entropy
    if label is not None:
        found[names.PREDICTION_LABEL] = safe_str(label)
    if confidence is not None:
        found[names.PREDICTION_CONFIDENCE] = float(confidence)
    return found


def _classes(probabilities: Any) -> dict[str, float]:
    """Label and probability of each class; empty where they are too many, or not to be read without waiting."""
    if isinstance(probabilities, Mapping):
        given = cast("Mapping[object, Any]", probabilities)
        return {} if len(given) > _CLASSES else {safe_str(key): float(_plain(p)) for key, p in given.items()}
    shape = shape_of(probabilities)
    if shape is not None:
        if math.prod(shape) > _CLASSES or not is_on_host(probabilities):
            return {}
        probabilities = probabilities.reshape(-1).tolist()
    if probabilities is None or len(probabilities) > _CLASSES:
        return {}
    return {str(position): float(p) for position, p in enumerate(probabilities)}


def _entropy(classes: Mapping[str, float]) -> float | None:
    """Shannon's entropy in nats; None where the values are no complete distribution."""
    values = classes.values()
    if min(values) < 0 or not math.isclose(math.fsum(values), 1, abs_tol=_PROBABILITY_SLACK):
        return None
    return max(0.0, -math.fsum(p * math.log(p) for p in values if p > 0))


def _input(given: object, attributes: Attributes, prediction_id: str) -> Attributes:
    if given is None:
        return {}
    try:
        found = characterise(given)
        options = state.options
        if options is not None and _is_captured(options, attributes, prediction_id):
            value = _captured(given, frozenset(options.redact_keys))
            if value is not None:
                found[names.INPUT_VALUE] = value
    except Exception:  # noqa: BLE001 - an input that cannot be described leaves the prediction
        report("characterise an input")
        return {}
    return found


def _is_captured(options: Options, attributes: Attributes, prediction_id: str) -> bool:
    if int(prediction_id[-8:], 16) >= options.capture_inputs * 2**32:
        return False
    confidence = attributes.get(names.PREDICTION_CONFIDENCE)
    uncertain = isinstance(confidence, float) and confidence <= options.capture_confidence
    return uncertain or options.capture_confidence >= 1 or names.ERROR_TYPE in attributes


def _captured(given: object, secret_keys: frozenset[str]) -> str | None:
    """The input as text, anything but text as JSON, without its secrets and cut where it is long; None for others."""
    from infersight._redact import Redactor  # noqa: PLC0415 - its expressions take time to compile, and most never capture

    redactor = Redactor(secret_keys=secret_keys)
    if isinstance(given, str):
        return redactor.text(text(given))
    plain = _plain_input(given)
    if plain is None:
        return None
    return redactor.text(json.dumps(_redacted(carriable(plain), redactor), ensure_ascii=False, default=safe_str))


def _plain_input(given: object) -> object:
    """Mappings, lists and numbers for an input; None for another one, or one too large or on an accelerator."""
    fields = fields_of(given)
    if fields is not None:
        return fields
    shape = shape_of(given)
    if shape is not None:
        readable = math.prod(shape) <= _CAPTURED_ELEMENTS and is_on_host(given) and hasattr(given, "tolist")
        return cast("Any", given).tolist() if readable else None
    if isinstance(given, list | tuple):
        items = cast("list[object]", given)
        return items if len(list(islice(leaves(items), _CAPTURED_ELEMENTS + 1))) <= _CAPTURED_ELEMENTS else None
    return given if isinstance(given, bool | int | float) else None


def _redacted(value: object, redactor: "Redactor") -> object:
    """The value without what its own fields' names, or those of its parts, say to be secret."""
    if isinstance(value, dict):
        kept = redactor.attributes(cast("dict[str, object]", value))
        return {key: _redacted(part, redactor) for key, part in kept.items()}
    if isinstance(value, list):
        return [_redacted(part, redactor) for part in cast("list[object]", value)]
    return value


def _sentence(attributes: Attributes) -> str:
    who = safe_str(attributes.get(names.MODEL_NAME, "a model"))
    if names.ERROR_TYPE in attributes:
        return f"{who} failed to predict: {safe_str(attributes[names.ERROR_TYPE])}"
    confidence = attributes.get(names.PREDICTION_CONFIDENCE)
    sure = f" ({confidence:.3g})" if isinstance(confidence, float) else ""
    return f"{who} predicted {attributes.get(names.PREDICTION_LABEL)!r}{sure}"
