"""The model took longer for an input like others: its device was slower, or shared."""

from statistics import median
from typing import Final

from infersight_analysis.breakdown import Operation
from infersight_analysis.findings import Hypothesis, MetricPoint, Piece
from infersight_analysis.investigation.case import Case
from infersight_analysis.investigation.pieces import MODEL
from infersight_analysis.times import SECOND_NS, short_duration

_SURE_SLOWER: Final = 0.45
_SURE_SHOWN: Final = 0.75
_SURE_TWICE: Final = 0.88
_SURE_COUNTED: Final = 0.9
_BESIDE_A_SIZE: Final = 0.5

_UNUSUAL: Final = 3.5
_RECENT_NS: Final = 60 * SECOND_NS
_LEAST_RECENT: Final = 3


def device(case: Case) -> list[Hypothesis]:
    """Forward calls took longer although nothing tells their input apart; or the process waited for a processor."""
    starved = case.starved
    pieces = case.pieces_of(MODEL) or (case.pieces_of(_parts(case)) if starved else [])
    explained = _explained_ns(case)
    if not pieces or not case.is_worth_naming(explained):
        return []
    shown = [
        *map(_said, filter(_is_pressed, case.metrics)),
        *(starved.words if starved else []),
        *_others(case, pieces[0]),
    ]
    sizes = [trait for trait in case.traits if trait.is_size]
    alike = "" if sizes or pieces[0].part not in MODEL else ", for an input as large as others"
    return [
        case.hypothesis(
            "device",
            explained,
            sure=_sure(case, len(shown), has_size=bool(sizes)),
            statement=(f"{starved.words[0]}; " if starved else "") + case.compared(pieces[0]) + alike,
            evidence=case.piece_evidence(pieces[0]),
            supporting=shown,
            opposing=[trait.statement for trait in sizes[:1]]
            or ([] if shown else ["no metric of its device shows it"]),
        )
    ]


def _explained_ns(case: Case) -> float:
    """What slower forward calls explain, or what waits for a processor do."""
    compiled = sum(compilation.duration_ns for compilation in case.compilations)
    if case.starved is None:
        return case.excess_in(MODEL) - compiled
    if case.starved.is_counted:
        return case.starved.waited_ns
    # Without a processor all that the process does takes longer, and its waits too, not only the model.
    return case.excess_in(_parts(case)) - compiled


def _parts(case: Case) -> set[str]:
    return {piece.part for piece in case.all_pieces}


def _sure(case: Case, shown: int, *, has_size: bool) -> float:
    if case.starved is not None and case.starved.is_counted:
        return _SURE_COUNTED
    sure = (_SURE_SLOWER, _SURE_SHOWN, _SURE_TWICE)[min(shown, 2)]
    return sure * _BESIDE_A_SIZE if has_size else sure


def _is_pressed(point: MetricPoint) -> bool:
    """Whether a metric of the device, or of the processor, says that it was slower or shared."""
    if point.name == "infersight.gpu.throttled":
        return point.value > 0
    if point.deviation is None:
        return False
    if point.name == "infersight.gpu.clock.speed":
        return point.deviation < -_UNUSUAL
    if point.name == "process.context_switches":
        return point.attributes.get("process.context_switch.type") == "involuntary" and point.deviation > _UNUSUAL
    return point.name in ("hw.gpu.utilization", "hw.temperature") and point.deviation > _UNUSUAL


def _said(point: MetricPoint) -> str:
    kind = next((f" ({value})" for key, value in point.attributes.items() if not key.startswith("hw.")), "")
    deviation = "" if point.deviation is None else f", {point.deviation:+.1f} deviations"
    return f"{point.name}{kind} {point.value:.4g}, normally {point.median or 0:.4g}{deviation}"


def _others(case: Case, piece: Piece) -> list[str]:
    """Others in the minute before or after were slower at it too."""
    operation = Operation(piece.service, piece.name, piece.kind)
    start = case.request.span.start_ns
    recent = [
        anatomy.pieces.get(operation, 0)
        for node, anatomy in zip(case.baseline.nodes, case.baseline.anatomies, strict=True)
        if abs(node.span.start_ns - start) < _RECENT_NS
    ]
    normal = piece.baseline_ns or 0
    if len(recent) < _LEAST_RECENT or median(recent) < 1.5 * normal:
        return []
    return [f"{len(recent)} others within a minute took {short_duration(median(recent))} for it"]
