"""The collector's log on stderr: text for a person at a terminal, one JSON object a line for everything else."""

import json
import logging
import math
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

PLACES: Final = ("component", "pipeline")
"""What a line may say about where it comes from, given as `extra` by who logs it."""

_BURST: Final = 10
"""Warnings and errors of one kind that are written at once."""

_QUIET_S: Final = 300.0
"""Of more than those, one is written in this time, in seconds; a silence of this length ends it."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, place and message, and the exception where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        fields: dict[str, str] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            **{name: str(vars(record)[name]) for name in PLACES if name in vars(record)},
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


@dataclass(slots=True)
class _Kind:
    """Lines of one kind: what may still be written at once, and what became of the others; times are monotonic."""

    left: int = _BURST
    seen_at: float = -math.inf
    written_at: float = -math.inf
    omitted: int = 0


class Repetitions(logging.Filter):
    """Keeps a trouble that lasts from filling the disk: writes a few of its lines, then one now and then.

    Lines are of one kind when the same statement writes them about the same component or pipeline.

    Args:
        clock: monotonic time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[object, ...], _Kind] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is written; the first one after a silence tells how many were not."""
        if record.levelno < logging.WARNING:
            return True
        with self._lock:
            omitted = self._count(record)
        if omitted:
            record.msg, record.args = f"{record.getMessage()} ({omitted} more like it were not written)", ()
        return omitted is not None

    def _count(self, record: logging.LogRecord) -> int | None:
        """How many records were omitted before this one, or None when it is omitted itself."""
        now = self._clock()
        # The place in the code, and not the text, of which there may be endless ones.
        key = (record.name, record.lineno, *(vars(record).get(name) for name in PLACES))
        kind = self._kinds.setdefault(key, _Kind())
        if now - kind.seen_at > _QUIET_S:
            kind.left = _BURST
        kind.seen_at = now
        if kind.left:
            kind.left -= 1
        elif now - kind.written_at < _QUIET_S:
            kind.omitted += 1
            return None
        kind.written_at = now
        omitted, kind.omitted = kind.omitted, 0
        return omitted


def configure_logging() -> None:
    """Sends the log of this process to stderr, from level INFO; of the libraries, warnings only."""
    handler = logging.StreamHandler(sys.stderr)
    if sys.stderr.isatty():
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    else:
        handler.setFormatter(JsonFormatter())
    handler.addFilter(Repetitions())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("infersight_collector").setLevel(logging.INFO)
