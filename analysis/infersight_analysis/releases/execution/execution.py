"""A rollback from its evidence to its proof; whatever happens, it says what state was left behind."""

import json
import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from types import FrameType
from typing import Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import PreservedEvidence, ReleaseCheck, RollbackExecution
from infersight_analysis.findings.rollbacks import RollbackOutcome
from infersight_analysis.incidents.evidence import of_finding
from infersight_analysis.incidents.incident import Incident, opened_in
from infersight_analysis.incidents.log import IncidentLog
from infersight_analysis.options import Window
from infersight_analysis.releases.execution.evidence import evidence_window, preserved
from infersight_analysis.releases.execution.journal import Failed, Journal
from infersight_analysis.releases.execution.order import Order, judge, report
from infersight_analysis.releases.execution.targets import Running, Step
from infersight_analysis.releases.execution.verification import Answer, Question, verify
from infersight_analysis.releases.times import Side
from infersight_analysis.times import parse_time

SEVERITY: Final = "HIGH"
"""Of an incident that is opened by a rollback."""


def execute(store: Path, order: Order, told: Callable[[str], None]) -> RollbackExecution:
    """Roll back: look, judge, preserve, roll back, wait, and see whether it helped.

    Args:
        store: directory of the store.
        order: what to do.
        told: hears every step.

    Returns:
        What was done, whether it succeeded or not.

    Raises:
        AnalysisError: nothing was changed, and why.
        KeyboardInterrupt: nothing was changed, and somebody ended it.
    """
    with _ended_like_ctrl_c():
        return _Execution(store, order, Journal(order.target, told)).run()


