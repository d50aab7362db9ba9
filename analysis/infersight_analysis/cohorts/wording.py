"""Discoveries in words."""

import math
from typing import Any

from infersight_analysis.cohorts.attributes import CALLED, CALLS
from infersight_analysis.cohorts.candidates import Candidate, Trait
from infersight_analysis.cohorts.selection import Discovery
from infersight_analysis.cohorts.trees import PARENT, REQUEST


def statement(discovery: Discovery, about: tuple[str, str], of: list[str], values: list[Any]) -> str:
    """One sentence, such as `42 % of the slow requests have app.tenant = acme, 3 % of the others: 14 times (11 to 18)`.

    Args:
        discovery: what was found.
        about: what target and baseline are called.
        of: what the subject of each trait is called.
        values: the value of each trait, or the cut.
    """
    candidate = discovery.candidate
    if candidate.kind in {"number", "shape"}:
        return _of_number(candidate, about, of[0], values[0])
    is_there = candidate.kind == "value" and not candidate.is_of_all
    what = " and ".join(
        _having(trait, "there" if is_there else f"({name})", name, value)
        for trait, name, value in zip(candidate.traits, of, values, strict=True)
    )
    verb = "" if what.startswith("call ") else "have "
    who = f"{_share(candidate, 0)} of {about[0]}{_that_could(candidate, of[0])}"
    shares = f"{who} {verb}{what}, {_share(candidate, 1)} of {about[1]}"
    if not candidate.having[1]:
        return f"{shares}: only in {about[0]}"
    low, high = discovery.interval
    return f"{shares}: {_times(discovery.effect)} times ({_times(low)} to {_times(high)})"


def _of_number(candidate: Candidate, about: tuple[str, str], of: str, cut: Any) -> str:
    trait = candidate.traits[0]
    side = f"{'at least' if candidate.more else 'at most'} {number(cut)}"
    target, baseline = candidate.medians
    medians = f"median {number(target)} against {number(baseline)}"
    shares = f"{_share(candidate, 0)} {side}, {_share(candidate, 1)} of {about[1]}"
    is_larger = candidate.effect[0] > 0
    if trait.attribute == CALLS:
        how = "in other numbers" if candidate.kind == "shape" else "more often" if is_larger else "less often"
        return f"{about[0]} call {of} {how}: {medians}; {shares}"
    what = trait.attribute.name if trait.subject == REQUEST else f"{trait.attribute.name} ({of})"
    how = "otherwise distributed" if candidate.kind == "shape" else "larger" if is_larger else "smaller"
    return f"{what} is {how} in {about[0]}: {medians}; {shares}"


def _having(trait: Trait, where: str, name: str, value: Any) -> str:
    if trait.attribute == CALLED:
        return "a parent" if trait.subject == PARENT else f"call {name}"
    said = f"{trait.attribute.name} = {value}"
    return said if trait.subject == REQUEST else f"{said} {where}"


def _that_could(candidate: Candidate, name: str) -> str:
    """Which requests are compared, where those are not all: with the subject, or able to call it."""
    trait = candidate.traits[0]
    if candidate.kind == "pair" or candidate.is_of_all:
        return ""
    return " that could" if trait.attribute == CALLED else f" with {name}"


def _share(candidate: Candidate, cohort: int) -> str:
    having, size = candidate.having[cohort], candidate.sizes[cohort]
    if not having:
        return "none"
    percentage = 100 * having / size
    if having < size and percentage >= 99.5:
        return "nearly all"
    return "all" if having == size else f"{percentage:.0f} %" if percentage >= 1 else f"{percentage:.1g} %"


def _times(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}" if ratio >= 1 else f"{ratio:.2f}"


def number(value: float) -> str:
    """A number for people: integers as they are, others with four digits."""
    if not math.isfinite(value):
        return str(value)
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:.4g}"
