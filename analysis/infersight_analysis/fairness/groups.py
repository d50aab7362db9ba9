"""Groups of predictions by the value of something that is known of them, and what became of each group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from infersight_analysis.errors import AnalysisError
from infersight_analysis.quality.predictions import Feature, Flags, Predictions, condition
from infersight_analysis.stored import literal

_MOST_GROUPS: Final = 50
_MOST_NUMBERS: Final = 12
"""A number with no more values than that is taken as it is."""

MEASURES: Final = ("positive_rate", "error_rate", "true_positive_rate", "false_positive_rate")


@dataclass(frozen=True)
class Share:
    """Of how many predictions something is true."""

    count: int
    of: int


@dataclass(frozen=True)
class Group:
    """Predictions with one value.

    Attributes:
        name: the value, or the range of it.
        members: which predictions.
        comparisons: what makes a member, in SQL, to be put behind the expression of the feature.
    """

    name: str
    members: Flags
    comparisons: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many predictions."""
        return int(self.members.sum())

    def where(self, feature: Feature) -> str | None:
        """The condition in SQL of its members; None where none reaches them."""
        return condition(feature, *self.comparisons)


def groups_of(predictions: Predictions, feature: Feature, cuts: Sequence[float] = ()) -> list[Group]:
    """The groups, the largest first; predictions without a value are in none.

    Args:
        predictions: all of them.
        feature: what tells the groups apart.
        cuts: for a number, where the ranges begin; each belongs to the range above it.

    Raises:
        AnalysisError: it is a number without cuts, cuts for a text, or has too many values.
    """
    values = feature.values(len(predictions))
    if feature.is_number:
        found = list(_ranges(values, sorted(cuts)) if cuts else _numbers(feature, values))
    elif cuts:
        raise AnalysisError(f"{feature.name} is no number that could be cut")
    else:
        found = [Group(text, values == code, (f"= {literal(text)}",)) for code, text in enumerate(feature.texts or [])]
    found = sorted((group for group in found if group.size), key=lambda group: (-group.size, group.name))
    if len(found) > _MOST_GROUPS:
        raise AnalysisError(f"{feature.name} has {len(found):,} values: groups are told apart by one with fewer")
    return found


def share(measure: str, predictions: Predictions, group: Group, positive: str | None) -> Share | None:
    """What a measure counts in a group; None where it needs to know which label is the positive one.

    As Fairlearn defines them: of the predictions, those that are positive; of those whose right label is known, the
    wrong ones; of those whose right label is positive (negative), those predicted positive.

    Args:
        measure: one of `MEASURES`.
        predictions: all of them.
        group: whose members count.
        positive: the label that counts as yes.
    """
    members = group.members
    if measure == "error_rate":
        return _share(predictions.is_wrong & members, predictions.is_judged & members)
    if positive is None:
        return None
    code = predictions.classes.index(positive) if positive in predictions.classes else -2
    said_yes, is_yes = predictions.label == code, predictions.label_true == code
    of = predictions.label >= 0
    if measure == "true_positive_rate":
        of = predictions.is_judged & is_yes
    elif measure == "false_positive_rate":
        of = predictions.is_judged & ~is_yes
    return _share(said_yes & of & members, of & members)


def _share(having: Flags, of: Flags) -> Share:
    return Share(int(having.sum()), int(of.sum()))


def _ranges(values: Any, cuts: Sequence[float]) -> Iterator[Group]:
    """Ranges that begin at the cuts; NaN lies in none."""
    yield Group(f"below {cuts[0]:g}", values < cuts[0], (f"< {cuts[0]!r}",))
    for low, high in pairwise(cuts):
        yield Group(f"{low:g} to {high:g}", (values >= low) & (values < high), (f">= {low!r}", f"< {high!r}"))
    yield Group(f"{cuts[-1]:g} and more", values >= cuts[-1], (f">= {cuts[-1]!r}",))


def _numbers(feature: Feature, values: Any) -> Iterator[Group]:
    distinct = np.unique(values[~np.isnan(values)])
    if len(distinct) > _MOST_NUMBERS:
        raise AnalysisError(f"{feature.name} is a number with {len(distinct):,} values: cut it, as by --cuts 30,50")
    for value in distinct.tolist():
        yield Group(f"{value:g}", values == value, (f"= {value!r}",))
