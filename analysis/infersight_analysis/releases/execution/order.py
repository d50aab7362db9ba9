"""What is ordered, the verdict that it rests on, and the report that is made of it."""

from dataclasses import dataclass
from pathlib import Path

from infersight_analysis.findings import Evidence, ReleaseCheck, RollbackExecution
from infersight_analysis.findings.rollbacks import RollbackOutcome
from infersight_analysis.options import Window
from infersight_analysis.releases.check import rollback_check
from infersight_analysis.releases.execution.journal import Failed, Journal
from infersight_analysis.releases.execution.targets import Target
from infersight_analysis.releases.limits import Limits
from infersight_analysis.releases.verdict import LEAST
from infersight_analysis.session import opened


@dataclass(frozen=True, slots=True)
class Order:
    """What to roll back, and how.

    Args:
        service: its name in the telemetry.
        baseline: the version to go back to.
        candidate: the version to leave.
        target: how.
        actor: who orders it.
        window: what to judge by, and what to keep.
        limits: how much worse the candidate may be.
        least: fewest requests that a verdict rests on.
        timeout_s: how long the rollout may take, in seconds.
        patience_s: how long to wait, after it, for enough requests to see whether it helped.
        override: why it is done although the check does not say so.
        without_evidence: why it is done although nothing can be preserved.
        incident: where to record it; a new one by default.
    """

    service: str
    baseline: str
    candidate: str
    target: Target
    actor: str
    window: Window = Window()  # noqa: RUF009 - immutable
    limits: Limits = Limits()  # noqa: RUF009 - immutable
    least: int = LEAST
    timeout_s: float = 300.0
    patience_s: float = 600.0
    override: str | None = None
    without_evidence: str | None = None
    incident: str | None = None

    @property
    def change(self) -> str:
        """What it changes, in words."""
        return f"{self.service} from {self.candidate} to {self.baseline}, {self.target.what}"


def judge(store: Path, order: Order, journal: Journal) -> ReleaseCheck | None:
    """The verdict on the candidate; None where there is none and somebody said why that does not matter.

    Raises:
        Failed: it does not say to roll back, and nobody overrides that.
    """
    window = order.window
    try:
        with journal.doing(f"judge {order.candidate} against {order.baseline}") as detail:
            with opened(store, start_ns=window.start_ns, end_ns=window.end_ns) as connection:
                check = rollback_check(
                    connection,
                    service=order.service,
                    baseline=order.baseline,
                    candidate=order.candidate,
                    window=window,
                    limits=order.limits,
                    least=order.least,
                )
            detail.append(f"{check.verdict}: {check.reasons[0]}")
    except Failed as failed:
        if order.override:
            return None
        raise Failed(f'{failed}; go on with --override "why" if you know better') from failed
    if check.verdict != "roll back" and not order.override:
        raise Failed(
            f"the check says {check.verdict}, not roll back: {check.reasons[0]}; "
            'investigate, or go on with --override "why" if you know better'
        )
    return check


def report(order: Order, check: ReleaseCheck | None, outcome: RollbackOutcome, statement: str) -> RollbackExecution:
    """A finding about a rollback of which nothing was done yet."""
    return RollbackExecution(
        service=order.service,
        baseline=order.baseline,
        candidate=order.candidate,
        target=order.target.what,
        outcome=outcome,
        statement=statement,
        before=None,
        after=None,
        override=order.override,
        without_evidence=order.without_evidence,
        incident=None,
        preserved=None,
        check=check,
        verification=None,
        still_serving=None,
        steps=[],
        evidence=Evidence([], []) if check is None else check.evidence,
    )
