"""Values that the requests of one cohort have more often than those of the other."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.attributes import Attribute
from infersight_analysis.cohorts.candidates import LEAST_RATIO, MAY_MATTER, Candidate, Candidates, Trait, Universe
from infersight_analysis.cohorts.places import Places, Values
from infersight_analysis.stats.tables import deviance_root, p_values, risk_ratios


def look_at_values(
    candidates: Candidates,
    attribute: Attribute,
    places: Places,
    values: npt.NDArray[Any],
    universes: Mapping[int, Universe] | None = None,
) -> None:
    """Test each value of an attribute, of each subject by itself.

    Args:
        candidates: takes note of the tests.
        attribute: whose values.
        places: what the rows are.
        values: a hash or a number a row, 0 or NaN where there is none.
        universes: by subject the requests to compare; those that have the subject by default.
    """
    known = candidates.universes if universes is None else universes
    found = Values.of(places, values, candidates.least)
    of_features = [known.get(subject, candidates.everything) for subject in found.subject.tolist()]
    sizes = np.array([universe.sizes for universe in of_features], np.int64).reshape(-1, 2)
    tested = np.flatnonzero(found.target + found.baseline < sizes.sum(axis=1))
    candidates.values += len(tested)
    x, y = found.target[tested], found.baseline[tested]
    n, m = sizes[tested].T
    p, root = p_values(x, y, n, m), deviance_root(x, y, n, m)
    # One that has no chance to be named matters only as one of a pair, for which the target must have it more often.
    ratio, ratio_without = risk_ratios(x, y, n, m), risk_ratios(n - x, m - y, n, m)
    is_weak = np.where(root > 0, (ratio < LEAST_RATIO) | (x < candidates.least), ratio_without < LEAST_RATIO)
    floor = np.where(is_weak, candidates.floor("weak"), candidates.floor("value"))
    near = np.flatnonzero((p <= MAY_MATTER) & (np.abs(root) >= floor) & (~is_weak | (root > 0)))
    members = found.members(tested[near], len(candidates.is_target))
    for at, flags in zip(near.tolist(), members, strict=True):
        feature, more = int(tested[at]), bool(root[at] > 0)
        bits = np.packbits(flags)
        candidates.keep(
            "weak" if is_weak[at] else "value",
            Candidate(
                traits=[Trait(attribute, int(found.subject[feature]), found.value[feature].item())],
                kind="value",
                more=more,
                having=(int(x[at]), int(y[at])),
                sizes=(int(n[at]), int(m[at])),
                p_value=float(p[at]),
                strength=float(abs(root[at])),
                is_of_all=int(n[at] + m[at]) == len(candidates.is_target),
                bits=bits if more else of_features[feature].bits & ~bits,
            ),
        )
