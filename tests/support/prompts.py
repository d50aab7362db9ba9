"""What somebody types at a prompt, run in this process against a store."""

import json
import os
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from infersight_analysis import cli
from infersight_analysis.times import iso_time


@dataclass(frozen=True)
class Prompt:
    """A prompt whose commands are about one store."""

    store: Path

    def __call__(self, *arguments: str | Path, code: int = 0) -> Any:
        """The JSON that a command answers, or what it says on stderr; it must exit as said."""
        out, err = StringIO(), StringIO()
        typed = [str(each) for each in arguments]
        about = patch.dict(os.environ, {"INFERSIGHT_STORE": str(self.store), "INFERSIGHT_ACTOR": "ada"})
        with about, redirect_stdout(out), redirect_stderr(err):
            given = cli.run(typed)
        assert given == code, (typed, given, out.getvalue()[-2000:], err.getvalue())
        return json.loads(out.getvalue()) if out.getvalue().strip() else err.getvalue()


@dataclass(frozen=True)
class Stretch:
    """A stretch of time, in nanoseconds since 1970."""

    start_ns: int
    end_ns: int

    @property
    def options(self) -> tuple[str, ...]:
        """As verbs are told of it."""
        return "--start", iso_time(self.start_ns), "--end", iso_time(self.end_ns)
