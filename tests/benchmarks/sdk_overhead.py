"""What observing one inference costs, beside the same emissions written by hand, and beside one Logfire span.

Everything is measured in one process, in alternating rounds, and the median round is compared, so that the ratios hold
on a noisy machine. The exporters discard; what is measured is what the caller waits for, and what the exporting
threads take from it meanwhile.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import logfire
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased

import infersight
from infersight._config import Options
from infersight._configure import Running, state
from infersight._logs import LogBridge
from infersight._providers import Providers
from infersight._telemetry import Telemetry

ROUNDS: Final = 40
CALLS: Final = 400

GOALS: Final = {
    ("infersight.observe", "by hand"): 1.15,
    ("infersight.observe", "Logfire span"): 1.0,
    ("unsampled", "infersight.observe"): 0.20,
    ("unsampled", "by hand"): 0.20,
}
"""Of each pair of cases, the ratio that is aimed at."""


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


def attributes_of(batch: Array) -> dict[str, Any]:
    """The span's attributes, as `observe` finds them; the output's shape makes eight."""
    return {
        "infersight.operation": "inference",
        "infersight.model.name": "m",
        "infersight.model.version": "1",
        "infersight.batch.size": batch.shape[0],
        "infersight.input.shape": list(batch.shape),
        "infersight.input.dtype": str(batch.dtype),
        "infersight.device": str(batch.device),
    }


def by_hand(tracer_provider: TracerProvider, meter_provider: MeterProvider) -> Callable[[Array], Array]:
    """The same span, both histograms, and a count; written as tersely as OpenTelemetry allows."""
    tracer = tracer_provider.get_tracer("by-hand")
    meter = meter_provider.get_meter("by-hand")
    duration = meter.create_histogram("inference.duration", unit="s")
    sizes = meter.create_histogram("inference.batch.size", unit="{item}")
    count = meter.create_counter("inference.count", unit="{inference}")
    series = {"infersight.model.name": "m", "infersight.model.version": "1"}

    def call(batch: Array) -> Array:
        began = time.perf_counter()
        with tracer.start_as_current_span("inference m", attributes=attributes_of(batch)) as span:
            result = predict(batch)
            span.set_attribute("infersight.output.shape", list(result.shape))
            duration.record(time.perf_counter() - began, series)
            sizes.record(batch.shape[0], series)
            count.add(1, series)
        return result

    return call


def logfire_span() -> Callable[[Array], Array]:
    """A Logfire span with the same attributes, and no metrics."""
    processor = BatchSpanProcessor(Discarding())
    logfire.configure(send_to_logfire=False, console=False, additional_span_processors=[processor])

    def call(batch: Array) -> Array:
        with logfire.span("inference m", **attributes_of(batch)) as span:
            result = predict(batch)
            span.set_attribute("infersight.output.shape", list(result.shape))
        return result

    return call


def running(tracer_provider: TracerProvider, meter_provider: MeterProvider) -> tuple[Options, Running]:
    """The SDK over these providers, as `configure` would have made it over its own."""
    logger_provider = LoggerProvider(shutdown_on_exit=False)
    options = Options(service_name="b", console="off")
    providers = Providers(tracer_provider, meter_provider, logger_provider, "b", (), ())
    telemetry = Telemetry(tracer_provider, meter_provider, logger_provider)
    return options, Running(telemetry, providers, LogBridge(logger_provider, "off", None, "b", None))


def microseconds(call: Callable[[Any], Any], argument: object, provider: TracerProvider) -> float:
    """Of one call inside a request, whose span is of this provider; the mean of a round."""
    with provider.get_tracer("server").start_as_current_span("GET /"):
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
    unsampled_provider = TracerProvider(sampler=ParentBased(ALWAYS_OFF), shutdown_on_exit=False)
    unsampled = running(unsampled_provider, meter_provider)
    off = (None, None)
    cases: dict[str, tuple[Callable[[Array], Array], Any]] = {
        "plain call": (predict, off),
        "by hand": (by_hand(tracer_provider, meter_provider), off),
        "Logfire span": (logfire_span(), off),
        "infersight.observe": (observed, on),
        "unsampled": (observed, unsampled),
        "disabled": (observed, off),
    }
    rounds: dict[str, list[float]] = {name: [] for name in cases}
    batch = Array()
    for _ in range(ROUNDS):
        for name, (call, configured) in cases.items():
            state.exchange(*configured)
            provider = unsampled_provider if configured is unsampled else tracer_provider
            rounds[name].append(microseconds(call, batch, provider))
    state.exchange(None, None)
    tracer_provider.shutdown()
    cost = {name: statistics.median(values) for name, values in rounds.items()}
    for name, value in cost.items():
        print(f"{name:32} {value:8.2f} us")
    for (one, other), goal in GOALS.items():
        print(f"{f'{one} / {other}':32} {cost[one] / cost[other]:8.2f}   (at most {goal:g})")


if __name__ == "__main__":
    main()
