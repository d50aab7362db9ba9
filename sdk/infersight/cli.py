"""The commands of the SDK: `infersight run`; `infersight doctor` is in `doctor`."""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import click

from infersight._errors import MissingExtraError

_DISTRIBUTION = {"OTEL_PYTHON_DISTRO": "infersight", "OTEL_PYTHON_CONFIGURATOR": "infersight"}
"""Ours, also where others are installed."""


@click.command(
    "run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}, no_args_is_help=True
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run_command(command: tuple[str, ...]) -> NoReturn:
    """Run a server with its telemetry on, without a change to its code: infersight run -- uvicorn app:app.

    FastAPI applications, logging, database and HTTP clients and threads are observed in every process that the
    command starts. Options are set by INFERSIGHT_* and OTEL_* variables. The command takes the place of this process.
    """
    hook = _startup_hook()
    executable = shutil.which(command[0])
    if executable is None:
        raise click.ClickException(f"no such command: {command[0]}")
    paths = [hook, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    environment = {**os.environ, **_DISTRIBUTION, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
    sys.stdout.flush()
    os.execve(executable, [executable, *command[1:]], environment)  # noqa: S606 - the command is the user's own


def _startup_hook() -> str:
    """The folder whose `sitecustomize` starts OpenTelemetry in each Python process that has it in PYTHONPATH."""
    try:
        found = find_spec("opentelemetry.instrumentation.auto_instrumentation")
    except ModuleNotFoundError:
        found = None
    if found is None or found.origin is None:
        raise click.ClickException(str(MissingExtraError("infersight run", "fastapi")))
    return str(Path(found.origin).parent)
