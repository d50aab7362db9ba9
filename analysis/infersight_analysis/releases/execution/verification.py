"""Whether a rollback helped: the version that is back, since then, against itself before."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from infersight_analysis.findings import ReleaseCheck
from infersight_analysis.reading import query
from infersight_analysis.releases.check import compare_sides
from infersight_analysis.releases.limits import Limits
from infersight_analysis.releases.times import Side
from infersight_analysis.session import opened

_POLL_S: Final = 2.0

_LINGERING: Final = 0.01
"""The part of the requests that the other version may still serve: those that were on their way."""


@dataclass(frozen=True, slots=True)
class Question:
    """What has to be as it was.

    Args:
        service: name of the service.
        before: the version that is back, and the time in which it was well.
        candidate: the version that was rolled back.
        since_ns: when the rollback was done, nanoseconds since the epoch.
        limits: how far figures may be from what they were.
        least: fewest requests that an answer rests on.
    """

    service: str
    before: Side
    candidate: str
    since_ns: int
    limits: Limits
    least: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What was seen at the last look.

    Args:
        outcome: whether it helped.
        statement: why, in a line.
        check: the comparison.
        still_serving: share of the requests that the candidate served in the later half of the time.
    """

    outcome: Literal["verified", "too little data", "not returned"]
    statement: str
    check: ReleaseCheck
    still_serving: float | None


def verify(store: Path, question: Question, *, patience_s: float, told: Callable[[str], None]) -> Answer:
    """Look at what is recorded until it is known whether the rollback helped; what is said holds however often.

    Args:
        store: directory of the store.
        question: what to look at.
        patience_s: how long to wait for enough requests, in seconds.
        told: hears what is missing.
    """
    deadline = time.monotonic() + patience_s
    said = ""
    while True:
        answer, is_final = _look(store, question)
        left_s = deadline - time.monotonic()
        if is_final or left_s <= 0:
            return answer
        if answer.statement != said:
            told(said := answer.statement)
        time.sleep(min(_POLL_S, left_s))


def _look(store: Path, question: Question) -> tuple[Answer, bool]:
    """The answer as of now, and whether more requests would not change it."""
    values = {"service": question.service, "version": question.candidate, "from_ns": question.since_ns}
    with opened(store, start_ns=min(question.before.between_ns[0], question.since_ns)) as connection:
        ((last_ns, lingering),) = connection.execute(query("releases/still_serving"), values).fetchall()
        after = Side(question.before.version, (question.since_ns, (last_ns or question.since_ns) + 1))
        check = compare_sides(
            connection, question.service, question.before, after, limits=question.limits, least=question.least
        )
    lingers = (lingering or 0.0) > _LINGERING
    if check.verdict == "roll back":
        return Answer("not returned", f"not as it was: {check.reasons[0]}", check, lingering), True
    if lingers:
        still = f"{question.candidate} still serves {100 * lingering:.3g} % of the requests"
        return Answer("not returned", still, check, lingering), False
    if check.verdict == "keep":
        count = f"{check.candidate.recorded:,} requests of {question.before.version}"
        return Answer("verified", f"as before, by {count} since then", check, lingering), True
    return Answer("too little data", f"not known yet whether it helped: {check.reasons[0]}", check, lingering), False
