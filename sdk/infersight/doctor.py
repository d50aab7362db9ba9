"""`infersight doctor`: what is configured here, and whether telemetry sent from here arrives."""

import logging
import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import click

import infersight
from infersight._config import Options, choose_options
from infersight._configure import state
from infersight._doctor_store import Probe, find_in_store
from infersight._providers import Providers
from infersight._telemetry import Telemetry
from infersight.export.delivery import Delivery
from infersight.export.destination import SIGNALS, Signal, address_of, destination_of

_SECONDS: Final = 15.0
"""How long the test telemetry may take to be handed over: a little more than OpenTelemetry's retries."""

_CONNECT_SECONDS: Final = 2.0
_HEALTH_PORT: Final = 13133

_INTEGRATIONS: Final = (
    ("fastapi", "opentelemetry.instrumentation.fastapi", "fastapi"),
    ("torch", "torch", "torch"),
    ("httpx", "opentelemetry.instrumentation.httpx", "clients"),
    ("requests", "opentelemetry.instrumentation.requests", "clients"),
    ("aiohttp", "opentelemetry.instrumentation.aiohttp_client", "clients"),
    ("sqlalchemy", "opentelemetry.instrumentation.sqlalchemy", "clients"),
    ("asyncpg", "opentelemetry.instrumentation.asyncpg", "clients"),
    ("psycopg", "opentelemetry.instrumentation.psycopg", "clients"),
    ("redis", "opentelemetry.instrumentation.redis", "clients"),
)
"""Of each library: what observes it, and the extra that brings that."""


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        status: `failed` makes the command fail; `note` is worth knowing.
        about: what was looked at.
        said: what was found, and what to do where it failed.
    """

    status: Literal["ok", "note", "failed"]
    about: str
    said: str


@click.command("doctor")
@click.option("--endpoint", help="Send to this OTLP receiver instead of the configured one.")
@click.option("--protocol", type=click.Choice(["grpc", "http/protobuf"]), help="The transport of --endpoint.")
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    help="Look the test trace up in this store.  [default: INFERSIGHT_STORE or ./infersight-store, if it exists]",
)
def doctor_command(endpoint: str | None, protocol: Literal["grpc", "http/protobuf"] | None, store: Path | None) -> None:
    """Say what is configured, send a test trace, log record and metric, and look for them.

    Reads the same INFERSIGHT_* and OTEL_* variables as the server, so run it where the server runs. Exit code 0 when
    all is well, 1 when something failed.
    """
    given = {"endpoint": endpoint, "protocol": protocol}
    options = choose_options({name: given.get(name) for name in Options.__dataclass_fields__})
    failed = False
    for finding in examine(options, store or _default_store()):
        click.echo(f"{finding.status:<6}  {finding.about:<12}  {finding.said}")
        failed = failed or finding.status == "failed"
    sys.exit(1 if failed else 0)


def examine(options: Options, store: Path | None) -> Iterator[Finding]:
    """Look at one thing after another.

    Args:
        options: what `configure` would be told.
        store: where the collector keeps telemetry; None where that is not known.
    """
    yield _versions()
    yield Finding("ok", "service", _service(options))
    yield _sampling(options)
    yield from _integrations()
    if not options.enabled or os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        yield Finding("failed", "enabled", "the SDK is off: unset INFERSIGHT_ENABLED and OTEL_SDK_DISABLED")
        return
    reached = [_reachable(signal, options) for signal in SIGNALS]
    yield from reached
    yield from _health(options)
    if any(finding.status == "failed" for finding in reached):
        return
    with _test_telemetry(options) as (probe, findings):
        yield from findings
    if store is None:
        yield Finding("note", "store", "not looked at: name the collector's with --store DIR")
    elif probe is not None:
        status, said = find_in_store(store, probe)
        yield Finding(status, "store", said)


def _versions() -> Finding:
    try:
        sdk = version("opentelemetry-sdk")
    except PackageNotFoundError:
        return Finding("failed", "versions", "opentelemetry-sdk is not installed: pip install infersight")
    return Finding("ok", "versions", f"infersight {infersight.__version__}, opentelemetry-sdk {sdk}")


def _service(options: Options) -> str:
    name = options.service_name or os.environ.get("OTEL_SERVICE_NAME") or "not named (set INFERSIGHT_SERVICE_NAME)"
    also = [f"version {options.service_version}"] if options.service_version else []
    also += [f"spool {options.spool}"] if options.spool else []
    return ", ".join([name, *also])


def _sampling(options: Options) -> Finding:
    if options.sample_ratio is not None:
        return Finding("ok", "sampling", f"{options.sample_ratio:.2%} of the requests without a parent")
    sampler = os.environ.get("OTEL_TRACES_SAMPLER", "").strip()
    argument = os.environ.get("OTEL_TRACES_SAMPLER_ARG", "").strip()
    return Finding("ok", "sampling", f"{sampler} {argument}".strip() or "all requests")


def _integrations() -> Iterator[Finding]:
    observed: list[str] = []
    for library, instrumentation, extra in _INTEGRATIONS:
        if not _is_installed(library):
            continue
        if _is_installed(instrumentation):
            observed.append(library)
        else:
            yield Finding("note", "integrations", f"{library} is not observed: pip install 'infersight[{extra}]'")
    yield Finding("ok", "integrations", ", ".join(["logging", *observed]))


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent package
        return False


def _reachable(signal: Signal, options: Options) -> Finding:
    address = address_of(signal, options.endpoint, options.protocol)
    transport, _ = destination_of(signal, options.endpoint, options.protocol)
    url = urlsplit(address if "://" in address else f"http://{address}")
    port = url.port or {"https": 443, "http": 80}.get(url.scheme, 4317)
    try:
        socket.create_connection((url.hostname or "127.0.0.1", port), _CONNECT_SECONDS).close()
    except OSError as error:
        advice = "start one with `infersight collector`, or set INFERSIGHT_ENDPOINT"
        return Finding("failed", signal, f"nothing listens at {address} ({error}): {advice}")
    return Finding("ok", signal, f"{address} ({transport}) accepts connections")


def _health(options: Options) -> Iterator[Finding]:
    """What our own collector says about itself; another need not have this page."""
    host = urlsplit(address_of("traces", options.endpoint, options.protocol)).hostname
    url = f"http://{host}:{_HEALTH_PORT}/ready"
    try:
        with urllib.request.urlopen(url, timeout=_CONNECT_SECONDS) as answer:
            yield Finding("ok", "collector", f"{url} says {answer.read(200).decode().strip()}")
    except urllib.error.HTTPError as error:
        yield Finding("failed", "collector", f"{url} says {error.read(200).decode().strip()}: see the collector's log")
    except OSError:
        yield Finding("note", "collector", f"has no health page at {url}")


@contextmanager
def _test_telemetry(options: Options) -> Generator[tuple[Probe | None, list[Finding]]]:
    """Emit one of each signal as an application would, and say how sending went."""
    said = _Said()
    logging.getLogger("opentelemetry").addHandler(said)
    infersight.configure(
        endpoint=options.endpoint,
        protocol=options.protocol,
        console="off",
        log_level="INFO",
        sample_ratio=1.0,
        host_metrics=False,
        instrument_clients=False,
    )
    try:
        running = state.running
        if running is None:
            yield None, [Finding("failed", "configure", "the SDK could not start: see the warning above")]
            return
        probe = _emit(running.telemetry)
        sent = infersight.force_flush(_SECONDS)
        yield probe, list(_sent(running.providers, sent, said))
    finally:
        logging.getLogger("opentelemetry").removeHandler(said)
        infersight.shutdown()


class _Said(logging.Handler):
    """Keeps what OpenTelemetry says about exports that fail."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines.append(record.getMessage())

    def about(self, signal: Signal) -> str:
        """The last line that names the signal's records; empty without one."""
        words = ("span", "traces") if signal == "traces" else (signal,)
        return next((line for line in reversed(self.lines) if any(word in line for word in words)), "")


def _emit(telemetry: Telemetry) -> Probe:
    with telemetry.tracer.start_as_current_span("infersight doctor") as span:
        logging.getLogger("infersight.doctor").info("infersight doctor")
        telemetry.inference(("infersight doctor", None)).duration.record(0.0, sampled=True)
    return Probe(f"{span.get_span_context().trace_id:032x}")


def _sent(providers: Providers, in_time: bool, said: _Said) -> Iterator[Finding]:
    for exporter in providers.exporters:
        delivery = getattr(exporter, "delivery", None)
        if not isinstance(delivery, Delivery):
            continue
        counts = delivery.counts
        if counts.lost == 0 and counts.taken > 0 and in_time:
            yield Finding("ok", delivery.signal, "the test was sent")
        else:
            reason = said.about(delivery.signal) or f"no answer within {_SECONDS:g} s"
            yield Finding("failed", delivery.signal, f"the test was not taken: {reason}")


def _default_store() -> Path | None:
    store = Path(os.environ.get("INFERSIGHT_STORE") or "infersight-store")
    return store if store.is_dir() else None
