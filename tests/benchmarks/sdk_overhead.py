"""What observing one inference costs, beside the same emissions written by hand with the OpenTelemetry SDK.

Everything is measured in one process, in alternating rounds, and the median round is compared, so that the ratios hold
on a noisy machine. The exporters discard; what is measured is what the caller waits for.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

import infersight
from infersight._config import Options
from infersight._configure import Running, state
from infersight._logs import LogBridge
from infersight._providers import Providers
from infersight._telemetry import Telemetry

ROUNDS: Final = 30
CALLS: Final = 400


class Discarding(SpanExporter):
    """Takes spans and forgets them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - the interface's argument
        return SpanExportResult.SUCCESS


class Array:
    """What a model is called with: the attributes of a tensor, without its library."""

    shape = (8, 128)
    dtype = "torch.float32"
    device = "cpu"


def predict(batch: Array) -> Array:
    return batch


def by_hand(tracer_provider: TracerProvider, meter_provider: MeterProvider) -> Callable[[Array], Array]:
    """The same span (8 attributes), both histograms, and a count; written as tersely as OpenTelemetry allows."""
    tracer = tracer_provider.get_tracer("by-hand")
    meter = meter_provider.get_meter("by-hand")
    duration = meter.create_histogram("inference.duration", unit="s")
    sizes = meter.create_histogram("inference.batch.size", unit="{item}")
    count = meter.create_counter("inference.count", unit="{inference}")
    series = {"infersight.model.name": "m", "infersight.model.version": "1"}

    def call(batch: Array) -> Array:
        attributes: dict[str, Any] = {
            "infersight.operation": "inference",
            "infersight.model.name": "m",
            "infersight.model.version": "1",
            "infersight.batch.size": batch.shape[0],
            "infersight.input.shape": list(batch.shape),
            "infersight.input.dtype": str(batch.dtype),
            "infersight.device": str(batch.device),
        }
        began = time.perf_counter()
        with tracer.start_as_current_span("inference m", attributes=attributes) as span:
            result = predict(batch)
            span.set_attribute("infersight.output.shape", list(result.shape))
            duration.record(time.perf_counter() - began, series)
            sizes.record(batch.shape[0], series)
            count.add(1, series)
        return result

    return call


def running(tracer_provider: TracerProvider, meter_provider: MeterProvider) -> tuple[Options, Running]:
    """The SDK over these providers, as `configure` would have made it over its own."""
    logger_provider = LoggerProvider(shutdown_on_exit=False)
    options = Options(service_name="b", console="off")
    providers = Providers(tracer_provider, meter_provider, logger_provider, "b", (), ())
    telemetry = Telemetry(tracer_provider, meter_provider, logger_provider)
    return options, Running(telemetry, providers, LogBridge(logger_provider, "off", None, "b"))


def microseconds(call: Callable[[Any], Any], argument: object) -> float:
    """Of one call, the mean of a round."""
    began = time.perf_counter()
    for _ in range(CALLS):
        call(argument)
    return (time.perf_counter() - began) / CALLS * 1e6


def main() -> None:
    """Measure and print."""
    tracer_provider = TracerProvider(shutdown_on_exit=False)
    tracer_provider.add_span_processor(BatchSpanProcessor(Discarding()))
    meter_provider = MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False)
    observed = infersight.observe(model="m", version="1")(predict)
    on = running(tracer_provider, meter_provider)
    unsampled = running(TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False), meter_provider)
    cases: dict[str, tuple[Callable[[Array], Array], Any]] = {
        "plain call": (predict, (None, None)),
        "by hand with OpenTelemetry": (by_hand(tracer_provider, meter_provider), (None, None)),
        "infersight.observe": (observed, on),
        "infersight.observe, unsampled": (observed, unsampled),
        "infersight.observe, disabled": (observed, (None, None)),
    }
    rounds: dict[str, list[float]] = {name: [] for name in cases}
    batch = Array()
    for _ in range(ROUNDS):
        for name, (call, configured) in cases.items():
            state.exchange(*configured)
            rounds[name].append(microseconds(call, batch))
    state.exchange(None, None)
    tracer_provider.shutdown()
    cost = {name: statistics.median(values) for name, values in rounds.items()}
    for name, value in cost.items():
        print(f"{name:32} {value:8.2f} us")
    observed_cost = cost["infersight.observe"]
    print(f"{'observe / by hand':32} {observed_cost / cost['by hand with OpenTelemetry']:8.2f}")
    print(f"{'unsampled / sampled':32} {cost['infersight.observe, unsampled'] / observed_cost:8.2f}")


if __name__ == "__main__":
    main()
