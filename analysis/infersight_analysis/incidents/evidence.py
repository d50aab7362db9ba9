"""Evidence: what was found, copied into the incident with its digest, and pinned in the store."""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from infersight_analysis.errors import AnalysisError
from infersight_analysis.incidents.state import EVIDENCE, State
from infersight_analysis.mistakes import explained
from infersight_analysis.options import Window
from infersight_analysis.profiles import records
from infersight_analysis.profiles.showing import shown
from infersight_analysis.profiles.stacks import fold
from infersight_analysis.results import Json, run
from infersight_analysis.session import opened
from infersight_analysis.statements import read_only
from infersight_collector.store.pins import pin
from infersight_collector.store.wal import sync_directory, sync_file

DIRECTORY: Final = "evidence"
MOST_ROWS: Final = 10_000
"""Rows of a query that are kept."""

VERBS: Final = (
    "slow", "investigate", "compare", "critical-path", "trace-diff", "anomalies", "errors", "rootcause", "anomaly",
    "bursts", "deployments", "sql", "abtest", "model", "queries", "rollback check",
)  # fmt: skip
"""The verbs that find something and change nothing."""

_WRONG_USE: Final = 2
_MOST_TRACES: Final = 1_000
_TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")
_TRACE_KEYS: Final = frozenset({"trace_id", "trace_ids", "examples"})


@dataclass(frozen=True)
class Exhibit:
    """A piece of evidence.

    Args:
        type: `verb`, `sql`, `file`, `profile`, `finding` or `command`.
        about: what it is, in a line; what was asked, where it is an answer.
        content: the thing itself.
        suffix: of its file's name.
        trace_ids: the traces that it is about.
        exit_code: of what answered it, None where nothing ran.
        profile: id of the profile of the store that it is.
    """

    type: str
    about: str
    content: bytes
    suffix: str = ".json"
    trace_ids: Sequence[str] = ()
    exit_code: int | None = None
    profile: str | None = None


def of_verb(store: Path, command: str) -> Exhibit:
    """What a verb finds, as JSON.

    Args:
        store: directory of the store.
        command: the verb with its options, as in `errors --last 1h`.

    Raises:
        AnalysisError: it is no verb that only finds something, or it was used wrongly.
    """
    arguments = shlex.split(command.removeprefix("infersight "))
    if not {" ".join(arguments[:words]) for words in (1, 2)} & set(VERBS):
        raise AnalysisError(f"{command!r} is no verb that finds something: there are {', '.join(VERBS)}")
    program = [sys.executable, "-m", "infersight_analysis", *arguments]
    environment = os.environ | {"INFERSIGHT_STORE": str(store.resolve())}
    done = subprocess.run(program, env=environment, capture_output=True, check=False)  # noqa: S603 - arguments, no shell
    if done.returncode == _WRONG_USE or not done.stdout.strip():
        said = " ".join(done.stderr.decode("utf-8", "replace").split())
        raise AnalysisError(f"infersight {shlex.join(arguments)}: {said or 'it answered nothing'}")
    return Exhibit(
        "verb",
        f"infersight {shlex.join(arguments)}",
        done.stdout,
        trace_ids=traces_in(done.stdout),
        exit_code=done.returncode,
    )


def of_sql(store: Path, sql: str) -> tuple[Exhibit, list[tuple[Json, ...]]]:
    """What a query answers, with the query; and its rows.

    Args:
        store: directory of the store.
        sql: one SELECT.

    Raises:
        AnalysisError: the query is wrong.
    """
    with opened(store) as connection:
        try:
            result = run(connection, read_only(connection, sql))
            rows = [row for row, _ in zip(result.rows, range(MOST_ROWS + 1), strict=False)]
        except duckdb.Error as error:
            raise explained(connection, sql, error) from error
    kept = {
        "sql": sql,
        "rows": [dict(zip(result.columns, row, strict=True)) for row in rows[:MOST_ROWS]],
        "more": len(rows) > MOST_ROWS,
    }
    content = json.dumps(kept, ensure_ascii=False, indent=1).encode()
    return Exhibit("sql", sql, content, trace_ids=traces_in(content)), rows


