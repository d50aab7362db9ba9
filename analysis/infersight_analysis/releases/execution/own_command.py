"""Rolling back by a command of one's own: Helm, Argo, Compose, Terraform, a script."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from infersight_analysis.errors import AnalysisError
from infersight_analysis.releases.execution.targets import Meaning, Running, Step


@dataclass(frozen=True, slots=True)
class OwnCommand:
    """A command that rolls back and ends when that is done, as a `Target`.

    Args:
        command: the program and its arguments; there is no shell that would read them.

    Raises:
        AnalysisError: there is none.
    """

    command: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.command:
            raise AnalysisError("give the command that rolls back at the end, after --")
        if any("\0" in argument for argument in self.command):
            raise AnalysisError("the command has a NUL character in it")

    @property
    def what(self) -> str:
        """What is rolled back, in words."""
        return f"by {self.command[0]}"

    @property
    def look(self) -> None:
        """Nobody can be asked what runs."""
        return None

    def running(self, output: str) -> Running:  # noqa: ARG002 - of `Target`
        """Nothing is known."""
        return Running()

    @property
    def rehearsal(self) -> None:
        """There is none."""
        return None

    def refusal(self, before: Running, rehearsed: str) -> str | None:  # noqa: ARG002 - of `Target`
        """A program that is not there is found out before anything else is done."""
        if shutil.which(self.command[0]) is None:
            return f"{self.command[0]} is not installed here, or not on the PATH"
        return None

    def steps(self, timeout_s: float) -> list[Step]:
        """The command."""
        return [Step(f"roll back {self.what}", self.command, timeout_s, changes=True)]

    def complaint(self, before: Running, after: Running) -> str | None:  # noqa: ARG002 - of `Target`
        """It cannot be told."""
        return None

    @property
    def meanings(self) -> Sequence[Meaning]:
        """Its messages are its own."""
        return ()

    @property
    def see(self) -> None:
        """Nobody can be asked."""
        return None
