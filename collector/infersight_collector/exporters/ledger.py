"""Which log segments an exporter has taken over, kept beside what it made of them: so each one counts once."""

import json
import os
from pathlib import Path
from typing import Final

from infersight_collector.errors import CollectorError
from infersight_collector.store.wal import Origin, sync_directory

_MOST_WRITERS: Final = 1_000
"""Writers that are remembered, those that wrote last: each start of a collector is a new one."""


class Ledger:
    """The last segment of each writer, in a file; a writer's segments come in the order of their numbers.

    Args:
        path: of the file; it may not exist yet.

    Attributes:
        length: bytes, of a file that grows by the segments; kept together with them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: dict[str, int] = {}
        self.length = 0

    def load(self) -> bool:
        """Reads what was saved; False where nothing was.

        Raises:
            CollectorError: the file is no ledger.
        """
        try:
            kept = json.loads(self._path.read_text("utf-8"))
            self._last = {str(writer): int(number) for writer, number in kept["last"].items()}
            self.length = int(kept["length"])
        except FileNotFoundError:
            return False
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise CollectorError(
                f"{self._path} cannot be read, so nobody knows which segments were exported: restore it, or remove it "
                f"and let the segments in the log be exported again ({error})"
            ) from error
        return True

    def has(self, origin: Origin) -> bool:
        """Whether a segment was taken over."""
        return origin.number <= self._last.get(origin.writer, 0)

    def add(self, origin: Origin) -> None:
        """Remembers a segment, from the next `save` on for good."""
        if not self.has(origin):
            self._last.pop(origin.writer, None)
            self._last[origin.writer] = origin.number
        while len(self._last) > _MOST_WRITERS:
            del self._last[next(iter(self._last))]

    def save(self) -> None:
        """Makes all of it durable, at once.

        Raises:
            OSError: it cannot be written; what was saved before is still there.
        """
        draft = self._path.with_name(f"{self._path.name}.draft")
        with draft.open("w", encoding="utf-8") as file:
            json.dump({"last": self._last, "length": self.length}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        sync_directory(self._path.parent)
