"""How many requests a span or log record stands for, where its sender has sampled.

A sampled trace tells it in its tracestate (`ot=th:...`, OpenTelemetry's consistent probability sampling: the share of
trace ids that are kept is what lies above the threshold); a record whose sender knows better, and a log record, which
has no tracestate, in the attribute `infersight.sample.weight`.
"""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyright: reportAttributeAccessIssue=false
# pyarrow.compute makes its functions when it is imported.

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.decode.attributes import AttributeColumns

WEIGHT: Final = "infersight.sample.weight"

_THRESHOLD: Final = r"(?:^|,)[ \t]*ot=(?:[^,]*;)?th:(?P<th>[0-9a-f]{1,14})[ \t]*(?:[;,]|$)"
_DIGITS: Final = 14
_RANGE: Final = 16**_DIGITS


def sample_weights(rows: int, attributes: AttributeColumns, trace_state: Any = None) -> Any:
    """The weight of each row: its attribute, else what its tracestate says, else 1.

    Args:
        rows: number of rows.
        attributes: the attributes of the rows; a weight that is no number from 0 is none.
        trace_state: the tracestate of the rows, text; None where they have no such column.
    """
    weights = [_of_attribute(attributes.struct), _of_trace_state(trace_state)]
    found = [weight for weight in weights if weight is not None]
    return pc.coalesce(*found, pa.scalar(1.0)) if found else pa.array(np.ones(rows))


def _of_attribute(struct: Any) -> Any:
    if struct is None or (index := struct.type.get_field_index(WEIGHT)) < 0:
        return None
    # Unlike StructArray.field, `flatten` also nulls the rows that have no attributes at all.
    values = struct.flatten()[index]
    if not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type)):
        return None
    values = values.cast(pa.float64(), safe=False)
    usable = pc.and_(pc.is_finite(values), pc.greater_equal(values, 0.0))
    return pc.if_else(usable, values, pa.scalar(None, pa.float64()))


def _of_trace_state(trace_state: Any) -> Any:
    """By the different tracestates, of which a request has few where the trace id gives the randomness."""
    if trace_state is None or trace_state.null_count == len(trace_state):
        return None
    encoded = trace_state.dictionary_encode()
    thresholds = pc.extract_regex(encoded.dictionary, _THRESHOLD)
    digits = thresholds.flatten()[0].to_pylist()
    weights = [
        None if text is None else 16**_DIGITS / (16**_DIGITS - int(text.ljust(_DIGITS, "0"), 16)) for text in digits
    ]
    return pa.array(weights, pa.float64()).take(encoded.indices)
