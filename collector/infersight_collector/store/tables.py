"""The Delta tables of a store, for writing.

There is one for each name in `schema.STORED`. The schema in a table's log is also the catalogue of its attribute keys:
each key with the one type that it has in every file. Keys are only ever added.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportUnknownLambdaType=false
# pyarrow publishes no types.

import os
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, RemoveAction

from infersight_collector.store import schema
from infersight_collector.store.errors import StoreUnavailable, unavailable
from infersight_collector.store.files import discard, statistics_columns
from infersight_collector.store.layout import PARTITIONS
from infersight_collector.store.live import File, live_files
from infersight_collector.store.wal import Origin, sync_directory, sync_file

CHECKPOINT_EVERY: Final = 20
"""Commits between checkpoints. Opening and committing take 0.3 ms more for each commit since the last one."""

# A log entry is of use to a reader that opens the table in this moment, a removed file to a query that still runs.
_GRACE: Final = "interval 1 hours"
_ATTEMPTS: Final = 10
_NO_HOOKS: Final = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)


class Conflict(Exception):  # noqa: N818 - it is an outcome to act on, not a failure
    """Another writer committed first; look at the table again."""


class Table:
    """One Delta table of a store, for writing; used by one thread at a time.

    Args:
        store: directory of the store.
        name: name of the table, a key of `schema.STORED`.
    """

    def __init__(self, store: Path, name: str) -> None:
        self.name: Final = name
        self.path: Final = store / name
        self._schema: pa.Schema
        with _outcome(f"open {self.path}"):
            if not DeltaTable.is_deltatable(str(self.path)):
                self._create()
            self._open()

    @property
    def schema(self) -> pa.Schema:
        """The columns of the table with all attribute keys, partition columns included."""
        return self._schema

    @property
    def delta(self) -> DeltaTable:
        """The table as of the last `refresh` or `commit`."""
        return self._delta

    def refresh(self) -> None:
        """Looks at the newest version of the table."""
        with _outcome(f"read {self.path}"):
            try:
                self._delta.update_incremental()
            except DeltaError:
                # After a long time without a look, entries that lead to the newest version may have been cleaned away.
                self._open()
            else:
                self._schema = pa.schema(self._delta.schema())

    def has(self, origin: Origin) -> bool:
        """Whether the rows of this origin, or of a later one of the same writer, are in the table."""
        with _outcome(f"read {self.path}"):
            try:
                number = self._delta.transaction_version(origin.writer)
            except DeltaError:  # it reads the log, see `refresh`
                self._open()
                number = self._delta.transaction_version(origin.writer)
        return number is not None and number >= origin.number

    def evolve(self, wanted: pa.Schema) -> None:
        """Adds columns and attribute keys that the table does not have yet.

        Raises:
            Conflict: another writer was first; its keys may have other types.
        """
        merged = pa.unify_schemas([self._schema, wanted], promote_options="permissive")
        if merged.equals(self._schema):
            return
        with _outcome(f"add columns to {self.path}"):
            before = self._delta.version()
            write_deltalake(
                self._delta,
                merged.empty_table(),
                mode="append",
                schema_mode="merge",
                post_commithook_properties=_NO_HOOKS,
            )
            self._settle(before)

    def commit(self, actions: Sequence[AddAction | RemoveAction], origin: Origin | None = None) -> None:
        """Makes added and removed files visible at once and returns when the entry is durable.

        Args:
            actions: files below the table's directory.
            origin: where the added rows come from; a later `has` finds it.

        Raises:
            Conflict: another writer changed what this commit builds on.
            StoreUnavailable: the entry could not be written.
        """
        transactions = [Transaction(origin.writer, origin.number)] if origin else None
        with _outcome(f"commit to {self.path}"):
            before = self._delta.version()
            self._delta.create_write_transaction(
                list(actions),
                "append",
                self._delta.schema(),
                list(PARTITIONS),
                commit_properties=CommitProperties(app_transactions=transactions),
                post_commithook_properties=_NO_HOOKS,
            )
            self._settle(before)

    def replace(self, removed: Sequence[File], added: Sequence[AddAction] = (), *, loses_rows: bool = False) -> bool:
        """Takes files out of the table and puts others in their place, at once for every reader.

        Args:
            removed: files of the table.
            added: files that were written and belong to no version; deleted again where they do not come in.
            loses_rows: whether rows go with it.

        Returns:
            False where another process took one of the files out first; then nothing was changed.

        Raises:
            StoreUnavailable: the entry could not be written, or others were first too often.
        """
        for file in removed:
            with suppress(FileNotFoundError):  # it is damaged, and can be taken out all the same
                os.utime(self.path / file.path)  # from now on it is kept for those who read it, see `vacuum`
        now_ms = time.time_ns() // 10**6
        removals = [
            RemoveAction(file.path, loses_rows, now_ms, file.size, dict(file.partition._asdict())) for file in removed
        ]
        try:
            replaced = self._commit_while_live(removed, [*added, *removals])
        except StoreUnavailable:
            self.refresh()  # the entry may have been written all the same
            discard(self.path, [action for action in added if action.path not in live_files(self._delta)])
            raise
        if not replaced:
            discard(self.path, added)
        return replaced

    def checkpoint(self) -> None:
        """Sums up the log for who opens the table next, if there were commits since that was done last."""
        with _outcome(f"sum up the log of {self.path}"):
            version = self._delta.version()
            if not (self.path / "_delta_log" / f"{version:020d}.checkpoint.parquet").exists():
                self._delta.create_checkpoint()
                self._open()

    def _commit_while_live(self, files: Sequence[File], actions: Sequence[AddAction | RemoveAction]) -> bool:
        """Commits, again where others were first, as long as the files are in the table; whether they were."""
        for _ in range(_ATTEMPTS):
            try:
                self.commit(actions)
            except Conflict:
                self.refresh()
                live = live_files(self._delta)
                if any(file.path not in live for file in files):
                    return False
            else:
                return True
        raise StoreUnavailable(f"cannot commit to {self.path}: other writers were first {_ATTEMPTS} times")

    def _settle(self, before: int) -> None:
        """Syncs the new log entries, and writes a checkpoint when one is due."""
        self.refresh()
        log = self.path / "_delta_log"
        version = self._delta.version()
        for number in range(before + 1, version + 1):
            with suppress(FileNotFoundError):  # another writer's clean-up may have been here
                sync_file(log / f"{number:020d}.json")
        sync_directory(log)
        if version // CHECKPOINT_EVERY > before // CHECKPOINT_EVERY:
            self._delta.create_checkpoint()
            self._open()

    def _open(self) -> None:
        self._delta = DeltaTable(str(self.path))
        self._schema = pa.schema(self._delta.schema())

    def _create(self) -> None:
        columns: Any = schema.STORED[self.name]
        for name in PARTITIONS:
            columns = columns.append(pa.field(name, pa.string()))
        DeltaTable.create(
            str(self.path),
            columns,
            mode="ignore",
            partition_by=list(PARTITIONS),
            configuration={
                # Checkpoints and clean-up are ours, see CHECKPOINT_EVERY and `compaction`.
                "delta.dataSkippingStatsColumns": ",".join(statistics_columns(self.name, columns.names)),
                "delta.logRetentionDuration": _GRACE,
                "delta.deletedFileRetentionDuration": _GRACE,
            },
        )


@contextmanager
def _outcome(doing: str) -> Generator[None]:
    """Names what went wrong with a commit in the store's own terms."""
    try:
        yield
    except CommitFailedError as error:
        raise Conflict(str(error)) from error
    except (DeltaError, OSError) as error:
        raise unavailable(doing, error) from error
    except BaseException as error:
        # delta-rs panics where it gets no thread or file descriptor; its type is no Exception and cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise unavailable(doing, error) from error
