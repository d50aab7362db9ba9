"""Finding the doctor's test telemetry in a store, through the `infersight sql` command where that is installed."""

import json
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

_SECONDS: Final = 10.0
"""A store shows what its collector took within about two seconds."""

_QUERY: Final = """
    select (select count(*) from spans where trace_id = '{trace}') as spans,
           (select count(*) from logs where trace_id = '{trace}') as logs,
           (select count(*) from exemplars where trace_id = '{trace}') as exemplars
"""


class Probe(NamedTuple):
    """What was sent: one span, one log record and one metric with an exemplar, of this trace."""

    trace_id: str


def find_in_store(store: Path, probe: Probe) -> tuple[Literal["ok", "note", "failed"], str]:
    """Look until all of it is there.

    Returns:
        The status, and a line for people.
    """
    if find_spec("duckdb") is None:
        return "note", "not looked at: pip install 'infersight[analysis]'"
    deadline = time.monotonic() + _SECONDS
    while True:
        found, problem = _count(store, probe)
        missing = [name for name, count in found.items() if not count]
        if found and not missing:
            return "ok", f"trace {probe.trace_id} is in {store}, with its log record and metric"
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)  # between two looks at what another process writes
    if problem:
        return "failed", f"{store} cannot be read: {problem}"
    return "failed", f"{', '.join(missing)} of trace {probe.trace_id} are not in {store}: is it this collector's store?"


def _count(store: Path, probe: Probe) -> tuple[dict[str, Any], str]:
    """Records of the trace by view, and what went wrong."""
    query = _QUERY.format(trace=probe.trace_id)
    command = [sys.executable, "-m", "infersight_analysis", "sql", query, "--store", str(store), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode != 0:
        return {}, done.stderr.strip()
    return json.loads(done.stdout)[0], ""
