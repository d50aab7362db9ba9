"""What the rates of groups say, in words."""

from collections.abc import Iterator, Sequence
from typing import Final

from infersight_analysis.fairness.groups import Group
from infersight_analysis.findings import GroupRate

WORDS: Final = {
    "positive_rate": "positive rate",
    "error_rate": "error rate",
    "true_positive_rate": "true positive rate",
    "false_positive_rate": "false positive rate",
}


def statement_of(rates: Sequence[GroupRate], reference: str | None, margin: float) -> str:
    """The outcome in a sentence."""
    if reference is None:
        return "no prediction has a group"
    differing = [rate for rate in rates if rate.verdict == "differs"]
    if differing:
        worst = max(differing, key=lambda rate: abs(rate.difference or 0.0))
        more = f", and {len(differing) - 1} more" if len(differing) > 1 else ""
        return f"{difference_of(worst, reference)}{more}"
    compared = {rate.group for rate in rates if rate.p_value is not None}
    if not compared:
        return f"need more data: no group can be compared with {reference}"
    beyond = f" of {margin:.1%} or more" if margin else ""
    return f"no difference{beyond} found between {reference} and {len(compared)} other {_groups(len(compared))}"


def difference_of(rate: GroupRate, reference: str) -> str:
    """One difference, with its interval."""
    if rate.difference is None or rate.difference_low is None or rate.difference_high is None or rate.rate is None:
        return f"{WORDS[rate.measure]} of {rate.group}: not compared with {reference}"
    points = f"{100 * rate.difference:+.1f} points beside {reference}"
    interval = f"{100 * rate.difference_low:+.1f} to {100 * rate.difference_high:+.1f}"
    return f"{WORDS[rate.measure]} of {rate.group}: {rate.rate:.1%}, {points} ({interval})"


def notes_of(groups: Sequence[Group], rates: Sequence[GroupRate], least: int, *, has_positive: bool) -> list[str]:
    """What could not be judged, and why."""
    return list(_notes(groups, rates, least, has_positive=has_positive))


def _notes(groups: Sequence[Group], rates: Sequence[GroupRate], least: int, *, has_positive: bool) -> Iterator[str]:
    if not has_positive:
        yield "only error rates: say with --positive which label counts as yes for the other ones"
    if len(groups) == 1:
        yield f"there is one group only: {groups[0].name}"
    for measure, words in WORDS.items():
        few = [rate for rate in rates if rate.measure == measure and rate.rate is None]
        if few and len(few) == len(groups) and not any(rate.of for rate in few):
            yield f"no {words}: nobody has said what was right"
        elif few:
            counts = ", ".join(f"{rate.group} {rate.of}" for rate in few)
            yield f"no {words} of groups with fewer than {least} to count it of: {counts}"


def _groups(count: int) -> str:
    return "group" if count == 1 else "groups"
