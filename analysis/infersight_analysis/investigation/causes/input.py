"""The request, or another of its batch, brought more work."""

from typing import Final

from infersight_analysis.findings import Hypothesis
from infersight_analysis.investigation.case import Case
from infersight_analysis.investigation.pieces import WORK
from infersight_analysis.investigation.traits import LARGE, Trait

_SURE_OTHERS_TOO: Final = 0.92
_SURE_ALONE: Final = 0.75
_SURE_AGAINST: Final = 0.25


def large_input(case: Case) -> list[Hypothesis]:
    """An input larger than others, in a request that worked longer than others."""
    pieces = case.pieces_of(WORK)
    explained = case.excess_in(WORK)
    if not pieces or not case.is_worth_naming(explained):
        return []
    sizes = [trait for trait in case.traits if trait.is_size]
    if not sizes:
        return []
    # What the application says of its input is told before what the batcher says.
    trait = max(sizes, key=lambda size: (_sure(size), not size.key.startswith("infersight.")))
    statement = f"{case.compared(pieces[0])}; {trait.statement}"
    ride = case.batches[0] if case.batches else None
    traces = [ride.members[0].trace_id] if ride and ride.members else []
    if ride and ride.item_size is not None and ride.largest_size and ride.item_size < ride.largest_size:
        statement += f"; its own is {ride.item_size:g}, another's in its batch {ride.largest_size:g}"
    opposing: list[str] = []
    if trait.alike and trait.effect < LARGE:
        opposing.append(f"{trait.alike} others as large took {trait.effect:.1f} times as long")
    return [
        case.hypothesis(
            "large_input",
            explained,
            sure=_sure(trait),
            statement=statement,
            evidence=case.piece_evidence(pieces[0], *traces),
            supporting=[other.statement for other in sizes[:3]],
            opposing=opposing,
        )
    ]


def _sure(trait: Trait) -> float:
    if trait.effect >= LARGE:
        return _SURE_OTHERS_TOO
    return _SURE_AGAINST if trait.alike else _SURE_ALONE
