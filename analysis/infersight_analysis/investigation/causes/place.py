"""Where the time went, when that is all that is known: a place, not a cause."""

from typing import Final

from infersight_analysis.findings import Hypothesis, Piece
from infersight_analysis.investigation.case import Case, excess_of
from infersight_analysis.times import short_duration

_SURE: Final = 0.4
_MOSTLY: Final = 0.7


def unknown(case: Case) -> list[Hypothesis]:
    """The piece with the largest excess, with what is told of it."""
    pieces = sorted(case.all_pieces, key=lambda piece: -excess_of(piece))[:1]
    if not pieces or not case.is_worth_naming(excess_of(pieces[0])):
        return []
    piece = pieces[0]
    return [
        case.hypothesis(
            "unknown",
            excess_of(piece),
            sure=_SURE,
            statement="; ".join([case.compared(piece), *(trait.statement for trait in case.traits[:2])]),
            evidence=case.piece_evidence(piece),
            supporting=_ran(piece),
        )
    ]


def _ran(piece: Piece) -> list[str]:
    """Whether its thread ran or stood still, where it says so."""
    if piece.cpu_ns is None:
        return []
    ran = f"its thread ran for {short_duration(piece.cpu_ns)} of {short_duration(piece.self_ns)}"
    if piece.cpu_ns >= _MOSTLY * piece.self_ns:
        return [f"{ran}: it computed"]
    return [f"{ran}: it waited, for something that no span tells of, or for a processor"]
