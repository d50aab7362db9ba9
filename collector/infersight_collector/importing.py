"""`infersight import`: OTLP files through the same log, decoder and tables as what arrives over the network."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from infersight_collector.collector import open_flusher, open_journal
from infersight_collector.decode import read_requests
from infersight_collector.errors import TooManyCopies, UnreadableFile
from infersight_collector.flush import Flusher
from infersight_collector.intake import Intake
from infersight_collector.journal import SEGMENT_BYTES, Journal
from infersight_collector.pipeline import Graph
from infersight_collector.signals import Signal

SUFFIXES: Final = (".pb", ".json", ".jsonl", ".gz")
"""The files that are taken of a directory."""


@dataclass(slots=True)
class Imported:
    """What an import has stored so far.

    Attributes:
        files: files read to their end.
        records: spans, log records and data points by signal, all of them in the tables.
        problems: one line for each file that could not be read to its end.
        interrupted: whether it was stopped before it was through.
    """

    files: int = 0
    records: Counter[Signal] = field(default_factory=Counter[Signal])
    problems: list[str] = field(default_factory=list[str])
    interrupted: bool = False


def find_files(paths: Sequence[Path]) -> list[Path]:
    """The files to import: those that are named, and those below directories that look like OTLP."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())
        else:
            found.append(path)
    return found


class Importer:
    """Imports files into the store of a graph.

    Args:
        graph: its store and pipelines; the receivers are not used.
        signal: the signal of protobuf files whose content does not tell it.
        progress: told what is stored, each time that is more.
    """

    def __init__(self, graph: Graph, signal: Signal | None, progress: Callable[[Imported], None]) -> None:
        # A power cut leaves the files to import again, so the log need not reach the disk before the tables do.
        self._graph = replace(graph, log=replace(graph.log, fsync="never"))
        self._signal = signal
        self._progress = progress
        self._imported = Imported()
        self._waiting: Counter[Signal] = Counter()

    def interrupt(self) -> None:
        """Makes `run` end soon, with everything stored that it has read."""
        self._imported.interrupted = True

    def run(self, files: Sequence[Path]) -> Imported:
        """Imports the files, one after the other.

        Raises:
            StoreError: the store cannot be opened or written.
        """
        with ExitStack() as resources:
            # What a collector has left there is for the next collector, whose pipelines may leave things out.
            journal = open_journal(self._graph, resources, adopt=False)
            flusher = open_flusher(self._graph, journal, interval_s=0)
            intake = Intake(journal, self._graph.telemetry, lambda: flusher.failure)
            for file in files:
                if self._imported.interrupted:
                    break
                self._import(file, intake, journal, flusher)
            self._store(flusher)
        return self._imported

    def _import(self, file: Path, intake: Intake, journal: Journal, flusher: Flusher) -> None:
        try:
            for signal, request in self._requests(file):
                self._submit(file, signal, request, intake)
                if journal.waiting_bytes >= SEGMENT_BYTES:
                    self._store(flusher)
        except UnreadableFile as error:
            self._imported.problems.append(str(error))
        except OSError as error:
            self._imported.problems.append(f"{file}: cannot be read: {error.strerror or error}")
        else:
            if not self._imported.interrupted:
                self._imported.files += 1

    def _submit(self, file: Path, signal: Signal, request: bytes, intake: Intake) -> None:
        try:
            receipt = intake.submit(signal, request)
            self._waiting[signal] += receipt.records
            if receipt.rejected:
                left_out = f"{receipt.rejected} records of a request of {len(request)} bytes are left out"
                self._imported.problems.append(f"{file}: {left_out}: {receipt.message}")
        except TooManyCopies as error:
            self._imported.problems.append(f"{file}: a request of {len(request)} bytes is left out: {error}")

    def _requests(self, file: Path) -> Iterator[tuple[Signal, bytes]]:
        for found in read_requests(file, self._signal):
            if self._imported.interrupted:
                return
            yield found

    def _store(self, flusher: Flusher) -> None:
        # Nobody waits for what comes next: a processor that looks ahead decides by what was read.
        flusher.flush(final=True)
        self._imported.records += self._waiting
        self._waiting.clear()
        self._progress(self._imported)
