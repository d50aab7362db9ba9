"""Where telemetry goes, by the options, else OpenTelemetry's variables, else the defaults."""

import os
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Final, Literal
from urllib.parse import urlsplit

Signal = Literal["traces", "metrics", "logs"]
SIGNALS: Final[tuple[Signal, ...]] = ("traces", "metrics", "logs")

_LOOPBACK: Final = {"grpc": "http://127.0.0.1:4317", "http/protobuf": "http://127.0.0.1:4318"}

_EXPORTERS: Final[dict[Signal, tuple[str, str]]] = {
    "traces": ("trace_exporter", "OTLPSpanExporter"),
    "metrics": ("metric_exporter", "OTLPMetricExporter"),
    "logs": ("_log_exporter", "OTLPLogExporter"),
}
"""Module (in the package of either transport) and class of each signal's exporter."""


def build_exporter(signal: Signal, endpoint: str | None, protocol: str | None) -> Any:
    """OpenTelemetry's exporter of a signal; importing gRPC's takes longer than the rest of `configure`.

    Args:
        signal: the signal.
        endpoint: `http://HOST:PORT`; None leaves it to the environment.
        protocol: as for the endpoint.

    Raises:
        Exception: whatever the exporter makes of a faulty environment.
    """
    transport, url = destination_of(signal, endpoint, protocol)
    package = "opentelemetry.exporter.otlp.proto." + ("grpc" if transport == "grpc" else "http")
    module, name = _EXPORTERS[signal]
    return getattr(import_module(f"{package}.{module}"), name)(endpoint=url)


def destination_of(signal: Signal, endpoint: str | None, protocol: str | None) -> tuple[str, str | None]:
    """Transport and URL for a signal; the URL is None where the exporter reads it from OpenTelemetry's variables.

    Without a protocol from anywhere, port 4318 means HTTP, as it does for every OTLP receiver.
    """
    variables = _variables(signal)
    known = endpoint or _first(f"{variable}_ENDPOINT" for variable in variables)
    said = (protocol or "").strip() or _first(f"{variable}_PROTOCOL" for variable in variables)
    if said:
        transport = "grpc" if said == "grpc" else "http/protobuf"
    else:
        transport = "http/protobuf" if known and urlsplit(known).port == 4318 else "grpc"
    if known and endpoint is None:
        return transport, None
    base = (endpoint or _LOOPBACK[transport]).rstrip("/")
    return transport, base if transport == "grpc" else f"{base}/v1/{signal}"


def address_of(signal: Signal, endpoint: str | None, protocol: str | None) -> str:
    """The URL for people."""
    transport, url = destination_of(signal, endpoint, protocol)
    return url or _first(f"{variable}_ENDPOINT" for variable in _variables(signal)) or _LOOPBACK[transport]


def _variables(signal: Signal) -> tuple[str, str]:
    return (f"OTEL_EXPORTER_OTLP_{signal.upper()}", "OTEL_EXPORTER_OTLP")


def _first(variables: Iterable[str]) -> str:
    """The first of the variables that is set; empty where none is."""
    return next((value for variable in variables if (value := os.environ.get(variable, "").strip())), "")
