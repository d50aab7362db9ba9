"""What every way to roll back has in common: steps that are programs, and what their failures mean."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from infersight_analysis.releases.execution.processes import Outcome

LOOK_S: Final = 30.0
"""How long a step may take that only asks something."""

_LONGEST: Final = 300

Meaning = tuple[re.Pattern[str], str]
"""What a message of a tool means: a pattern in it, and what to do. `{line}` stands for the message."""


@dataclass(frozen=True, slots=True)
class Step:
    """A program to run.

    Args:
        says: what it does, in words.
        command: the program and its arguments.
        timeout_s: how long it may take, in seconds.
        changes: whether it may change what runs.
    """

    says: str
    command: tuple[str, ...]
    timeout_s: float = LOOK_S
    changes: bool = False

    @property
    def line(self) -> str:
        """The command as it would be typed."""
        return shlex.join(self.command)


@dataclass(frozen=True, slots=True)
class Running:
    """What runs, as the orchestrator says.

    Args:
        images: of its containers, in their order.
        revision: which version of its description this is.
        previous: whether there is one to go back to; None where it does not say.
        trouble: why the last change of it did not come to its end; None where it did.
    """

    images: tuple[str, ...] = ()
    revision: str | None = None
    previous: bool | None = None
    trouble: str | None = None

    def __str__(self) -> str:
        """In words."""
        images = ", ".join(self.images) or "unknown"
        return images if self.revision is None else f"revision {self.revision} ({images})"


class Target(Protocol):
    """A way to roll back one service."""

    @property
    def what(self) -> str:
        """What is rolled back, in words."""
        ...

    @property
    def look(self) -> Step | None:
        """Asks what runs; None where that cannot be asked."""
        ...

    def running(self, output: str) -> Running:
        """Reads what `look` printed.

        Raises:
            ValueError: it is something else.
        """
        ...

    @property
    def rehearsal(self) -> Step | None:
        """Tries the rollback without changing anything; None where that is not possible."""
        ...

    def refusal(self, before: Running, rehearsed: str) -> str | None:
        """Why a rollback would not help; None where nothing speaks against it.

        Args:
            before: what runs.
            rehearsed: what `rehearsal` printed.
        """
        ...

    def steps(self, timeout_s: float) -> list[Step]:
        """Rolls back and waits until that is done.

        Args:
            timeout_s: how long that may take in all, in seconds.
        """
        ...

    def complaint(self, before: Running, after: Running) -> str | None:
        """Why what runs afterwards is not what was asked for; None where it is, or cannot be told."""
        ...

    @property
    def meanings(self) -> Sequence[Meaning]:
        """What messages of its tool mean, the most telling first."""
        ...

    @property
    def see(self) -> str | None:
        """The command that shows a person where it stands."""
        ...


def failure(target: Target, step: Step, outcome: Outcome) -> str:
    """What went wrong with a step, and what to do, in one line."""
    program = step.command[0]
    if outcome.ending == "not found":
        return f"{program} is not installed here, or not on the PATH"
    if outcome.ending == "not started":
        return f"{program} cannot be started: {outcome.complaints}"
    name = shlex.join(step.command[:3])
    if outcome.ending == "timed out":
        return f"{name} was not done within {step.timeout_s:g} s: {last_line(outcome) or 'it said nothing'}"
    if outcome.ending == "killed":
        return f"{name} was ended by signal {outcome.code}"
    line = last_line(outcome) or "it said nothing"
    for pattern, meaning in target.meanings:
        if pattern.search(outcome.complaints) or pattern.search(outcome.output):
            return meaning.format(line=line)
    return f"{name} failed with exit code {outcome.code}: {line}"


def last_line(outcome: Outcome) -> str:
    """The last thing that a program complained of, else the last that it said, fit for a terminal."""
    for text in (outcome.complaints, outcome.output):
        lines = [line for line in text.splitlines() if line.strip()]
        if lines:
            return shown(lines[-1])
    return ""


def shown(text: str) -> str:
    """A text of a foreign program, without what would move the cursor, and not too long."""
    plain = "".join(character if character.isprintable() else " " for character in text).strip()
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"
