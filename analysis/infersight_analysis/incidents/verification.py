"""Whether a fix holds: the reproduction no longer fails, the telemetry is back at its baseline, no new faults."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from math import ceil
from typing import Any, Final

import duckdb

from infersight_analysis.failures.errors import errors
from infersight_analysis.failures.groups import HISTORY_NS
from infersight_analysis.incidents import state as kinds
from infersight_analysis.incidents.incident import Incident
from infersight_analysis.incidents.reproduction import play
from infersight_analysis.incidents.requests import Requests, duration_difference, error_difference, read_requests
from infersight_analysis.incidents.scenario import Scenario
from infersight_analysis.incidents.state import FAILED, NOT_APPLICABLE, PASSED, UNDECIDED
from infersight_analysis.options import Window
from infersight_analysis.results import Json
from infersight_analysis.rootcause.question import Question
from infersight_analysis.session import opened
from infersight_analysis.stats import proportions
from infersight_analysis.stats.estimate import Estimate
from infersight_analysis.times import iso_time, short_duration

ERROR_MARGIN: Final = 0.01
"""How much larger the share of failures may be than in the baseline."""

LEVEL: Final = 0.05
_QUANTILES: Final = (0.5, 0.95)
_MOST_ATTEMPTS: Final = 1_000


@dataclass(frozen=True)
class Check:
    """One thing that a fix is checked by.

    Args:
        name: `reproduction`, `metrics` or `errors`.
        outcome: `passed`, `failed`, `undecided` where more data is needed, or `not applicable`.
        statement: what was seen, with its numbers.
        numbers: those numbers.
    """

    name: str
    outcome: str
    statement: str
    numbers: dict[str, Json]


def verify(
    incident: Incident,
    *,
    window: Window = Window(),  # noqa: B008 - immutable
    service: str | None = None,
    tolerance: float = 0.2,
    override: str | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> list[Check]:
    """Check the last fix, and record what was seen.

    Args:
        incident: the incident.
        window: the time after the fix; from when it was recorded until now by default.
        service: only requests of this service.
        tolerance: how much longer requests may take than in the baseline, as a share of its quantiles.
        override: why the verification is taken as one whatever it says.
        told: hears what is being done.

    Raises:
        Refused: there is no fix yet, and nobody overrides that.
    """
    incident.ensure(kinds.VERIFICATION, override=override)
    state = incident.state
    fix = state.last(kinds.FIX, after=state.reopened_at)
    recorded_ns = fix.time_ns if fix else time.time_ns()
    start_ns = recorded_ns if window.start_ns is None else window.start_ns
    after = start_ns, time.time_ns() if window.end_ns is None else window.end_ns
    checks = [_reproduction(incident, told), *_telemetry(incident, after, service, tolerance, told)]
    payload: dict[str, Any] = {"checks": [asdict(check) for check in checks], "service": service}
    payload |= {"start": iso_time(after[0]), "end": iso_time(after[1])}
    incident.record(kinds.VERIFICATION, payload, override=override)
    return checks


def _reproduction(incident: Incident, told: Callable[[str], None]) -> Check:
    """Whether what was reproduced no longer fails, tried often enough to tell by a test."""
    shown = incident.state.reproductions
    if not shown:
        return Check("reproduction", NOT_APPLICABLE, "nothing was reproduced", {})
    payload = shown[-1].payload
    before = payload["reproduced"], payload["attempts"]
    attempts = attempts_needed(*before)
    told(f"reproducing {payload['name']} {attempts} times")
    found = play(replace(Scenario.restored(payload["scenario"]), attempts=attempts))
    p_value = proportions.difference(*before, found.reproduced, found.attempts).p_value
    statement = (
        f"{found.reproduced} of {found.attempts} attempts fail, {before[0]} of {before[1]} before (p = {p_value:.2g})"
    )
    outcome = FAILED if found.reproduced else PASSED if p_value is not None and p_value < LEVEL else UNDECIDED
    if outcome == UNDECIDED:
        statement += ": it failed too rarely to tell, reproduce it more often"
    numbers = {"of": payload["name"], "reproduced": found.reproduced, "attempts": found.attempts, "p_value": p_value}
    return Check("reproduction", outcome, statement, numbers)


def attempts_needed(reproduced: int, attempts: int) -> int:
    """How many attempts without a failure tell, at `LEVEL`, from as many with it; at least as many as before.

    Args:
        reproduced: attempts that failed before.
        attempts: of how many.
    """
    needed = attempts
    while needed < _MOST_ATTEMPTS:
        p_value = proportions.difference(reproduced, attempts, 0, needed).p_value
        if p_value is not None and p_value < LEVEL:
            return needed
        needed = ceil(needed * 1.5)
    return attempts


def _telemetry(
    incident: Incident, after: tuple[int, int], service: str | None, tolerance: float, told: Callable[[str], None]
) -> Iterator[Check]:
    """Whether requests are as they were before the incident, and no faults are new."""
    window = incident.window
    baseline = None
    if window.start_ns is not None:
        end_ns = time.time_ns() if window.end_ns is None else window.end_ns
        baseline = Question(window.start_ns, end_ns).baseline_ns
    told("comparing requests with the baseline")
    begin_ns = min(after[0] - HISTORY_NS, baseline[0] if baseline else after[0])
    with opened(incident.log.store, start_ns=begin_ns, end_ns=after[1]) as connection:
        now = read_requests(connection, *after, service)
        usual = read_requests(connection, *baseline, service) if baseline else None
        yield metrics(usual, now, tolerance)
        told("looking for new faults")
        yield _faults(connection, after, service, now.count)


def metrics(usual: Requests | None, now: Requests, tolerance: float) -> Check:
    """Whether requests fail and take no more than in the baseline, within margins (non-inferiority).

    Args:
        usual: those of the baseline; None where nobody said when the incident was.
        now: those since the fix.
        tolerance: how much longer they may take, as a share of the baseline's quantiles.
    """
    if usual is None:
        return Check("metrics", NOT_APPLICABLE, "the incident has no window, so there is no baseline", {})
    numbers: dict[str, Json] = {"baseline_requests": usual.count, "requests": now.count}
    if not usual.count:
        return Check("metrics", NOT_APPLICABLE, "the baseline has no requests", numbers)
    if not now.count:
        return Check("metrics", UNDECIDED, "no request came since the fix", numbers)
    shares = error_difference(usual, now, 1 - 2 * LEVEL)
    numbers |= {"error_share": now.error_share, "baseline_error_share": usual.error_share}
    outcomes = [_no_worse(shares, ERROR_MARGIN)]
    said = [
        f"{now.error_share:.2%} of {now.count} requests fail, {usual.error_share:.2%} of {usual.count} in the baseline"
    ]
    for q in _QUANTILES:
        before, name = usual.quantile(q), f"p{q * 100:.0f}"
        outcomes.append(_no_worse(duration_difference(usual, now, q, 1 - 2 * LEVEL), tolerance * before))
        numbers |= {f"{name}_ns": now.quantile(q), f"baseline_{name}_ns": before}
        said.append(f"{name} {short_duration(now.quantile(q))}, {short_duration(before)} then")
    outcome = next((worst for worst in (FAILED, UNDECIDED) if worst in outcomes), PASSED)
    if outcome == UNDECIDED:
        said.append("too few to tell that this is as it was")
    return Check("metrics", outcome, "; ".join(said), numbers)


def _no_worse(difference: Estimate, margin: float) -> str:
    """Whether something is no worse than before by more than a margin (non-inferiority, one-sided at `LEVEL`)."""
    if difference.low > margin:
        return FAILED
    return PASSED if difference.high <= margin else UNDECIDED


def _faults(connection: duckdb.DuckDBPyConnection, after: tuple[int, int], service: str | None, requests: int) -> Check:
    """Whether there is a fault that nobody saw before."""
    found = errors(connection, service=service, window=Window(*after), since=None)
    new = [group for group in found.errors if group.state == "new"]
    numbers: dict[str, Json] = {"new": [group.fingerprint for group in new], "known": len(found.errors) - len(new)}
    if new:
        first = new[0]
        statement = f"{len(new)} new faults since the fix, first of them {first.type}: {first.message[:100]}"
        return Check("errors", FAILED, statement, numbers)
    if not requests:
        return Check("errors", UNDECIDED, "no request came since the fix that could have failed", numbers)
    return Check("errors", PASSED, f"no new fault in {requests} requests", numbers)
