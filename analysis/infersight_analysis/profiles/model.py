"""Which operators a model spends its time in, told by PyTorch's profiler."""

import json
import shutil
import socket
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from infersight._control import address, peer_of
from infersight._model_profile import profile_during
from infersight_analysis.errors import AnalysisError
from infersight_analysis.profiles.processes import Process
from infersight_analysis.profiles.recorded import Recorded


def called(name: str) -> Callable[[], object]:
    """What `MODULE:CALLABLE` names; modules of the working directory count.

    Raises:
        AnalysisError: there is no such thing, or it cannot be called.
    """
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise AnalysisError(f"{name!r} is no MODULE:CALLABLE, such as app:predict")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise AnalysisError(f"cannot find {name}: {error}") from error
    if not callable(found):
        raise AnalysisError(f"{name} is no function: it cannot be called")
    function: Callable[[], object] = found
    return function


def record(function: Callable[[], object], place: Path, *, steps: int, warmup: int) -> Recorded:
    """Call a function and see what PyTorch does meanwhile; what it prints goes to stderr.

    Args:
        function: called without arguments.
        place: directory for the profiler's file.
        steps: calls that are looked at.
        warmup: calls before these, in which kernels are chosen and caches are filled.

    Raises:
        AnalysisError: a call failed, or PyTorch is not installed.
    """
    if find_spec("torch") is None:
        raise AnalysisError("the profile of a model needs the 'torch' extra: pip install 'infersight[torch]'")
    path = place / "profile.trace.json"

    def call(times: int) -> None:
        for _ in range(times):
            function()

    try:
        with redirect_stdout(sys.stderr):
            call(warmup)
            measured = profile_during(lambda: call(steps), path)
    except Exception as error:
        raise AnalysisError(f"a call failed: {type(error).__name__}: {error}") from error
    return recorded(asdict(measured), path, f"{steps} calls after {warmup} to warm up, on {measured.device}")


def ask(process: Process, place: Path, *, duration_s: float) -> Recorded:
    """Let a process whose SDK listens profile its models, in all of its threads.

    Args:
        process: the process.
        place: directory for the profiler's file.
        duration_s: seconds.

    Raises:
        AnalysisError: it does not listen, or cannot be profiled.
    """
    path = place / "profile.trace.json"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(address(process.own_pid))
            if peer_of(connection)[0] != process.pid:
                raise AnalysisError(f"another process listens in place of {process.pid}: it was not asked")
            connection.sendall(json.dumps({"profile_model_seconds": duration_s}).encode() + b"\n")
            with connection.makefile("rb") as answer, path.open("wb") as trace:
                line = answer.readline()
                shutil.copyfileobj(answer, trace)
    except (ConnectionError, AttributeError) as error:
        raise AnalysisError(
            f"process {process.pid} does not listen: start it with INFERSIGHT_CONTROL=1, or `configure(control=True)`, "
            "and ask as its user"
        ) from error
    if not line:
        raise AnalysisError(f"process {process.pid} did not answer: ask as its user")
    head: dict[str, Any] = json.loads(line)
    if "error" in head:
        raise AnalysisError(f"process {process.pid} cannot be profiled: {head['error']}")
    return recorded(head, path, f"all threads, on {head['device']}")


def recorded(measured: dict[str, Any], path: Path, note: str) -> Recorded:
    """A profile of the SDK's, see `infersight._model_profile`."""
    stacks = {tuple(stack.split(";")): value for stack, value in measured["stacks"].items()}
    start_ns, end_ns, operators = measured["start_ns"], measured["end_ns"], measured["operators"]
    return Recorded("model", start_ns, end_ns, "us", stacks, path, ".trace.json", note=note, operators=operators)
