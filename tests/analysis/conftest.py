"""A store of the verbs' tests, and the command line run in this process."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infersight_analysis import cli

Run = Callable[..., "Outcome"]


class Outcome:
    """What a run of the command line left behind."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def json(self) -> Any:
        """The output, which must be JSON."""
        return json.loads(self.out)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `infersight ARGUMENTS`; its output is piped, so JSON unless asked otherwise."""

    def run_it(*arguments: str | Path) -> Outcome:
        code = cli.run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run_it
