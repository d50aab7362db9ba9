"""Slices in words, with counts, intervals, examples and SQL."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from infersight_analysis.findings.evidence import Evidence
from infersight_analysis.findings.model_errors import AlsoCalled, ErrorSlice, Slices
from infersight_analysis.quality.examples import examples, share
from infersight_analysis.quality.predictions import Flags, Predictions, condition, counting
from infersight_analysis.quality.slices import Found, Search
from infersight_analysis.stats.proportions import difference

_SAME: Final = 5


@dataclass(frozen=True)
class Bad:
    """What is looked for: bad predictions among others.

    Args:
        what: what is bad of them, in words.
        sql: the same in SQL.
        members: which ones are.
        among: which ones could be.
        is_sure: which ones the model was sure of.
    """

    what: str
    sql: str
    members: Flags
    among: Flags
    is_sure: Flags


def slices_of(predictions: Predictions, bad: Bad, limit: int) -> Slices:
    """Where predictions are bad more often than elsewhere.

    Args:
        predictions: all of them.
        bad: which are.
        limit: most slices to tell.
    """
    chosen = predictions.only(bad.among)
    members, is_sure = bad.members[bad.among], bad.is_sure[bad.among]
    bad = replace(bad, members=members, is_sure=is_sure)
    search = Search(chosen, members)
    told = [_told(chosen, bad, each) for each in search.slices()[:limit]]
    return Slices(bad.what, share(np.count_nonzero(members), len(chosen)), search.tests, told)


def _told(predictions: Predictions, bad: Bad, found: Found) -> ErrorSlice:
    candidate, inside = found.discovery.candidate, found.members
    of_inside = share(np.count_nonzero(bad.members & inside), np.count_nonzero(inside))
    of_outside = share(np.count_nonzero(bad.members & ~inside), np.count_nonzero(~inside))
    effect = difference(of_outside.count, of_outside.of, of_inside.count, of_inside.of)
    shown = examples(predictions, bad.members & inside)
    conditions = [condition(feature, *comparisons) for feature, comparisons in found.comparisons]
    told = ErrorSlice(
        attributes=[trait.attribute.name for trait in candidate.traits],
        values=list(found.values),
        kind=candidate.kind,
        statement="",
        bad=of_inside,
        elsewhere=of_outside,
        difference=effect.value,
        difference_interval=(effect.low, effect.high),
        share_of_all=of_inside.count / max(1, int(np.count_nonzero(bad.members))),
        confident=int(np.count_nonzero(bad.members & inside & bad.is_sure)),
        p_value=candidate.p_value,
        q_value=found.discovery.q_value,
        strength=candidate.strength,
        same_as=[AlsoCalled(*each) for each in found.same_as[:_SAME]],
        examples=shown,
        evidence=Evidence(
            [each.trace_id for each in shown if each.trace_id], counting(predictions.origin, bad.sql, conditions)
        ),
    )
    return replace(told, statement=_statement(told, bad.what))


def named(found: ErrorSlice) -> str:
    """A slice by its characteristics: `infersight.input.case = upper`."""
    return in_words(found.attributes, found.values)


def in_words(attributes: Sequence[str], values: Sequence[str]) -> str:
    """Attributes with their values or ranges."""
    return " and ".join(
        f"{attribute} {value if value[:1] in tuple('<>=') else f'= {value}'}"
        for attribute, value in zip(attributes, values, strict=True)
    )


def _statement(told: ErrorSlice, what: str) -> str:
    """`where infersight.input.case = upper 90 % of 146 are wrong, elsewhere 6 % of 1,354`, and how much that is."""
    low, high = told.difference_interval
    confident = f", {told.confident} of them sure" if told.confident and what == "wrong" else ""
    return (
        f"where {named(told)}, {_percent(told.bad.share)} of {told.bad.of:,} are {what}, "
        f"elsewhere {_percent(told.elsewhere.share)} of {told.elsewhere.of:,}: "
        f"{100 * told.difference:.0f} points more ({100 * low:.0f} to {100 * high:.0f}), "
        f"{100 * told.share_of_all:.0f} % of all{confident}"
    )


def _percent(share: float | None) -> str:
    if not share:
        return "none"
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1g} %"
