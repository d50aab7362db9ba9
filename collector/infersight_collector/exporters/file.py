"""The exporter `file`: OTLP/JSON, one request a line, as OpenTelemetry's file exporter writes it."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from infersight_collector.component import Batch
from infersight_collector.errors import CollectorError
from infersight_collector.exporters.ledger import Ledger
from infersight_collector.exporters.otlp_json import json_line
from infersight_collector.store.errors import unavailable
from infersight_collector.store.wal import Origin, sync_directory

if TYPE_CHECKING:
    from infersight_collector.exporters.outgoing import Gathered

_MEGABYTE = 10**6


@dataclass(frozen=True)
class Rotation:
    """`rotation`; keys as in the OpenTelemetry Collector.

    Attributes:
        max_megabytes: size of a file at which the next one is begun.
        max_backups: finished files that are kept, the youngest.
    """

    max_megabytes: int = 100
    max_backups: int = 100

    def __post_init__(self) -> None:
        if self.max_megabytes <= 0 or self.max_backups <= 0:
            raise ValueError("max_megabytes and max_backups of a rotation are numbers above zero")


@dataclass(frozen=True)
class FileConfig:
    """Configuration of one `file` exporter.

    Attributes:
        path: the file that is appended to.
        rotation: when the next file is begun; without it, never.
    """

    path: str
    rotation: Rotation | None = None


class FileExporter:
    """Appends the requests of each segment to a file.

    A file beside it says how long it was after which segment, so that what a crash has left of another one is cut off.

    Args:
        config: its configuration.
    """

    def __init__(self, config: FileConfig) -> None:
        self._path = Path(config.path)
        self._rotation = config.rotation
        self._ledger = Ledger(self._path.with_name(f"{self._path.name}.ledger"))
        self._gathered: Gathered | None = None

    def start(self) -> None:
        """Finds where to go on.

        Raises:
            CollectorError: the file cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                size = file.tell()
            if not self._ledger.load():
                self._ledger.length = size  # what somebody else has written stays
                self._ledger.save()
        except OSError as error:
            raise CollectorError(f"{self._path}: cannot be written: {error.strerror or error}") from error

    def begin(self) -> None:
        """Forgets batches that were not committed."""
        from infersight_collector.exporters.outgoing import Gathered  # noqa: PLC0415 - its kernels take time to load

        self._gathered = Gathered()

    def consume(self, batch: Batch) -> None:
        """Keeps a batch until the segment is complete."""
        self._begun().add(batch)

    def commit(self, origin: Origin) -> None:
        """Appends the requests, once for each segment.

        Raises:
            StoreUnavailable: the file cannot be written now.
        """
        lines = b"".join(json_line(signal, request) for signal, request in self._begun().requests())
        try:
            self._ledger.load()
            if not self._ledger.has(origin):
                self._append(lines)
                self._ledger.add(origin)
                self._ledger.save()
        except OSError as error:
            raise unavailable(f"write to {self._path}", error) from error
        self.begin()

    def stop(self) -> None:
        """There is nothing open."""

    def _append(self, lines: bytes) -> None:
        """Puts lines behind those of the last segment; what is behind these already is of a commit that failed."""
        if self._rotation is not None and self._ledger.length + len(lines) > self._rotation.max_megabytes * _MEGABYTE:
            self._rotate(self._rotation.max_backups)
        with self._path.open("ab") as file:
            if file.tell() > self._ledger.length:
                file.truncate(self._ledger.length)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
            self._ledger.length = file.seek(0, os.SEEK_END)

    def _rotate(self, max_backups: int) -> None:
        """Gives the file the name of the moment, and deletes the oldest ones that were so named."""
        if not self._ledger.length or not self._path.exists():
            return
        os.truncate(self._path, min(self._ledger.length, self._path.stat().st_size))
        stem, suffix = self._path.stem, self._path.suffix
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%f")
        self._path.rename(self._path.with_name(f"{stem}-{moment}{suffix}"))
        sync_directory(self._path.parent)
        # Only now: a length without a file is that of a file which was rotated.
        self._ledger.length = 0
        self._ledger.save()
        for old in self._backups()[:-max_backups]:
            old.unlink(missing_ok=True)

    def _backups(self) -> list[Path]:
        pattern = f"{self._path.stem}-????-??-??T??-??-??.??????{self._path.suffix}"
        return sorted(self._path.parent.glob(pattern))

    def _begun(self) -> "Gathered":
        if self._gathered is None:
            raise RuntimeError("the exporter has not been started")
        return self._gathered
