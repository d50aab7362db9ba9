"""Reference and other predictions, feature by feature and group by group, each pair tested once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from infersight_analysis.quality.distributions import Distributions, Kind, observed
from infersight_analysis.quality.predictions import MODEL_VERSION, Feature, Flags, Predictions
from infersight_analysis.stats.divergence import Divergence
from infersight_analysis.stats.ranks import TwoSamples

LEAST: Final = 50
"""Fewer predictions on either side are no distribution."""

_MOST_GROUPS: Final = 20


@dataclass(frozen=True)
class Compared:
    """One feature in both samples.

    Args:
        kind: what it is about.
        features: it, in reference and current.
        distributions: the same in bins.
        divergence: how far they are apart.
        distance: of a number the Kolmogorov-Smirnov statistic.
        p_value: of no difference.
    """

    kind: Kind
    features: tuple[Feature, Feature]
    distributions: Distributions
    divergence: Divergence
    distance: float | None
    p_value: float


@dataclass(frozen=True)
class Group:
    """Predictions that are compared.

    Args:
        name: what they have in common; None of all.
        against: the value that the reference has in common, or `all`.
        reference: the reference.
        current: the other predictions.
        compared: the features that both have.
    """

    name: str | None
    against: str
    reference: Predictions
    current: Predictions
    compared: list[Compared]


def groups_of(current: Predictions, reference: Predictions, by: Sequence[str]) -> Iterator[Group]:
    """All predictions, then those of each value of the features to group by."""
    yield _compared(None, "all", reference, current)
    for name in by:
        feature = next((each for each in current.features if each.name == name), None)
        if feature is None and name == MODEL_VERSION:
            continue  # nobody asked for it by name
        known = current.feature(name)
        values = sorted(_members(known, len(current)), key=lambda each: (-np.count_nonzero(each[1]), each[0]))
        if len(values) < 2 and name == MODEL_VERSION:
            continue
        before = {each.name: each for each in reference.features}.get(name)
        in_reference = dict(_members(before, len(reference))) if before is not None else {}
        for value, members in values[:_MOST_GROUPS]:
            if np.count_nonzero(members) < LEAST:
                continue
            same = in_reference.get(value)
            is_known = same is not None and np.count_nonzero(same) >= LEAST
            own = reference.only(same) if same is not None and is_known else reference
            yield _compared(f"{name} = {value}", value if is_known else "all", own, current.only(members))


def _members(feature: Feature, count: int) -> Iterator[tuple[str, Flags]]:
    """The values of a feature, and which predictions have each."""
    codes = feature.values(count)
    if feature.texts is None:
        for number in np.unique(codes[~np.isnan(codes)]).tolist():
            yield f"{number:.6g}", codes == number
        return
    for code, text in enumerate(feature.texts):
        yield text, codes == code


def _compared(name: str | None, against: str, reference: Predictions, current: Predictions) -> Group:
    before = {(kind, each.name): each for kind, each in observed(reference)}
    found: list[Compared] = []
    sizes = len(reference), len(current)
    for kind, feature in observed(current):
        other = before.get((kind, feature.name))
        distributions = None if other is None else Distributions.of(other, feature, sizes)
        if other is not None and distributions is not None:
            found.append(_tested(kind, (other, feature), distributions))
    return Group(name, against, reference, current, found)


def _tested(kind: Kind, features: tuple[Feature, Feature], distributions: Distributions) -> Compared:
    divergence = distributions.divergence
    p_value, distance = divergence.p_value(), None
    if distributions.numbers is not None:
        two = TwoSamples.of(distributions.numbers[1], distributions.numbers[0])
        distance = two.distance
        has_none = sum(map(len, distributions.numbers)) < len(distributions.reference) + len(distributions.current)
        # That more have none at all is nothing that the numbers show.
        p_value = min(1.0, 2 * min(p_value, two.distance_p_value)) if has_none else two.distance_p_value
    return Compared(kind, features, distributions, divergence, distance, p_value)
