"""Makes a store of an earlier version one of the present version.

From 1 to 2: rows stay as they are, for readers cope with both (`redundancy`); what is missing is the summaries of
traces. At once the files of spans are listed (`unsummarised`) and the version is set, which takes no longer for
terabytes. From then on every write brings its summaries; those of the listed files follow in the background.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import errno
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from infersight_collector.store import directory, unsummarised
from infersight_collector.store.damage import damage, footer_damage
from infersight_collector.store.errors import StoreError, StoreUnavailable, unavailable
from infersight_collector.store.files import SORTED, write_file
from infersight_collector.store.layout import SCHEMA_VERSION
from infersight_collector.store.live import File, live_files
from infersight_collector.store.locks import locked
from infersight_collector.store.merge import row_groups
from infersight_collector.store.order import in_order
from infersight_collector.store.schema import STORED
from infersight_collector.store.summaries import merged, span_columns, summarise
from infersight_collector.store.tables import Conflict, Table
from infersight_collector.store.wal import Origin, live_writers, sync_directory

if TYPE_CHECKING:
    from deltalake.transaction import AddAction

_log = logging.getLogger(__name__)

TOGETHER: Final = 500_000
"""Spans of small files that are summarised together; a larger file is read in pieces of half as many."""


class Progress(NamedTuple):
    """How far the summaries of an earlier version's spans have come: files of the list, and what went wrong."""

    done: int
    files: int
    problems: Sequence[str] = ()


def begin(store: Path) -> None:
    """Gives a store of an earlier version the present one; no other process may use it with the earlier release.

    Raises:
        NotAStore: there is no store.
        StoreTooNew: a later release wrote it.
        StoreError: an earlier release still writes to it.
        StoreUnavailable: the directory cannot be written.
    """
    if directory.check(store) == SCHEMA_VERSION:
        return
    with locked(store / f"{directory.VERSION_FILE}.lock"):
        before = directory.check(store)
        if before == SCHEMA_VERSION:
            return
        if live_writers(store):
            raise StoreError(f"a collector of an earlier release still writes to {store}: stop it first")
        try:
            paths = _newest_first(store / "spans")
            directory.write(store, unsummarised.LIST, json.dumps(paths))
            directory.set_version(store)
        except (OSError, DeltaError) as error:
            raise unavailable(f"upgrade {store}", error) from error
    _log.info(
        "%s: upgraded from version %d to %d; the traces of %d files are summed up in the background",
        store,
        before,
        SCHEMA_VERSION,
        len(paths),
    )


def advance(store: Path) -> Iterator[Progress]:
    """Summarises the listed files, newest first, and yields after each commit.

    Whoever stops asking for the next one loses nothing. Only who maintains the store alone may call it.

    Raises:
        StoreUnavailable: not now.
        OSError: a file cannot be read now.
    """
    paths = unsummarised.listed(store)
    if not paths:
        return
    spans, traces = Table(store, "spans"), Table(store, "traces")
    done = unsummarised.followed(traces.delta)
    while done < len(paths):
        # Looked at anew each time: what retention has dropped meanwhile must not come back.
        spans.refresh()
        group = _next(paths[done:], live_files(spans.delta))
        done += group.length
        problems = _summarise(spans, traces, group.files, Origin(unsummarised.WRITER, done))
        yield Progress(done, len(paths), problems)
    (store / unsummarised.LIST).unlink()
    sync_directory(store)
    _log.info("%s: the traces of all files are summed up, the upgrade is complete", store)


class _Group(NamedTuple):
    """Files that are summarised together, and the number of listed ones that are done with when they are."""

    files: Sequence[File]
    length: int


def _next(paths: Sequence[str], live: Mapping[str, File]) -> _Group:
    """The next files of one partition, one that is large or several small ones."""
    chosen: list[File] = []
    rows = 0
    for length, path in enumerate(paths):
        file = live.get(path)
        if file is None:  # dropped
            continue
        if chosen and (file.partition != chosen[0].partition or rows + file.rows > TOGETHER):
            return _Group(chosen, length)
        chosen.append(file)
        rows += file.rows
    return _Group(chosen, len(paths))


def _summarise(spans: Table, traces: Table, files: Sequence[File], origin: Origin) -> list[str]:
    """Writes the summaries of files and commits them; what cannot be read of the files, now or later."""
    # Arrow may end the process over a damaged footer.
    problems = _problems(spans, files, footer_damage)
    try:
        added = _write(spans, traces, [file for file in files if file not in problems])
    except (StoreUnavailable, OSError, pa.ArrowException) as error:
        worse = _problems(spans, files, damage)
        if worse.keys() <= problems.keys() or _is_passing(error):
            raise
        problems |= worse
        added = _write(spans, traces, [file for file in files if file not in problems])
    while True:
        try:
            traces.commit(added, origin)
        except Conflict:
            traces.refresh()
        else:
            return list(problems.values())


def _problems(spans: Table, files: Sequence[File], examine: Callable[[Path, int], str | None]) -> dict[File, str]:
    found = {file: examine(spans.path / file.path, file.size) for file in files}
    return {file: f"{spans.path / file.path} has no summaries: {said}" for file, said in found.items() if said}


def _is_passing(error: BaseException) -> bool:
    """Whether the system could not do it at the moment, while nothing is wrong with the file."""
    cause = error.__cause__ if isinstance(error, StoreUnavailable) else error
    return isinstance(cause, OSError) and cause.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def _write(spans: Table, traces: Table, files: Sequence[File]) -> "list[AddAction]":
    """Writes the summaries of one large or several small files of a partition, if any."""
    if not files:
        return []
    paths = [spans.path / file.path for file in files]
    if len(files) == 1 and not files[0].is_new:
        # Sorted by trace, as the summaries will be.
        parts = row_groups(merged(summarise(rows) for rows in _pieces(paths[0])))
    else:
        rows = pa.concat_tables([rows for path in paths for rows in _pieces(path)], promote_options="permissive")
        parts = iter([in_order(summarise(rows), "traces")])
    added = write_file(traces.path, files[0].partition, SORTED, STORED["traces"], parts)
    return [replace(added, modification_time=max(file.modified_ms for file in files))]


def _pieces(path: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        columns = span_columns(file.schema_arrow.names)
        for batch in file.iter_batches(batch_size=TOGETHER // 2, columns=columns):
            yield pa.Table.from_batches([batch])


def _newest_first(spans: Path) -> list[str]:
    if not DeltaTable.is_deltatable(str(spans)):
        return []
    files = live_files(DeltaTable(str(spans))).values()
    return [file.path for file in sorted(files, key=lambda file: (file.partition, file.path), reverse=True)]
