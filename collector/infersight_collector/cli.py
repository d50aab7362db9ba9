"""The commands `infersight collector` and `infersight import`."""

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, ParamSpec

import click

from infersight_collector.config import Endpoint, read
from infersight_collector.config.values import HEALTH_ENDPOINT
from infersight_collector.errors import CollectorError
from infersight_collector.listener import allow_connections
from infersight_collector.logs import configure_logging
from infersight_collector.memory import keep_memory
from infersight_collector.overrides import Overrides
from infersight_collector.signals import Signal
from infersight_collector.status_command import NoAnswer, observe, table
from infersight_collector.store.errors import StoreError

if TYPE_CHECKING:
    from infersight_collector.collector import Collector
    from infersight_collector.component import Listening
    from infersight_collector.importing import Imported
    from infersight_collector.pipeline import Graph

_log = logging.getLogger(__name__)

_P = ParamSpec("_P")


def _errors_in_one_line(command: Callable[_P, None]) -> Callable[_P, None]:
    """Turns what can go wrong on purpose into one line on stderr and exit code 2."""

    @wraps(command)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (CollectorError, StoreError) as error:
            click.echo(f"infersight: {error}", err=True)
            sys.exit(2)

    return guarded


def _endpoint(_context: click.Context, _option: click.Parameter, text: str | None) -> Endpoint | None:
    try:
        return None if text is None else Endpoint.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _endpoint_option(name: str, what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    variable = f"INFERSIGHT_{name.upper()}_ENDPOINT"
    return click.option(
        f"--{name}-endpoint", metavar="HOST:PORT", callback=_endpoint, envvar=variable, show_envvar=True, help=what
    )


_store_option = click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="INFERSIGHT_STORE",
    show_envvar=True,
    help="Directory of the store, created where it is absent.  [default: ./infersight-store]",
)


@click.group(invoke_without_command=True)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    envvar="INFERSIGHT_CONFIG",
    show_envvar=True,
    help="Configuration file in the shape of the OpenTelemetry Collector's.",
)
@_store_option
@_endpoint_option("grpc", "Where to listen for OTLP/gRPC; port 0 chooses a free one.  [default: 127.0.0.1:4317]")
@_endpoint_option("http", "Where to listen for OTLP/HTTP.  [default: 127.0.0.1:4318]")
@_endpoint_option("health", "Where to serve /live, /ready, /status and /metrics.  [default: 127.0.0.1:13133]")
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the open endpoints into this file, as JSON, once telemetry is taken.",
)
@click.pass_context
@_errors_in_one_line
def collector_command(
    context: click.Context,
    *,
    config: Path | None,
    store: Path | None,
    grpc_endpoint: Endpoint | None,
    http_endpoint: Endpoint | None,
    health_endpoint: Endpoint | None,
    ready_file: Path | None,
) -> None:
    """Take OTLP from anyone and keep it durably: gRPC on 4317, HTTP on 4318.

    What is acknowledged is safe on disk and queryable about a second later. Stop it with Ctrl-C or SIGTERM: it
    stores what it has acknowledged and ends.
    """
    if context.invoked_subcommand is not None:
        return
    keep_memory()
    from infersight_collector.collector import Collector
    from infersight_collector.pipeline import KINDS, build
    from infersight_collector.precautions import precautions

    overrides = Overrides(store, grpc_endpoint, http_endpoint, health_endpoint)
    configuration = overrides.apply(read(config, KINDS, os.environ))
    allow_connections()
    configure_logging()
    graph = build(configuration)
    for line in precautions(configuration, config):
        _log.warning("%s", line)
    _run(Collector(graph), _directory(graph), ready_file)


def _run(collector: "Collector", store: Path, ready_file: Path | None) -> None:
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    listening = collector.start()
    for endpoint in listening:
        click.echo(f"{endpoint.what:10}{endpoint.address}")
    click.echo(f"{'store':10}{store}")
    if ready_file is not None:
        _write_ready_file(ready_file, listening, store)
    stopping.wait()
    click.echo("stopping: storing what was acknowledged")
    collector.stop()


def _write_ready_file(path: Path, listening: Sequence["Listening"], store: Path) -> None:
    """Appears whole or not at all: who waits for it may read it at once."""
    content = {"pid": os.getpid(), "store": str(store), **{part.what: part.address for part in listening}}
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(content))
    draft.replace(path)


@collector_command.command()
@click.argument("file", type=click.Path(path_type=Path))
@_errors_in_one_line
def validate(file: Path) -> None:
    """Check a configuration file without starting anything, and show what would run.

    What works but is not safe, or not used, is a warning on stderr.
    """
    from infersight_collector.outline import outline
    from infersight_collector.pipeline import KINDS, build
    from infersight_collector.precautions import precautions

    configuration = read(file, KINDS, os.environ)
    graph = build(configuration)
    click.echo(f"{file} is valid")
    for line in outline(configuration, graph):
        click.echo(f"  {line}")
    for line in precautions(configuration, file):
        click.echo(f"warning: {line}", err=True)


@collector_command.command()
@_endpoint_option("health", "Health endpoint of the collector.  [default: 127.0.0.1:13133]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    help="Form of the output.  [default: table on a terminal, json when piped]",
)
def status(health_endpoint: Endpoint | None, form: str | None) -> None:
    """Ask a running collector what it does; exit code 0 when it takes telemetry, 1 when it does not.

    Shows its rates over a second, what waits in the log and for how long, and why an exporter fails.
    """
    try:
        state = observe(health_endpoint or HEALTH_ENDPOINT)
    except NoAnswer as error:
        click.echo(f"infersight: {error}", err=True)
        sys.exit(1)
    as_table = form == "table" or (form is None and sys.stdout.isatty())
    click.echo(table(state) if as_table else json.dumps(state))
    sys.exit(0 if state["ready"] else 1)


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@_store_option
@click.option(
    "--signal",
    "only",
    type=click.Choice([*Signal]),
    help="What protobuf files carry, where their content leaves it open.",
)
@_errors_in_one_line
def import_command(files: tuple[Path, ...], store: Path | None, only: Signal | None) -> None:
    """Put OTLP files into a store: JSON lines, length-delimited protobuf or bare requests, each also gzipped.

    Of directories, all *.pb, *.json, *.jsonl and *.gz files below them are taken. A collector may run on the same
    store meanwhile. What was read before a damage or an interruption is kept.
    """
    keep_memory()
    from infersight_collector.importing import Importer, find_files
    from infersight_collector.pipeline import KINDS, build

    configure_logging()
    configuration = Overrides(store).apply(read(None, KINDS, os.environ))
    graph = build(configuration)
    importer = Importer(graph, only, _show_progress)
    signal.signal(signal.SIGINT, lambda _signal, _frame: importer.interrupt())
    imported = importer.run(find_files(files))
    for problem in imported.problems:
        click.echo(f"infersight: {problem}", err=True)
    click.echo(f"imported {_counts(imported)} into {_directory(graph)}")
    if imported.interrupted:
        sys.exit(130)
    sys.exit(2 if imported.problems else 0)


def _show_progress(imported: "Imported") -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{_counts(imported)}", err=True, nl=False)


def _counts(imported: "Imported") -> str:
    names = {Signal.TRACES: "span", Signal.LOGS: "log record", Signal.METRICS: "data point"}
    counts = [_count(imported.records[signal], name) for signal, name in names.items() if imported.records[signal]]
    return f"{', '.join(counts) or 'nothing'} of {_count(imported.files, 'file')}"


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def _directory(graph: "Graph") -> Path:
    """Where what arrives is kept."""
    return graph.log.path.absolute()
