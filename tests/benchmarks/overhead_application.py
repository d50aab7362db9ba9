"""The FastAPI and PyTorch server of `server_overhead`: plain, with OpenTelemetry's instrumentation, or with ours."""

import os
from typing import Final

import torch
from fastapi import FastAPI
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import set_tracer_provider

import infersight

WIDTH: Final = 256

torch.set_num_threads(1)
torch.manual_seed(0)
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


if way == "opentelemetry":
    spans = TracerProvider()
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    set_tracer_provider(spans)
    set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())]))
    FastAPIInstrumentor.instrument_app(app)
elif way.startswith("infersight"):
    infersight.configure(console="off")
    infersight.instrument_fastapi(app)
    if way == "infersight, observed":
        infer = infersight.observe(model="ranker", version="1")(infer)


@app.get("/infer")
async def endpoint(number: float) -> list[float]:
    return infer([number] * WIDTH)


@app.get("/health")
async def health() -> None:
    return None