def of_profile(store: Path, name: str, about: str | None = None) -> Exhibit:
    """A profile of the store: its folded stacks, and the traces that its process worked for meanwhile.

    Args:
        store: directory of the store.
        name: its id, see `records.find`; or a file of another profiler, taken as it is.
        about: what it is; what was profiled by default.

    Raises:
        AnalysisError: there is none, or it cannot be read.
    """
    if (path := Path(name)).is_file():
        return of_file(path, "profile", about)
    profile = records.find(store, name)
    stacks = records.stacks_of(store, profile)
    return Exhibit(
        "profile",
        about or f"{profile.id}: {profile.service or profile.command}",
        fold(stacks).encode(),
        ".folded",
        shown(store, profile, stacks).evidence.trace_ids,
        profile=profile.id,
    )


def of_file(path: Path, kind: str = "file", about: str | None = None) -> Exhibit:
    """A file.

    Args:
        path: where it is.
        kind: `file` or `profile`.
        about: what it is; its name by default.

    Raises:
        AnalysisError: it cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AnalysisError(f"cannot read {path}: {error.strerror or error}") from error
    return Exhibit(kind, about or path.name, content, "".join(path.suffixes[-2:]), traces_in(content))


def of_finding(text: str, about: str) -> Exhibit:
    """A finding of a verb that was printed before.

    Raises:
        AnalysisError: it is no JSON.
    """
    try:
        json.loads(text)
    except ValueError as error:
        raise AnalysisError(f"{about} is no finding in JSON: print it with --format json ({error})") from error
    content = text.encode()
    return Exhibit("finding", about, content, trace_ids=traces_in(content))


def traces_in(content: bytes) -> list[str]:
    """The ids of traces that a finding names, in their order; none where it is no JSON."""
    try:
        document = json.loads(content)
    except ValueError:
        return []
    return list(dict.fromkeys(_traces(document)))[:_MOST_TRACES]


def _traces(value: Json, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        members: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType] - of JSON
        for name, member in members.items():
            yield from _traces(member, name)
    elif isinstance(value, list):
        elements: list[Any] = value  # pyright: ignore[reportUnknownVariableType] - of JSON
        for element in elements:
            yield from _traces(element, key)
    elif isinstance(value, str) and key in _TRACE_KEYS and _TRACE_ID.fullmatch(value):
        yield value


def keep(incident: Path, exhibit: Exhibit) -> dict[str, Json]:
    """Copy evidence into an incident, under its digest; what is there already stays.

    Args:
        incident: directory of the incident.
        exhibit: the evidence.

    Returns:
        The payload of the event that says so.

    Raises:
        AnalysisError: it cannot be written.
    """
    digest = hashlib.sha256(exhibit.content).hexdigest()
    path = incident / DIRECTORY / f"{digest}{exhibit.suffix}"
    write_file(path, exhibit.content)
    return {
        "type": exhibit.type,
        "about": exhibit.about,
        "file": f"{DIRECTORY}/{path.name}",
        "sha256": digest,
        "bytes": len(exhibit.content),
        "trace_ids": list(exhibit.trace_ids),
        "exit_code": exhibit.exit_code,
    }


def write_file(path: Path, content: bytes) -> None:
    """Write a file of an incident, which nobody else may read, whole or not at all.

    Raises:
        AnalysisError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft.touch(mode=0o600)
        draft.write_bytes(content)
        sync_file(draft)
        draft.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        raise AnalysisError(f"cannot write {path}: {error.strerror or error}") from error


def problems(incident: Path, state: State) -> list[str]:
    """What is wrong with the evidence of an incident: a line for each piece that is missing or was changed."""
    found: list[str] = []
    for event in state.of(EVIDENCE):
        path = incident / event.payload["file"]
        if not path.is_file():
            found.append(f"{event.payload['name']} is missing: {path}")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != event.payload["sha256"]:
            found.append(f"{event.payload['name']} is not what was kept, it was changed: {path}")
    return found


def pin_window(store: Path, name: str, reason: str, window: Window) -> None:
    """Keep what was recorded in the window of an incident from all retention."""
    pin(store, name, reason=reason, start_ns=window.start_ns, end_ns=window.end_ns)


def pin_traces(store: Path, name: str, exhibit: Exhibit) -> None:
    """Keep the traces that a piece of evidence is about, and the profile that it is, from all retention."""
    profiles = [exhibit.profile] if exhibit.profile else []
    if exhibit.trace_ids or profiles:
        pin(store, name, reason=exhibit.about[:200], trace_ids=exhibit.trace_ids, profiles=profiles)
