"""Programs of others, played by scripts on the PATH."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_PLAYED = """#!{python} -IS
import json, os, signal, sys, time
directory = {directory!r}
arguments = sys.argv[1:]
with open(os.path.join(directory, "calls"), "a") as calls:
    calls.write(json.dumps([{name!r}, *arguments]) + "\\n")
with open(os.path.join(directory, {name!r} + ".json")) as file:
    parts = json.load(file)
for part in parts:
    if all(word in arguments for word in part["when"]):
        break
else:
    sys.exit(f"{name}: nobody said what to do for {{arguments}}")
if part.get("once"):
    parts.remove(part)
    with open(os.path.join(directory, {name!r} + ".json"), "w") as file:
        json.dump(parts, file)
sys.stdout.write(part.get("out", ""))
sys.stderr.write(part.get("err", ""))
sys.stdout.flush()
sys.stderr.flush()
if "signal" in part:
    os.kill(os.getpid(), part["signal"])
if part.get("hangs"):
    if part.get("stubborn"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open(os.path.join(directory, "hanging"), "w") as file:
        file.write(str(os.getpid()))
    while True:
        time.sleep(60)
sys.exit(part.get("code", 0))
"""


@dataclass(frozen=True)
class Programs:
    """A directory at the head of the PATH, with the programs that `play` puts there."""

    directory: Path

    @classmethod
    def at(cls, directory: Path, monkeypatch: pytest.MonkeyPatch) -> "Programs":
        """Nothing else is on the PATH but what Python itself needs."""
        directory.mkdir()
        monkeypatch.setenv("PATH", str(directory))
        return cls(directory)

    def play(self, name: str, *parts: Mapping[str, Any]) -> None:
        """What a program does: the first part of which all words in `when` are among its arguments.

        A part has `out`, `err` and `code`; or a `signal` that it dies of; or it `hangs`, `stubborn` or not, and then
        leaves the file `hanging` with its process id. It is played one time only where it says `once`.
        """
        script = self.directory / name
        (self.directory / f"{name}.json").write_text(json.dumps(parts))
        script.write_text(_PLAYED.format(python=sys.executable, directory=str(self.directory), name=name))
        script.chmod(0o755)

    @property
    def calls(self) -> list[list[str]]:
        """Every call so far, with its arguments."""
        path = self.directory / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def called(self, *words: str) -> Sequence[list[str]]:
        """The calls with all of these words."""
        return [call for call in self.calls if set(words) <= set(call)]

    @property
    def hanging(self) -> int | None:
        """The process that hangs, None where none does (any more)."""
        path = self.directory / "hanging"
        if not path.exists() or not path.read_text():
            return None
        process = int(path.read_text())
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return None
        return process
