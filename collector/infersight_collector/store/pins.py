"""Pins: rows and profiles that retention must not drop, because somebody needs them as evidence.

A pin is a file of JSON, `pins/NAME.json` in the store, so that it can be looked at and deleted without any tool.
"""

import json
import os
import re
import time
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from infersight_collector.store.errors import StoreError, unavailable
from infersight_collector.store.layout import COLUMN_TYPES, TIME_COLUMN
from infersight_collector.store.locks import locked
from infersight_collector.store.wal import sync_directory, sync_file

if TYPE_CHECKING:
    from infersight_collector.store.profiles import Stored

DIRECTORY: Final = "pins"

_HOUR_NS: Final = 3_600 * 10**9
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Pin:
    """What must stay: all rows of some hours, or those of some traces, in some hours or ever, and profiles.

    Attributes:
        name: what it is called, and its file.
        reason: why, for people.
        created_ns: when it was made, in nanoseconds since the epoch.
        start_ns: first time that matters; all of its hour stays. None is without bound.
        end_ns: first time that does not matter; all of the hour before it stays.
        trace_ids: the traces whose rows stay, 32 hex digits each; none stands for every row of the time. Metrics belong
            to no trace: to keep them, pin a time.
        tables: the tables whose rows stay; none stands for all. Spans keep the summaries of their traces, too.
        profiles: ids of profiles that stay, whatever their time. A pinned time without tables and traces keeps the
            profiles of its hours as well.
    """

    name: str
    reason: str
    created_ns: int
    start_ns: int | None = None
    end_ns: int | None = None
    trace_ids: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()

    def concerns(self, table: str, hour: int) -> bool:
        """Whether it may keep rows of a table.

        Args:
            table: name of the table.
            hour: where the rows are, in hours since the epoch.
        """
        if self.tables and table not in self.tables and not (table == "traces" and "spans" in self.tables):
            return False
        if self.trace_ids and "trace_id" not in COLUMN_TYPES[table]:
            return False
        return self._has_rows and self._is_in(hour, hour)

    def holds(self, profile: "Stored") -> bool:
        """Whether it keeps a profile."""
        if profile.id in self.profiles:
            return True
        is_of_everything = self._has_rows and not self.tables and not self.trace_ids
        return is_of_everything and self._is_in(profile.start_ns // _HOUR_NS, profile.hour)

    @property
    def _has_rows(self) -> bool:
        return bool(self.trace_ids) or self.start_ns is not None or self.end_ns is not None

    def _is_in(self, first: int, last: int) -> bool:
        """Whether its time touches one of some hours."""
        begins = self.start_ns is None or self.start_ns < (last + 1) * _HOUR_NS
        return begins and (self.end_ns is None or self.end_ns > first * _HOUR_NS)


def pin(
    store: Path,
    name: str,
    *,
    reason: str,
    start_ns: int | None = None,
    end_ns: int | None = None,
    trace_ids: Collection[str] = (),
    tables: Collection[str] = (),
    profiles: Collection[str] = (),
) -> Pin:
    """Pins rows and profiles of a store, see `Pin`; when it returns, no retention drops them.

    A pin of the same name is replaced.

    Args:
        store: directory of the store.
        name: up to 100 letters, digits, `.`, `_` and `-`.
        reason: why, for people.
        start_ns: first time that matters, in nanoseconds since the epoch.
        end_ns: first time that does not.
        trace_ids: traces whose rows stay, 32 hex digits each; all by default.
        tables: tables whose rows stay; all by default.
        profiles: ids of profiles that stay.

    Raises:
        StoreError: the pin says nothing, or something that cannot be.
        StoreUnavailable: it cannot be written.
    """
    made = Pin(
        name=name,
        reason=reason,
        created_ns=time.time_ns(),
        start_ns=start_ns,
        end_ns=end_ns,
        trace_ids=tuple(sorted({trace_id.lower() for trace_id in trace_ids})),
        tables=tuple(sorted(set(tables))),
        profiles=tuple(sorted(set(profiles))),
    )
    _check(made)
    draft = store / DIRECTORY / f".{name}.{os.getpid()}"
    with deciding(store):
        try:
            draft.write_text(json.dumps(asdict(made), indent=1) + "\n")
            sync_file(draft)
            draft.rename(store / DIRECTORY / f"{name}.json")
            sync_directory(store / DIRECTORY)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise unavailable(f"write the pin '{name}'", error) from error
    return made


def unpin(store: Path, name: str) -> None:
    """Takes a pin away: what it alone kept goes with the next retention.

    Raises:
        StoreError: there is no pin of this name.
        StoreUnavailable: it cannot be deleted.
    """
    if not _NAME.fullmatch(name):  # it would be the path of another file
        raise _no_such_pin(store, name)
    try:
        (store / DIRECTORY / f"{name}.json").unlink()
    except FileNotFoundError:
        raise _no_such_pin(store, name) from None
    except OSError as error:
        raise unavailable(f"delete the pin '{name}'", error) from error


def _no_such_pin(store: Path, name: str) -> StoreError:
    names = ", ".join(pinned.name for pinned in pins(store))
    return StoreError(f"no pin '{name}' in {store}: {f'there are {names}' if names else 'there are none'}")


def pins(store: Path) -> list[Pin]:
    """The pins of a store, by name.

    Raises:
        StoreError: one cannot be read. What it pins is then unknown, so nothing may be dropped.
    """
    return [_read(path) for path in sorted((store / DIRECTORY).glob("*.json"), key=lambda path: path.stem)]


@contextmanager
def deciding(store: Path) -> Generator[None]:
    """Keeps others from adding pins while it is decided what goes, and the other way round.

    Raises:
        StoreUnavailable: the directory cannot be written.
    """
    try:
        (store / DIRECTORY).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise unavailable(f"write to {store}", error) from error
    with locked(store / DIRECTORY / "lock"):
        yield


def _check(made: Pin) -> None:
    problem = None
    if not _NAME.fullmatch(made.name):
        problem = f"'{made.name}' is no name for a pin: use letters, digits, '.', '_' and '-'"
    elif made.start_ns is None and made.end_ns is None and not (made.trace_ids or made.profiles):
        problem = "a pin needs a time, trace ids or profiles"
    elif made.start_ns is not None and made.end_ns is not None and made.start_ns >= made.end_ns:
        problem = "a pin's start must be before its end"
    elif wrong := [text for text in made.trace_ids if not _TRACE_ID.fullmatch(text)]:
        problem = f"'{wrong[0]}' is no trace id: it has 32 hex digits"
    elif wrong := [name for name in made.tables if name not in TIME_COLUMN]:
        problem = f"no table '{wrong[0]}': there are {', '.join(TIME_COLUMN)}"
    if problem:
        raise StoreError(problem)


def _read(path: Path) -> Pin:
    try:
        said: dict[str, Any] = json.loads(path.read_text())
        start_ns, end_ns = (None if said[key] is None else int(said[key]) for key in ("start_ns", "end_ns"))
        made = Pin(
            name=path.stem,
            reason=str(said["reason"]),
            created_ns=int(said["created_ns"]),
            start_ns=start_ns,
            end_ns=end_ns,
            trace_ids=tuple(map(str, said["trace_ids"])),
            tables=tuple(map(str, said["tables"])),
            profiles=tuple(map(str, said.get("profiles", ()))),  # pins of earlier releases have none
        )
        _check(made)
    except (OSError, ValueError, TypeError, KeyError, StoreError) as error:
        raise StoreError(
            f"cannot read the pin {path}, so nothing is dropped: mend it, or delete it ({error})"
        ) from error
    return made
