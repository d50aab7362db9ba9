"""The FastAPI and PyTorch server of `server_overhead`: bare, with OpenTelemetry's instrumentation, or with ours."""

import os
import time
from collections.abc import Callable
from typing import Final

import torch
from fastapi import FastAPI
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.metrics import get_meter, set_meter_provider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import get_tracer, set_tracer_provider

import infersight

WIDTH: Final = 256

torch.set_num_threads(1)
model = torch.nn.Sequential(
    *(layer for _ in range(4) for layer in (torch.nn.Linear(WIDTH, WIDTH), torch.nn.ReLU()))
).eval()
way = os.environ["OVERHEAD_WAY"]
# FastAPI has telemetry of its own, for whatever providers there are; what is measured is the instrumentation.
app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})


def infer(numbers: list[float]) -> list[float]:
    with torch.inference_mode():
        batch = torch.tensor(numbers).expand(8, WIDTH)
        scores: list[float] = model(batch).mean(dim=1).tolist()
    return scores


def by_hand(function: Callable[[list[float]], list[float]]) -> Callable[[list[float]], list[float]]:
    """What `observe` emits, written with OpenTelemetry."""
    tracer, meter = get_tracer("by-hand"), get_meter("by-hand")
    duration = meter.create_histogram("inference.duration", unit="s")
    sizes = meter.create_histogram("inference.batch.size", unit="{item}")
    active = meter.create_up_down_counter("inference.active", unit="{inference}")
    series = {"model.name": "ranker", "model.version": "1"}

    def call(numbers: list[float]) -> list[float]:
        attributes: dict[str, str | int] = {"operation": "inference", "batch.size": len(numbers), **series}
        active.add(1, series)
        began = time.perf_counter()
        with tracer.start_as_current_span("inference ranker", attributes=attributes):
            scores = function(numbers)
            duration.record(time.perf_counter() - began, series)
            sizes.record(len(numbers), series)
        active.add(-1, series)
        return scores

    return call


run: Callable[[list[float]], list[float]] = infer
if way.startswith("opentelemetry"):
    spans = TracerProvider()
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    set_tracer_provider(spans)
    set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())]))
    FastAPIInstrumentor.instrument_app(app)
    if way == "opentelemetry, by hand":
        run = by_hand(infer)
elif way.startswith("infersight"):
    infersight.configure(console="off")
    infersight.instrument_fastapi(app)
    if way == "infersight, observed":
        run = infersight.observe(model="ranker", version="1")(infer)


@app.get("/infer")
async def endpoint(number: float) -> list[float]:
    return run([number] * WIDTH)


@app.get("/health")
async def health() -> None:
    return None