class _Execution:
    """One rollback under way."""

    def __init__(self, store: Path, order: Order, journal: Journal) -> None:
        self._store: Final = store
        self._order: Final = order
        self._journal: Final = journal
        self._before = Running()
        self._after: Running | None = None
        self._check: ReleaseCheck | None = None
        self._preserved: PreservedEvidence | None = None
        self._answer: Answer | None = None

    def run(self) -> RollbackExecution:
        """All of it."""
        try:
            self._examine()
            self._check = judge(self._store, self._order, self._journal)
            window = evidence_window(self._check, self._order.window)
            self._open_incident(window)
            self._preserve(window)
        except Failed as failed:
            raise AnalysisError(f"nothing was changed: {failed}") from failed
        except KeyboardInterrupt:
            self._journal.told("interrupted: nothing was changed")
            raise
        began_ns = time.time_ns()
        self._journal.note(f"rolls back {self._order.change}")
        outcome, statement = self._change()
        if outcome is None:
            outcome, statement = self._verify(window, began_ns)
        return self._finished(outcome, statement)

    def _examine(self) -> None:
        """Finds out whether a rollback is possible, without changing anything."""
        target = self._order.target
        if self._order.incident is not None:
            with self._journal.doing("find the incident"):
                self._journal.incident = opened_in(self._store, self._order.incident, self._order.actor)
        if target.look is not None:
            self._before = self._look(target.look)
        rehearsed = "" if target.rehearsal is None else self._journal.run(target.rehearsal).output
        if refusal := target.refusal(self._before, rehearsed):
            raise Failed(refusal)

    def _look(self, step: Step) -> Running:
        output = self._journal.run(step).output
        try:
            return self._order.target.running(output)
        except ValueError:
            raise Failed(
                f"`{step.line}` printed something that is no answer: is it the {step.command[0]} meant?"
            ) from None

    def _open_incident(self, window: Window) -> None:
        order, journal = self._order, self._journal
        if journal.incident is not None:
            return
        title = f"{order.service} {order.candidate} is rolled back to {order.baseline}"
        symptoms = [] if self._check is None else self._check.reasons
        try:
            with journal.doing("open an incident") as detail:
                journal.incident = Incident.open(
                    IncidentLog(self._store), title, SEVERITY, actor=order.actor, window=window, symptoms=symptoms
                )
                detail.append(journal.incident.id)
        except Failed as failed:
            self._without_evidence(failed)

    def _preserve(self, window: Window) -> None:
        """Evidence first: nothing is changed before it is safe, unless somebody said why not."""
        incident = self._journal.incident
        if incident is None:
            return
        for name, why in (("override", self._order.override), ("without evidence", self._order.without_evidence)):
            if why:
                self._journal.note(f"{name}: {why}")
        try:
            with self._journal.doing("preserve the evidence") as detail:
                self._preserved = preserved(incident, self._check, window, _nobody)
                rows = sum(self._preserved.rows.values())
                detail.append(f"{rows:,} rows in {self._preserved.path}")
                detail.extend(self._preserved.problems)
                if self._preserved.waiting:
                    detail.append("the collector has not stored yet what came last; that is not in it")
        except Failed as failed:
            self._without_evidence(failed)

    def _without_evidence(self, failed: Failed) -> None:
        if not self._order.without_evidence:
            self._journal.note(f"refused to roll back: the evidence cannot be preserved: {failed}")
            raise Failed(
                f'the evidence cannot be preserved: {failed}; go on with --without-evidence "why" if you must'
            ) from failed

    def _change(self) -> tuple[RollbackOutcome | None, str]:
        """Rolls back and waits; the outcome where that is not all that there is to do."""
        target = self._order.target
        ordered = False
        try:
            for step in target.steps(self._order.timeout_s):
                self._journal.run(step)
                ordered = True
            runs = self._what_runs()
        except Failed as failed:
            return "failed", f"the rollback failed: {failed}; {self._what_runs()}"
        except KeyboardInterrupt:
            state = "the rollback was ordered and goes on" if ordered else f"whether {target.what} changes is not known"
            return "interrupted", f"interrupted: {state}{self._see()}"
        if self._after is not None and (complaint := target.complaint(self._before, self._after)):
            return "failed", f"the rollback failed: {complaint}{self._see()}"
        return None, runs

    def _what_runs(self) -> str:
        """Asks once more; what runs then, or that it is not known."""
        target = self._order.target
        if target.look is not None:
            with suppress(Failed, KeyboardInterrupt):
                self._after = self._look(target.look)
        known = "is not known" if self._after is None else f"is {self._after}"
        return f"what runs now {known}{self._see()}"

    def _see(self) -> str:
        see = self._order.target.see
        return "" if see is None else f"; see `{see}`"

    def _verify(self, window: Window, began_ns: int) -> tuple[RollbackOutcome, str]:
        """Sees whether the figures are back where they were."""
        order, check = self._order, self._check
        between = window.start_ns or 0, began_ns
        if check is not None and check.baseline.start is not None and check.baseline.end is not None:
            between = parse_time(check.baseline.start), parse_time(check.baseline.end) + 1
        question = Question(
            service=order.service,
            before=Side(order.baseline, between),
            candidate=order.candidate,
            since_ns=time.time_ns(),
            limits=order.limits,
            least=order.least,
        )
        done = f"rolled back {order.change}"
        try:
            with self._journal.doing("see whether it helped") as detail:
                answer = verify(self._store, question, patience_s=order.patience_s, told=self._journal.told)
                detail.append(answer.statement)
        except Failed as failed:
            return "too little data", f"{done}; whether it helped cannot be seen: {failed}"
        except KeyboardInterrupt:
            return "interrupted", f"{done}; interrupted before it was known whether it helped"
        self._answer = answer
        return answer.outcome, f"{done}: {answer.statement}"

    def _finished(self, outcome: RollbackOutcome, statement: str) -> RollbackExecution:
        """What was done, recorded in the incident as well."""
        journal = self._journal
        found = report(self._order, self._check, outcome, statement)
        found = replace(
            found,
            before=None if self._order.target.look is None else str(self._before),
            after=None if self._after is None else str(self._after),
            incident=None if journal.incident is None else journal.incident.id,
            preserved=self._preserved,
            verification=None if self._answer is None else self._answer.check,
            still_serving=None if self._answer is None else self._answer.still_serving,
            steps=list(journal.steps),
        )
        journal.note(statement)
        if journal.incident is not None:
            with suppress(AnalysisError):  # the note said why
                text = json.dumps(asdict(found), ensure_ascii=False)
                journal.incident.add_evidence(of_finding(text, f"rollback execute: {outcome}"))
        return found


@contextmanager
def _ended_like_ctrl_c() -> Generator[None]:
    """Lets SIGTERM, by which schedulers end a job, do what Ctrl-C does; a program that runs then is ended, too."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # where Python lets nobody set a handler
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _nobody(_text: str) -> None:
    """Hears how far a copy is, which takes no time by hard links."""
