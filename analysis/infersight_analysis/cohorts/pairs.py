"""Pairs of values that distinguish the cohorts better than either of the two does."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.bits import Counts, Words, are_alike, size, words
from infersight_analysis.cohorts.candidates import LEAST_RATIO, MAY_MATTER, Candidate, Candidates
from infersight_analysis.stats.tables import deviance_root, p_values, risk_ratios_exceed

_MOST: Final = 64
"""Values of which all pairs are looked at."""


@dataclass(frozen=True)
class _Counts:
    """How many of each of some sets are in target and baseline."""

    target: Counts
    baseline: Counts

    @classmethod
    def of(cls, sets: Words, target: Words) -> "_Counts":
        in_target = size(sets & target)
        return cls(in_target, size(sets) - in_target)

    @property
    def cohorts(self) -> tuple[Counts, Counts]:
        """Those of the target and those of the baseline."""
        return self.target, self.baseline


def look_at_pairs(candidates: Candidates) -> Iterator[Candidate]:
    """The pairs of the strongest values of which each distinguishes the cohorts among the requests with the other one.

    The p value is the larger one of these two tests: to be a pair, both must hold (Berger's intersection-union test,
    1982). Of two values that by themselves are too weak to be named the pair may be strong.

    Args:
        candidates: all values have been looked at.
    """
    pool = _different(each for each in candidates.kept("value", "weak") if each.more)
    if len(pool) < 2:
        return
    having = words([candidate.bits for candidate in pool])
    universes = [candidates.universes.get(each.traits[0].subject, candidates.everything) for each in pool]
    could = words([universe.bits for universe in universes])
    target = words([np.packbits(candidates.is_target)])
    for first in range(len(pool) - 1):
        rest = slice(first + 1, len(pool))
        both = _Counts.of(having[rest] & having[first], target)
        strata = [_Counts.of(could[rest] & having[first], target), _Counts.of(having[rest] & could[first], target)]
        p = np.maximum(*(_p_values(both, stratum) for stratum in strata))
        near = np.flatnonzero((p <= MAY_MATTER) & (both.target >= candidates.least))
        strong = np.logical_and(*(_are_strong(both, stratum, near) for stratum in strata))
        chosen: list[int] = near[strong].tolist()
        for at in chosen:
            second = pool[first + 1 + at]
            of_cohorts = int(both.target[at]), int(both.baseline[at])
            of_both = _Counts.of((could[first + 1 + at] & could[first])[np.newaxis], target)
            pair = _pair(pool[first], second, of_cohorts, of_both, float(p[at]))
            if pair.strength > max(pool[first].strength, second.strength):
                yield pair


def _different(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The strongest candidates that differ in their requests."""
    found: list[Candidate] = []
    for candidate in candidates:
        if len(found) == _MOST:
            break
        if not any(are_alike(candidate.bits, other.bits) for other in found):
            found.append(candidate)
    return found


def _p_values(both: _Counts, stratum: _Counts) -> npt.NDArray[np.float64]:
    """The test of one value among the requests with the other one; 1 where one of the cohorts has none of these."""
    usable = np.flatnonzero((stratum.target > 0) & (stratum.baseline > 0))
    p = np.ones(len(stratum.target))
    p[usable] = p_values(*(counts[usable] for counts in (*both.cohorts, *stratum.cohorts)))
    return p


def _are_strong(both: _Counts, stratum: _Counts, chosen: Counts) -> npt.NDArray[np.bool_]:
    """Whether the effect of that is large enough to be named."""
    x, y, n, m = (counts[chosen] for counts in (*both.cohorts, *stratum.cohorts))
    return risk_ratios_exceed(x, y, n, m, LEAST_RATIO)


def _pair(first: Candidate, second: Candidate, having: tuple[int, int], could: _Counts, p_value: float) -> Candidate:
    sizes = int(could.target[0]), int(could.baseline[0])
    root = deviance_root(*(np.array([count], np.int64) for count in (*having, *sizes)))
    return Candidate(
        traits=[first.traits[0], second.traits[0]],
        kind="pair",
        more=True,
        having=having,
        sizes=sizes,
        p_value=p_value,
        strength=float(root[0]),
        bits=first.bits & second.bits,
    )
