"""The rule: what is rolled back, what is investigated, what has to wait."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from infersight_analysis.findings import NewFault, ReleaseMeasure
from infersight_analysis.findings.releases import Verdict
from infersight_analysis.releases.limits import INVESTIGATE, ROLL_BACK
from infersight_analysis.releases.measures import ALIKE

LEAST: Final = 50
"""Fewest requests of each version that any verdict rests on."""

_MORE: Final = 1.2
_WORTH_A_LOOK: Final = 0.2
"""What is worse for certain, but by less than this part of its limit, is no reason to look."""


@dataclass(frozen=True)
class Decision:
    """What to do with a candidate, why, and what is missing.

    Args:
        more_requests: about how many more requests of the candidate would decide it; None where nothing is missing, or
            more would not decide it.
    """

    verdict: Verdict
    reasons: list[str]
    investigate: list[str]
    more_requests: float | None


def decide(
    measures: Sequence[ReleaseMeasure],
    routes: Sequence[ReleaseMeasure],
    faults: Sequence[NewFault],
    recorded: tuple[int, int],
    *,
    least: int = LEAST,
) -> Decision:
    """Judge a candidate by its measures.

    Args:
        measures: of all routes together.
        routes: of single routes.
        faults: kinds of errors that came with it.
        recorded: requests of the baseline and of the candidate.
        least: fewest requests of each that a verdict rests on.
    """
    every = (*measures, *routes)
    over = [each for each in every if each.standing == "over"]
    look = [f"{each.statement}: investigate" for each in over if each.consequence == INVESTIGATE]
    look += [f"{each.statement}; {_advice(each)}" for each in _worth_a_look(measures, routes, over)]
    look += [f"{each.state}: {each.type}: {each.message} ({each.reason})" for each in faults]
    if min(recorded) < least:
        counts = zip(("baseline", "candidate"), recorded, strict=True)
        few = " and ".join(f"the {name} has {count:,} requests" for name, count in counts if count < least)
        return Decision("need more data", [f"{few}: {least:,} are the least"], look, _short(recorded, least))
    crossed = [each for each in over if each.consequence == ROLL_BACK]
    if crossed:
        return Decision("roll back", [each.statement for each in crossed], look, None)
    open_ = [each for each in measures if each.is_needed and each.standing in {"undecided", "unknown"}]
    if open_:
        more = [each.more_requests for each in open_]
        needed = None if None in more else max(each for each in more if each is not None)
        return Decision("need more data", [each.statement for each in open_], look, needed)
    return Decision("keep", list(_kept(measures)), look, None)


def _short(recorded: tuple[int, int], least: int) -> float | None:
    """How many requests of the candidate are missing; the baseline's are not the candidate's to bring."""
    return float(least - recorded[1]) if recorded[0] >= least else None


def _worth_a_look(
    measures: Sequence[ReleaseMeasure], routes: Sequence[ReleaseMeasure], over: Sequence[ReleaseMeasure]
) -> Iterator[ReleaseMeasure]:
    """What is worse without being over its limit, where a quantile or the whole does not say it already."""
    known = {(each.route, each.unit) for each in over if each.unit == "ns"}
    whole = [each for each in measures if _is_worth_a_look(each) and (each.route, each.unit) not in known]
    errors = next((each.change or 0.0 for each in whole if each.name == "error rate"), 0.0)
    for each in whole:
        # What failed did not succeed: only refusals say more.
        if each.name != "success rate" or abs(each.change or 0.0) > _MORE * errors:
            yield each
    said = {each.name for each in whole}
    for each in routes:
        if each.name not in said and (each.route, each.unit) not in known and _is_worth_a_look(each):
            yield each


def _is_worth_a_look(measure: ReleaseMeasure) -> bool:
    if measure.standing == "over" or measure.trend not in {"worse", "moved"} or measure.limit is None:
        return False
    allowed = ALIKE if measure.name == "error rate" else measure.limit
    return abs(measure.change or 0.0) >= _WORTH_A_LOOK * allowed


def _advice(measure: ReleaseMeasure) -> str:
    """What to do about something that is worse, without being beyond its limit."""
    if measure.trend == "moved":
        return "another one than before: investigate"
    if measure.name != "error rate" or (measure.candidate or 0.0) < ALIKE:
        return "worse: investigate"
    return "worse: investigate, and go on watching"


def _kept(measures: Iterable[ReleaseMeasure]) -> Iterator[str]:
    yield from (each.statement for each in measures if each.is_needed)
