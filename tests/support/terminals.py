"""A program at a terminal of its own, as a person would use it."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from tests.support.collectors import wait_until

_CONTROL = re.compile(r"\x1b\][^\x07]*\x07|\x1b[\[(][0-?]*[ -/]*[@-~]|\x1b[=>78]|\r")
"""Escape sequences that move the cursor or colour what follows."""

_ADOPT = """
import os, signal, sys
os.close(os.open(os.ttyname(0), os.O_RDWR))
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Runs a program whose stdin is its controlling terminal (the first that is opened in a new session), and whose Ctrl-C
counts, even where the tests run in the background and would hand down that they ignore it."""


class Terminal:
    """A running program whose stdin, stdout and stderr are one terminal.

    Args:
        command: the program and its arguments.
        environment: its environment variables.
    """

    def __init__(self, command: Sequence[str | Path], environment: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _ADOPT, *map(str, command)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**environment, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "COLUMNS": "120", "LINES": "40"},
        )
        os.close(theirs)
        self._output = bytearray()
        self._read_to = 0
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def text(self) -> str:
        """What it has printed, without colours and movements."""
        return _CONTROL.sub("", self._output.decode(errors="replace"))

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self._ours, text.encode())

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Returns when it has printed `text`, after what the last call waited for."""

        def printed() -> bool:
            return text in self.text[self._read_to :]

        wait_until(printed, seconds)
        self._read_to = self.text.index(text, self._read_to) + len(text)

    def end(self) -> int:
        """Its exit code; it must be about to end."""
        return self.process.wait(60)

    def close(self) -> None:
        """Kill it where it still runs."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self._ours)

    def _read(self) -> None:
        try:
            while data := os.read(self._ours, 65536):
                self._output += data
        except OSError:  # the program has ended
            pass
