"""One series of a histogram, found once: recording to it costs a fifth of the way that looks it up at each call.

The OpenTelemetry SDK cleans, copies, sorts and hashes the attributes of every measurement before it reaches the
aggregation that counts it. A series asks once which aggregations its attributes lead to (one for each reader and
view) and then hands each measurement to them itself: buckets, views, temporality and exemplars are the SDK's own. Where
the provider is not that SDK, or its inside is not as known here, every measurement takes the public way.
"""

from collections.abc import Iterator, Mapping
from time import time_ns
from typing import Any, NamedTuple

from opentelemetry.context import Context, get_current
from opentelemetry.metrics import Histogram


class _Measured:
    """What an aggregation reads of a measurement; only the value where it is no exemplar."""

    __slots__ = ("attributes", "context", "time_unix_nano", "value")

    value: float
    time_unix_nano: int
    context: Context
    attributes: Mapping[str, str]


class Series:
    """A histogram with one set of attributes.

    Args:
        histogram: the instrument.
        attributes: of every measurement; not to be changed afterwards.
    """

    __slots__ = ("_aggregations", "_attributes", "_consumer", "_exemplars", "_histogram", "_readers")

    def __init__(self, histogram: Histogram, attributes: Mapping[str, str]) -> None:
        self._histogram = histogram
        self._attributes = attributes
        self._aggregations: tuple[Any, ...] = ()
        self._readers: object = None
        self._exemplars: Any = None
        """The SDK's exemplar filter; None where it goes by the trace alone, as by default."""
        consumer = getattr(histogram, "_measurement_consumer", None)
        self._consumer: Any = consumer if hasattr(consumer, "_reader_storages") else None
        """Where the SDK's instrument hands its measurements; None where they take the public way."""

    def record(self, value: float, sampled: bool) -> None:
        """Record one measurement in the current context.

        Args:
            value: finite and not negative, in the unit of the histogram.
            sampled: whether the current span is.
        """
        # The readers change with a fork, and when one is added or removed.
        if self._consumer is None or self._consumer._reader_storages is not self._readers:  # noqa: SLF001 - see the module
            self._record_and_find(value)
            return
        measured = _Measured()
        measured.value = value
        if sampled or self._exemplars is not None:
            now, context = time_ns(), get_current()
            measured.time_unix_nano, measured.context, measured.attributes = now, context, self._attributes
            if self._exemplars is not None:
                sampled = self._exemplars.should_sample(value, now, self._attributes, context)
        for aggregation in self._aggregations:
            aggregation.aggregate(measured, sampled)

    def _record_and_find(self, value: float) -> None:
        self._histogram.record(value, self._attributes)  # this makes the aggregations
        if self._consumer is None:
            return
        # It is loaded already; `import infersight` does without it.
        from opentelemetry.sdk.metrics import TraceBasedExemplarFilter  # noqa: PLC0415

        try:
            exemplars = self._consumer._sdk_config.exemplar_filter  # noqa: SLF001 - see the module
            self._exemplars = None if isinstance(exemplars, TraceBasedExemplarFilter) else exemplars
            readers = self._consumer._reader_storages  # noqa: SLF001 - see the module
            self._aggregations = tuple(self._found(readers))
            self._readers = readers
        except (AttributeError, LookupError):
            self._consumer = None

    def _found(self, readers: Mapping[object, Any]) -> Iterator[Any]:
        for storage in readers.values():
            for match in storage._instrument_view_instrument_matches[self._histogram]:  # noqa: SLF001 - see the module
                kept = match._view._attribute_keys  # noqa: SLF001 - see the module
                attributes = {key: value for key, value in self._attributes.items() if kept is None or key in kept}
                known = match._attributes_aggregation.values()  # noqa: SLF001 - see the module
                same = [aggregation for aggregation in known if aggregation._attributes == attributes]  # noqa: SLF001 - see the module
                yield same[0]


class InferenceSeries(NamedTuple):
    """What each successful inference of one model is recorded to."""

    duration: Series
    batch_size: Series
    forward_duration: Series
