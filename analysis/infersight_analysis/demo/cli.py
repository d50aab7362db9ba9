"""`infersight demo`: run the whole path once and show what the store says about it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from infersight_analysis.demo.client import send, workload
from infersight_analysis.demo.processes import DemoError, Program, profile_service, running

PER_SECOND: Final = 16.0
WORKERS: Final = 2

FAULTS: Final = (
    "large HTML takes long to clean",
    "requests run in batches, padded to the longest text: a long one makes the others wait",
    "a blocking call stops the event loop for everyone",
    "the model raises on emoji, for all of the batch",
)
"""What a reader can look for; each is a bug of the server or its model."""


@click.command(name="demo")
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("infersight-demo"),
    show_default=True,
    help="Where the store and the processes' logs go; each run gets a store of its own.",
)
@click.option("--requests", default=400, show_default=True, type=click.IntRange(50), help="Requests to send.")
def demo_command(directory: Path, requests: int) -> None:
    """Run a model server with four real faults, and explain them from its telemetry.

    Starts a collector and a FastAPI server with a torch model in two worker processes, sends real requests, and
    shows the slowest of them, why one was slow, and the errors. The store is left for you to look around in.
    """
    console = Console()
    store = _new_store(directory)
    try:
        _record(console, directory, store, requests)
    except DemoError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        console.print(f"\nStopped. What the collector had acknowledged is in {store}.")
        raise
    _explain(console, store)


def _new_store(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    number = 1
    while (store := directory / f"store-{number}").exists():
        number += 1
    return store


def _record(console: Console, directory: Path, store: Path, count: int) -> None:
    """Run the three processes and the load; returns when everything is in the store."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "INFERSIGHT_"))}
    with profile_service() as profile_url:
        console.print("[bold]1[/] collector        OTLP in, a durable store out")
        with running(_collector(directory, store, inherited)) as endpoint:
            environment = inherited | {
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{endpoint}",
                "OTEL_METRIC_EXPORT_INTERVAL": "1000",
                "INFERSIGHT_DEMO_PROFILE_URL": profile_url,
            }
            console.print("[bold]2[/] model server     FastAPI + torch, two worker processes, instrumented")
            with running(_server(directory, environment)) as port:
                _send_load(console, count, int(port))
    console.print(f"[bold]4[/] stopped both; everything below comes from the store alone: [cyan]{store}[/]\n")


def _collector(directory: Path, store: Path, environment: Mapping[str, str]) -> Program:
    """The collector on free ports; says where it takes OTLP over gRPC."""
    ready_file = directory / f"{store.name}-collector.json"
    arguments = ["infersight_collector", "--store", str(store), "--ready-file", str(ready_file)]
    for endpoint in ("grpc", "http", "health"):
        arguments += [f"--{endpoint}-endpoint", "127.0.0.1:0"]

    def ready() -> str | None:
        return str(json.loads(ready_file.read_text())["OTLP/gRPC"]) if ready_file.exists() else None

    return Program("collector", arguments, environment, directory / "collector.log", ready)


def _server(directory: Path, environment: Mapping[str, str]) -> Program:
    """The model server on a free port; says which."""
    log = directory / "server.log"
    application = ["infersight_analysis.demo.server:app", "--workers", str(WORKERS), "--port", "0"]
    application += ["--timeout-keep-alive", "60", "--loop", "asyncio"]  # the same loop whatever is installed

    def ready() -> str | None:
        said = log.read_text()
        port = re.search(r"running on http://127\.0\.0\.1:(\d+)", said)
        started = said.count("Application startup complete")
        return port[1] if port is not None and started == WORKERS else None

    return Program("model server", ["uvicorn", *application], environment, log, ready)


def _send_load(console: Console, count: int, port: int) -> None:
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(TextColumn("[bold]3[/] requests        "), *columns, console=console) as progress:
        task = progress.add_task("", total=count)
        answers = send(workload(count), port, PER_SECOND, lambda: progress.advance(task))
    said = ", ".join(f"{answers[status]} x HTTP {status}" for status in sorted(answers))
    console.print(f"  answers          {said}")
    for number, fault in enumerate(FAULTS):
        console.print(f"  {'' if number else 'faults in there':16} {fault}")


def _explain(console: Console, store: Path) -> None:
    command = _command()
    where = ["--store", str(store)]
    requests = _slow_requests(where)
    _show(console, command, "slow", "--route", "/predict", *where, "--limit", "8")
    _show(console, command, "investigate", requests[0]["trace_id"], *where)
    _show(console, command, "errors", *where)
    console.rule("[bold]Try next", align="left")
    for request in _one_of_each_kind(requests)[1:]:
        _say(console, f"{command} investigate {request['trace_id']} --store {store}  # mostly {request['top']}")
    example = "select service_instance_id, count(*) as spans from spans group by 1"
    _say(console, f'{command} sql "{example}" --store {store}')
    _say(console, f"{command} --help")


def _one_of_each_kind(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The slowest request of each thing that most of the time went to, slowest first."""
    kinds: dict[str, dict[str, Any]] = {}
    for request in requests:
        kinds.setdefault(request["top"], request)
    return list(kinds.values())


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)


def _command() -> str:
    """The command as the reader would type it, from where they are."""
    path = Path(sys.argv[0])
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "infersight_analysis", *arguments]
    result = subprocess.run(command, check=False, text=True, **options)  # noqa: S603 - our own arguments
    if result.returncode not in (0, 1):
        raise click.ClickException(f"infersight {' '.join(arguments)} failed with exit code {result.returncode}")
    return result


def _slow_requests(where: list[str]) -> list[dict[str, Any]]:
    result = _run("slow", "--route", "/predict", *where, "--limit", "60", "--format", "json", stdout=subprocess.PIPE)
    requests: list[dict[str, Any]] = json.loads(result.stdout)["requests"]
    if not requests:
        raise click.ClickException("the store holds no requests: see the logs beside it")
    return requests


def _show(console: Console, command: str, *arguments: str) -> None:
    console.print(f"[bold green]$[/] {command} {' '.join(arguments)}", soft_wrap=True, highlight=False)
    _run(*arguments, "--format", "table")
    console.print()
