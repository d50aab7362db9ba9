"""What a rollback would do, without doing any of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import ReleaseCheck, RollbackExecution, RollbackStep
from infersight_analysis.releases.execution.evidence import evidence_window
from infersight_analysis.releases.execution.journal import Failed, Journal
from infersight_analysis.releases.execution.order import Order, judge, report
from infersight_analysis.releases.execution.targets import Step
from infersight_analysis.times import SECOND_NS, iso_time, readable_time, short_duration
from infersight_collector.store import directory
from infersight_collector.store.duplicate import COPIES


def plan(store: Path, order: Order, told: Callable[[str], None]) -> RollbackExecution:
    """Every step of a rollback, with its command; nothing is run, and nothing written.

    Args:
        store: directory of the store.
        order: what to do.
        told: hears what is done for the plan: the verdict is found as it would be.

    Raises:
        AnalysisError: it would be refused, and why.
    """
    directory.check(store)
    try:
        check = judge(store, order, Journal(order.target, told))
    except Failed as failed:
        raise AnalysisError(f"nothing would be changed: {failed}") from failed
    statement = f"would roll back {order.change}; nothing was run or written"
    found = report(order, check, "planned", statement)
    return replace(found, incident=order.incident, steps=list(_steps(order, check)))


def _steps(order: Order, check: ReleaseCheck | None) -> Iterator[RollbackStep]:
    target = order.target
    verdict = "no verdict" if check is None else f"{check.verdict}: {check.reasons[0]}"
    if order.incident is not None:
        yield _plain(f"find incident {order.incident}")
    yield from (_planned(step) for step in (target.look, target.rehearsal) if step is not None)
    yield _plain(f"judge {order.candidate} against {order.baseline}", verdict)
    if order.incident is None:
        yield _plain("open an incident")
    window = evidence_window(check, order.window)
    start, end = (readable_time(iso_time(time or 0)) for time in (window.start_ns, window.end_ns))
    yield _plain("preserve the evidence", f"{start} to {end}, in {COPIES}/ of the incident, and pinned")
    yield from (_planned(step) for step in target.steps(order.timeout_s))
    if target.look is not None:
        yield _planned(target.look)
    patience = short_duration(order.patience_s * SECOND_NS)
    yield _plain("see whether it helped", f"{order.baseline} since then against itself before, for {patience} at most")


def _planned(step: Step) -> RollbackStep:
    return RollbackStep(step.says, list(step.command), None, None, "planned", f"{step.timeout_s:g} s at most")


def _plain(what: str, detail: str = "") -> RollbackStep:
    return RollbackStep(what, None, None, None, "planned", detail)
