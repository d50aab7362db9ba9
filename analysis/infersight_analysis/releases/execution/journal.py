"""What is done for a rollback, step by step: told to whoever waits, kept for the report, written to the incident."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import RollbackStep
from infersight_analysis.releases.execution.processes import Outcome, run
from infersight_analysis.releases.execution.targets import Step, Target, failure, last_line, shown
from infersight_analysis.times import iso_time
from infersight_collector.store.errors import StoreError

if TYPE_CHECKING:
    from infersight_analysis.incidents.incident import Incident


class Failed(Exception):  # noqa: N818 - reads as what it is
    """A step did not do its part; the message is one line that says why."""


class Journal:
    """The steps of one rollback.

    Args:
        target: what is rolled back.
        told: hears every step, and what programs print that change something.

    Attributes:
        steps: those that were done.
        incident: where they are recorded, once there is one.
    """

    def __init__(self, target: Target, told: Callable[[str], None]) -> None:
        self._target: Final = target
        self.told: Final = told
        self.steps: Final[list[RollbackStep]] = []
        self.incident: Incident | None = None

    @contextmanager
    def doing(self, what: str) -> Generator[list[str]]:
        """A step that is no program; what it puts into the list is its detail.

        Raises:
            Failed: what failed in it, in one line.
        """
        self.told(what)
        started_ns = time.time_ns()
        detail: list[str] = []
        try:
            yield detail
        except (AnalysisError, StoreError) as error:
            self._add(what, None, started_ns, str(error))
            raise Failed(str(error)) from error
        self._add(what, None, started_ns, None, "; ".join(detail))

    def run(self, step: Step) -> Outcome:
        """A step that is a program.

        Raises:
            Failed: it did not succeed.
        """
        self.told(f"{step.says}: {step.line}")
        started_ns = time.time_ns()
        try:
            outcome = run(step.command, timeout_s=step.timeout_s, told=self._relay if step.changes else _nobody)
        except KeyboardInterrupt:
            self._add(step.says, step, started_ns, "interrupted")
            raise
        problem = None if outcome.succeeded else failure(self._target, step, outcome)
        self._add(step.says, step, started_ns, problem, last_line(outcome) if step.changes else "")
        if problem is not None:
            raise Failed(problem)
        return outcome

    def note(self, text: str) -> None:
        """Write something into the incident; a rollback goes on where that is not possible any more."""
        if self.incident is None:
            return
        try:
            self.incident.note(text)
        except (AnalysisError, StoreError) as error:
            self.told(f"not recorded in {self.incident.id}: {error}")

    def _relay(self, line: str) -> None:
        self.told(f"  {shown(line)}")

    def _add(self, what: str, step: Step | None, started_ns: int, problem: str | None, detail: str = "") -> None:
        self.steps.append(
            RollbackStep(
                what=what,
                command=None if step is None else list(step.command),
                started=iso_time(started_ns),
                duration_ns=time.time_ns() - started_ns,
                state="done" if problem is None else "failed",
                detail=detail if problem is None else problem,
            )
        )


def _nobody(_line: str) -> None:
    """Hears what a program says that is only asked."""
