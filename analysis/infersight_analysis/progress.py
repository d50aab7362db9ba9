"""One line on the terminal that says how far something is, and goes away again."""

import sys
import threading
import time
from typing import TYPE_CHECKING, Final

from infersight_analysis.times import SECOND_NS, short_duration

if TYPE_CHECKING:
    import duckdb

_CLEAR: Final = "\r\x1b[K"
_PATIENCE_S: Final = 0.5
_STEADY_S: Final = 0.1
"""What is shown stays that long, however often there is news."""


class Progress:
    """What was done so far, shown on stderr when that is a terminal and it takes longer than a moment.

    Args:
        connection: whose running query tells its own progress.
        shown: whether to show it at all.
        total: how many rows there will be, where that is known.
    """

    def __init__(
        self, connection: "duckdb.DuckDBPyConnection | None" = None, *, shown: bool = True, total: int | None = None
    ) -> None:
        self._connection: Final = connection
        self._total: Final = total
        self._begun: Final = time.monotonic()
        self._shown = shown and sys.stderr.isatty()
        self._writing: Final = threading.Lock()
        self._visible = False
        self._shown_at = 0.0
        self.rows: int = 0
        self.what: str = "rows"

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._begun

    @property
    def summary(self) -> str:
        """What was done, and the time it took."""
        return f"{self.rows:,} {self.what[:-1] if self.rows == 1 else self.what} · {self._took()}"

    def tick(self) -> None:
        """Show the state, from any thread."""
        with self._writing:
            if self._shown and self.seconds > max(_PATIENCE_S, self._shown_at + _STEADY_S):
                self._shown_at = self.seconds
                sys.stderr.write(f"{_CLEAR}{self._text()}")
                sys.stderr.flush()
                self._visible = True

    def step(self) -> None:
        """Count a row, and show the state."""
        self.rows += 1
        self.tick()

    def clear(self) -> None:
        """Take the line away; it does not come back."""
        with self._writing:
            self._shown = False
            if self._visible:
                sys.stderr.write(_CLEAR)
                sys.stderr.flush()

    def _text(self) -> str:
        parts = [self._took()]
        share = 0 if self._connection is None else self._connection.query_progress()
        if 0 < share < 100:
            parts.append(f"{share:.0f} %")
        if self.rows:
            of = "" if self._total is None else f" of {self._total:,}"
            parts.append(f"{self.rows:,}{of} {self.what}")
        return f"{' · '.join(parts)}  (Ctrl-C ends it)"

    def _took(self) -> str:
        return short_duration(self.seconds * SECOND_NS)
