"""The logs of incidents: what was done about each, one line of JSON an event, only ever added to.

An event carries the digest of the one before and its own, so that a line which was changed, taken out or moved later
shows. That is evidence against mistakes and afterthoughts, not against somebody who computes all digests anew; whoever
needs that keeps the last digest (`infersight incident show` has it) somewhere else.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.options import Window
from infersight_analysis.results import Json
from infersight_analysis.times import SECOND_NS, iso_time
from infersight_collector.store import directory
from infersight_collector.store.locks import locked
from infersight_collector.store.wal import sync_directory

DIRECTORY: Final = "incidents"
SEVERITIES: Final = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
"""The gravest first."""

OPENED: Final = "opened"
LOG: Final = "log.jsonl"
_LOCK: Final = "lock"
_ID: Final = re.compile(r"INC-\d{4}-(\d{3,})")
_BEGIN: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that was done about an incident.

    Args:
        sequence: its place, from 0.
        time_ns: when it was recorded, nanoseconds since the epoch.
        actor: who did it, a person or a program.
        kind: what it is: `opened`, `note`, `evidence`, `hypothesis`, ...
        payload: what belongs to it, by its kind.
        previous: digest of the event before; zeros for the first.
        digest: SHA-256 of all the others, as JSON with sorted keys.
    """

    sequence: int
    time_ns: int
    actor: str
    kind: str
    payload: Mapping[str, Json]
    previous: str = _BEGIN
    digest: str = ""

    def sealed(self) -> "Event":
        """The same with its digest."""
        said = {key: value for key, value in asdict(self).items() if key != "digest"}
        text = json.dumps(said, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return replace(self, digest=hashlib.sha256(text.encode()).hexdigest())


class Writer:
    """The log of one incident, held by nobody else meanwhile; from `IncidentLog.writing`.

    Args:
        path: of the log.
        events: what is in it.
        clock: gives the time, nanoseconds since the epoch.
    """

    def __init__(self, path: Path, events: Sequence[Event], clock: Callable[[], int]) -> None:
        self._path: Final = path
        self._clock: Final = clock
        self.events: Final[list[Event]] = list(events)

    def append(self, kind: str, payload: Mapping[str, Json], actor: str) -> Event:
        """Add an event; when it returns, the event is on the disk.

        Args:
            kind: what it is.
            payload: what belongs to it.
            actor: who did it.

        Raises:
            AnalysisError: the payload is no JSON, or the log cannot be written.
        """
        last = self.events[-1] if self.events else None
        event = Event(
            sequence=last.sequence + 1 if last else 0,
            time_ns=self._clock(),
            actor=actor,
            kind=kind,
            payload=dict(payload),
            previous=last.digest if last else _BEGIN,
        )
        try:
            event = event.sealed()
            _write(self._path, event)
        except (TypeError, ValueError) as error:
            raise AnalysisError(f"{kind} cannot be recorded: {error}") from error
        except OSError as error:
            raise AnalysisError(f"cannot write {self._path}: {error.strerror or error}") from error
        self.events.append(event)
        return event


class IncidentLog:
    """The logs of all incidents of a store.

    Args:
        store: directory of the store.
        clock: gives the time, nanoseconds since the epoch.
    """

    def __init__(self, store: Path, *, clock: Callable[[], int] = time.time_ns) -> None:
        self.store: Final = store
        self._clock: Final = clock

    def open(self, title: str, severity: str, description: str, window: Window, actor: str) -> str:
        """Begin the log of a new incident.

        Args:
            title: one line.
            severity: one of `SEVERITIES`.
            description: what is known.
            window: when it happened, as far as is known.
            actor: who opens it.

        Returns:
            Its id, such as `INC-2026-001`, a number of its year.

        Raises:
            AnalysisError: the severity is none, or it cannot be written.
            NotAStore: there is no store.
        """
        if severity not in SEVERITIES:
            raise AnalysisError(f"no severity {severity!r}: there are {', '.join(SEVERITIES)}")
        if not title.strip():
            raise AnalysisError("give the incident a title: one line that says what is wrong")
        directory.check(self.store)
        payload = {
            "title": title.strip(),
            "severity": severity,
            "description": description,
            "start": None if window.start_ns is None else iso_time(window.start_ns),
            "end": None if window.end_ns is None else iso_time(window.end_ns),
        }
        root = self.store / DIRECTORY
        year = datetime.fromtimestamp(self._clock() // SECOND_NS, UTC).year
        try:
            root.mkdir(mode=0o700, exist_ok=True)
            with locked(root / _LOCK):  # two that are opened at once get two numbers
                incident_id = f"INC-{year}-{self._next_number(year):03d}"
                draft = root / f".{incident_id}.{os.getpid()}"
                draft.mkdir(mode=0o700, exist_ok=True)
                (draft / LOG).unlink(missing_ok=True)  # of one that was killed here and had the same process id
                Writer(draft / LOG, [], self._clock).append(OPENED, payload, actor)
                sync_directory(draft)
                draft.rename(root / incident_id)
                sync_directory(root)
        except OSError as error:
            raise AnalysisError(f"cannot write {root}: {error.strerror or error}") from error
        return incident_id

    def append(self, incident_id: str, kind: str, payload: Mapping[str, Json], actor: str) -> Event:
        """Add an event to an incident, see `Writer.append`; what is allowed when is not decided here."""
        with self.writing(incident_id) as writer:
            return writer.append(kind, payload, actor)

    @contextmanager
    def writing(self, incident_id: str) -> Generator[Writer]:
        """Keeps everybody else from adding to the log: what is read now is still true when something is added.

        Raises:
            AnalysisError: there is no such incident.
        """
        path = self.path(incident_id)
        with locked(path / _LOCK):
            _drop_torn(path / LOG)
            yield Writer(path / LOG, _parsed(path / LOG)[0], self._clock)

    def read(self, incident_id: str) -> list[Event]:
        """The events of an incident, in their order; without what a crash left half-written.

        Raises:
            AnalysisError: there is no such incident.
        """
        return _parsed(self.path(incident_id) / LOG)[0]

    def problems(self, incident_id: str) -> list[str]:
        """What is wrong with the log, a line each: lines that are no events, and digests that do not fit."""
        events, problems = _parsed(self.path(incident_id) / LOG)
        previous = _BEGIN
        for place, event in enumerate(events):
            if event.previous != previous or event.sequence != place:
                problems.append(f"event {event.sequence} does not follow the one before it: something was changed")
            if event.sealed().digest != event.digest:
                problems.append(f"event {event.sequence} is not what was recorded: it was changed")
            previous = event.digest
        return problems

    def ids(self) -> list[str]:
        """All incidents of the store, the oldest first."""
        directory.check(self.store)
        root = self.store / DIRECTORY
        found = [path.name for path in root.iterdir() if _ID.fullmatch(path.name)] if root.is_dir() else []
        return sorted(found, key=lambda name: (name[:8], int(name[9:])))

    def path(self, incident_id: str) -> Path:
        """The directory of an incident.

        Args:
            incident_id: in capitals or not.

        Raises:
            AnalysisError: there is no such incident.
        """
        name = incident_id.upper()
        path = self.store / DIRECTORY / name
        if not _ID.fullmatch(name) or not (path / LOG).is_file():
            known = self.ids()
            others = f"there are {', '.join(known[-5:])}" if known else "open one with `infersight incident open`"
            raise AnalysisError(f"no incident {incident_id!r} in {self.store}: {others}")
        return path

    def _next_number(self, year: int) -> int:
        return 1 + max((int(name[9:]) for name in self.ids() if name.startswith(f"INC-{year}-")), default=0)


def _write(path: Path, event: Event) -> None:
    """One line in one write, synced, so that a crash leaves a whole line or a torn last one."""
    line = json.dumps(asdict(event), ensure_ascii=False, allow_nan=False) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        rest = memoryview(line.encode())
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _drop_torn(path: Path) -> None:
    """Takes away a last line without an end: its writer was killed, and never said that it was recorded."""
    content = path.read_bytes()
    if not content.endswith(b"\n"):
        os.truncate(path, content.rfind(b"\n") + 1)


def _parsed(path: Path) -> tuple[list[Event], list[str]]:
    events: list[Event] = []
    problems: list[str] = []
    *lines, _ = path.read_bytes().split(b"\n")  # the last is empty, or torn
    for number, line in enumerate(lines, 1):
        try:
            said: dict[str, Any] = json.loads(line)
            events.append(Event(**said))
        except (ValueError, TypeError) as error:
            problems.append(f"line {number} of {path} is no event: {error}")
    return events, problems
