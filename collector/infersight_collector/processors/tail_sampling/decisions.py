"""Decisions about traces, remembered for what comes later of a trace, and for the same rows after a crash.

A decision is the probability with which a trace is kept; with the trace's hash, which gives its random number, that
says everything. On disk they are in blocks, each synced before anything is delivered by its decisions:

    count, CRC-32 of the rest (two little-endian uint32), then for each its hash (uint64) and probability (float64)

A damaged end of a file was never acted upon, and is forgotten.
"""

import os
import struct
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from infersight_collector.processors.trace_ids import Hashes
from infersight_collector.store.errors import unavailable
from infersight_collector.store.wal import sync_directory

Probabilities = npt.NDArray[np.float64]

_HEADER: Final = struct.Struct("<II")
_RECORD: Final = np.dtype([("trace", "<u8"), ("probability", "<f8")])
_SUFFIX: Final = ".decisions"


class Decisions:
    """The last decisions, 16 bytes each in memory and on disk.

    They are kept in two generations: when the younger one has half of the size, the older one is forgotten.

    Args:
        size: most decisions that are remembered; at least half as many are.
    """

    def __init__(self, size: int) -> None:
        self._half = max(size // 2, 1)
        self._generations = [_Generation()]
        self._unsettled: list[npt.NDArray[np.void]] = []
        self._file: _File | None = None

    def open(self, directory: Path) -> None:
        """Reads what an earlier process decided, and writes to this directory from now on.

        Raises:
            StoreUnavailable: the directory cannot be read or written.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
            files = [_File(path) for path in sorted(directory.glob(f"*{_SUFFIX}"))]
            for file in files[:-2]:
                file.remove()
            self._generations = [_Generation(file.read()) for file in files[-2:]] or [_Generation()]
            self._file = files[-1] if files else _File(directory / f"{0:08d}{_SUFFIX}")
        except OSError as error:
            raise unavailable(f"keep sampling decisions in {directory}", error) from error

    def __len__(self) -> int:
        return sum(len(generation) for generation in self._generations)

    def probabilities(self, traces: Hashes) -> Probabilities:
        """The decisions about traces, NaN where there is none, float64 `[traces]`."""
        found = np.full(len(traces), np.nan)
        for generation in self._generations:
            generation.find(traces, found)
        return found

    def add(self, traces: Hashes, probabilities: Probabilities) -> None:
        """Remembers new decisions, in memory until `settle` makes them durable."""
        if len(traces):
            added = np.empty(len(traces), _RECORD)
            added["trace"], added["probability"] = traces, probabilities
            self._generations[-1].add(added)
            self._unsettled.append(added)

    def settle(self) -> None:
        """Makes the new decisions durable.

        Raises:
            StoreUnavailable: that is not possible now; the next call tries again.
        """
        if not self._unsettled:
            return
        if self._file is not None:
            try:
                self._file.append(np.concatenate(self._unsettled))
            except OSError as error:
                raise unavailable(f"write {self._file.path}", error) from error
        self._unsettled = []
        if len(self._generations[-1]) >= self._half:
            self._begin_generation()

    def _begin_generation(self) -> None:
        self._generations = [self._generations[-1], _Generation()]
        if self._file is not None:
            number = int(self._file.path.stem)
            directory = self._file.path.parent
            self._file = _File(directory / f"{number + 1:08d}{_SUFFIX}")
            _File(directory / f"{number - 1:08d}{_SUFFIX}").remove()


class _Generation:
    """Decisions that are forgotten together: runs that are sorted by trace, each at least twice as long as the next.

    Args:
        known: decisions to begin with.
    """

    def __init__(self, known: "npt.NDArray[np.void] | None" = None) -> None:
        self._runs: list[tuple[Hashes, Probabilities]] = []
        if known is not None and len(known):
            self.add(known)

    def __len__(self) -> int:
        return sum(len(traces) for traces, _ in self._runs)

    def add(self, new: "npt.NDArray[np.void]") -> None:
        traces, probabilities = new["trace"], new["probability"]
        while self._runs and len(self._runs[-1][0]) < 2 * len(traces):
            before = self._runs.pop()
            traces, probabilities = np.concatenate([before[0], traces]), np.concatenate([before[1], probabilities])
        order = np.argsort(traces, kind="stable")
        self._runs.append((traces[order], probabilities[order]))

    def find(self, traces: Hashes, found: Probabilities) -> None:
        """Fills in what is known of the traces."""
        for known, probabilities in self._runs:
            at = np.minimum(np.searchsorted(known, traces), len(known) - 1)
            np.copyto(found, probabilities[at], where=known[at] == traces)


class _File:
    """The blocks of one generation."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._length = 0

    def read(self) -> "npt.NDArray[np.void]":
        """All decisions up to the first damage, where the next block is going to be."""
        content = self.path.read_bytes()
        blocks = [np.empty(0, _RECORD)]
        while (block := _block_at(content, self._length)) is not None:
            blocks.append(np.frombuffer(block, _RECORD))
            self._length += _HEADER.size + len(block)
        return np.concatenate(blocks)

    def append(self, decisions: "npt.NDArray[Any]") -> None:
        """Adds a block, durably."""
        content = decisions.tobytes()
        block = memoryview(_HEADER.pack(len(decisions), zlib.crc32(content)) + content)
        is_new = not self.path.exists()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            written = 0
            while written < len(block):
                written += os.pwrite(descriptor, block[written:], self._length + written)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            sync_directory(self.path.parent)
        self._length += len(block)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def _block_at(content: bytes, start: int) -> bytes | None:
    """The decisions of the block at this position, None where there is none or it is damaged."""
    begin = start + _HEADER.size
    if begin > len(content):
        return None
    count, checksum = _HEADER.unpack_from(content, start)
    block = content[begin : begin + count * _RECORD.itemsize]
    is_whole = count > 0 and len(block) == count * _RECORD.itemsize and zlib.crc32(block) == checksum
    return block if is_whole else None
