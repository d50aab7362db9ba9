"""Which of the candidates are discoveries, each said once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from infersight_analysis.cohorts.attributes import Attribute
from infersight_analysis.cohorts.bits import are_alike
from infersight_analysis.cohorts.candidates import LEAST_RATIO, Candidate, Candidates, Trait
from infersight_analysis.cohorts.pairs import look_at_pairs
from infersight_analysis.stats.discoveries import q_values
from infersight_analysis.stats.strata import stratified
from infersight_analysis.stats.tables import risk_ratio_intervals, risk_ratios

DISCOVERY_RATE: Final = 0.01
"""How large a part of all discoveries may be none, on average over many comparisons."""

_WEIGHT_OF_PAIRS: Final = 0.1
"""Their part of the false discoveries that are allowed: they are the rarer cause, and the stronger where they are."""

_MOST_STRATA: Final = 50

_Of = tuple[Attribute, int]
"""An attribute of a subject."""


@dataclass(frozen=True)
class Discovery:
    """What distinguishes the cohorts.

    Args:
        candidate: what was tested.
        effect: risk ratio, infinite where none of the baseline has it; Cliff's delta; distance of distributions.
        interval: 95 %.
        q_value: the false-discovery rate at which it is one.
        same_as: traits that the same requests have, give or take one in twenty.
    """

    candidate: Candidate
    effect: float
    interval: tuple[float, float]
    q_value: float
    same_as: list[Trait] = field(default_factory=list[Trait])


def discoveries(candidates: Candidates) -> list[Discovery]:
    """What distinguishes the cohorts, strongest first.

    Single traits and pairs are families with weights of their own (Genovese, Roeder and Wasserman, Biometrika 93,
    2006): there are thousands of times as many pairs. Pairs that were not looked at count as tested without success.

    Args:
        candidates: all attributes have been looked at.
    """
    singles = candidates.kept("value", "number", "shape")
    pairs = list(look_at_pairs(candidates))
    every = singles + pairs
    weighted = [candidates.tests * each.p_value / (1 - _WEIGHT_OF_PAIRS) for each in singles]
    weighted += [candidates.pairs * each.p_value / _WEIGHT_OF_PAIRS for each in pairs]
    q = q_values(np.array(weighted, np.float64), tests=1)
    effects = _effects(every)
    found = [
        Discovery(candidate, *effect[:2], float(q_value))
        for candidate, effect, q_value in zip(every, effects, q, strict=True)
        if q_value <= DISCOVERY_RATE and effect[2] and not _follows_from_calls(candidate, candidates)
    ]
    return _grouped(sorted(found, key=lambda each: -each.candidate.strength))


def _effects(candidates: Sequence[Candidate]) -> list[tuple[float, tuple[float, float], bool]]:
    """Effect and interval of each candidate, and whether it is large enough to be named."""
    x, y, n, m = np.array([[*each.having, *each.sizes] for each in candidates], np.int64).reshape(-1, 4).T
    ratio = risk_ratios(x, y, n, m)
    low, high = risk_ratio_intervals(x, y, n, m)
    without, _ = risk_ratio_intervals(n - x, m - y, n, m)
    found: list[tuple[float, tuple[float, float], bool]] = []
    for at, candidate in enumerate(candidates):
        if candidate.kind in {"number", "shape"}:
            effect, least, most = candidate.effect
            found.append((effect, (least, most), True))
        else:
            bound = low[at] if candidate.more else without[at]
            found.append((float(ratio[at]), (float(low[at]), float(high[at])), bool(bound >= LEAST_RATIO)))
    return found


def _follows_from_calls(candidate: Candidate, candidates: Candidates) -> bool:
    """Whether less than half of a difference is left among requests with the same number of such spans.

    Whoever calls more often is likelier to meet any value, and the largest of more numbers is larger.
    """
    for trait in candidate.traits[:2] if candidate.kind == "pair" else candidate.traits[:1]:
        calls = candidates.repeated.get(trait.subject)
        if calls is None or trait.attribute.is_count:
            continue
        flags = np.unpackbits(candidate.bits, count=len(candidates.is_target)).astype(np.bool_)
        strata = np.minimum(calls, _MOST_STRATA)
        among = strata > 0
        tables = [
            np.bincount(strata[chosen], minlength=_MOST_STRATA + 1)
            for cohort in (among & candidates.is_target, among & ~candidates.is_target)
            for chosen in (cohort & flags, cohort)
        ]
        x, n, y, m = tables
        if not n.any() or not m.any():
            continue
        ratio, p_value = stratified(x, y, n, m)
        crude = (x.sum() / n.sum()) / max(y.sum() / m.sum(), 1e-9)
        if p_value > DISCOVERY_RATE or np.log(max(ratio, 1e-9)) < np.log(crude) / 2:
            return True
    return False


def _grouped(found: Sequence[Discovery]) -> list[Discovery]:
    """Each discovery once, strongest first, with what else the same requests have."""
    values = [each.candidate for each in found if each.candidate.kind == "value"]
    more_often = {(trait.attribute, trait.subject) for each in values if each.more for trait in each.traits}
    groups: list[list[Discovery]] = []
    read: defaultdict[_Of, set[str]] = defaultdict(set)
    for each in found:
        each = _without(each, _known(each.candidate, more_often, read))  # noqa: PLW2901
        if not each.candidate.traits:
            continue
        group = next((group for group in groups if are_alike(group[0].candidate.bits, each.candidate.bits)), None)
        if group is None:
            groups.append([each])
        elif group[0].candidate.more == each.candidate.more:
            group.append(each)
        else:
            continue
        if each.candidate.kind != "pair":
            for trait in each.candidate.traits:
                read[trait.attribute, trait.subject].add(each.candidate.kind)
    return sorted((_led(group) for group in groups), key=lambda each: -each.candidate.strength)


def _without(discovery: Discovery, known: set[_Of]) -> Discovery:
    """The discovery without traits of attributes that are known."""
    rest = [trait for trait in discovery.candidate.traits if (trait.attribute, trait.subject) not in known]
    return replace(discovery, candidate=replace(discovery.candidate, traits=rest))


def _known(candidate: Candidate, more_often: set[_Of], read: Mapping[_Of, set[str]]) -> set[_Of]:
    """Attributes of subjects of which a candidate says nothing new.

    A value is rarer because another one is more common; and an attribute is read as a number or by its values.
    """
    if candidate.kind == "pair":
        return set()
    other = {of for of, kinds in read.items() if kinds - {candidate.kind}}
    return other | more_often if candidate.kind == "value" and not candidate.more else other


def _led(group: Sequence[Discovery]) -> Discovery:
    """What is said of a group: what the request itself has, else what is nearest to it, else the strongest.

    A pair that amounts to one value says no more than that.
    """
    singles = [each for each in group if each.candidate.kind != "pair"]
    leader = min(singles, key=lambda each: _nearest(each).subject) if singles else group[0]
    if not singles:
        return leader
    first = _nearest(leader)
    others = [trait for each in singles for trait in each.candidate.traits if trait is not first]
    return replace(leader, candidate=replace(leader.candidate, traits=[first]), same_as=others)


def _nearest(discovery: Discovery) -> Trait:
    return min(discovery.candidate.traits, key=lambda trait: trait.subject)
