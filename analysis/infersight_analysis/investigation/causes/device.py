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
_BESIDE_A_SIZE: Final = 0.5

_UNUSUAL: Final = 3.5
_RECENT_NS: Final = 60 * SECOND_NS
_LEAST_RECENT: Final = 3


def device(case: Case) -> list[Hypothesis]:
    """Forward calls took longer although nothing tells their input apart."""
    pieces = case.pieces_of(MODEL)
    # Without a processor all that the process does takes longer, and its waits too, not only the model.
    slower = {piece.part for piece in case.all_pieces} if case.starved else MODEL
    explained = case.excess_in(slower) - sum(compilation.duration_ns for compilation in case.compilations)
    if not pieces or not case.is_worth_naming(explained):
        return []
    shown = [
        *map(_said, filter(_is_pressed, case.metrics)),
        *([case.starved] if case.starved else []),
        *_others(case, pieces[0]),
    ]
    sizes = [trait for trait in case.traits if trait.is_size]
    sure = (_SURE_SLOWER, _SURE_SHOWN, _SURE_TWICE)[min(len(shown), 2)]
    return [
        case.hypothesis(
            "device",
            explained,
            sure=sure * _BESIDE_A_SIZE if sizes else sure,
            statement=f"{case.compared(pieces[0])}, for an input as large as others"
            if not sizes
            else case.compared(pieces[0]),
            evidence=case.piece_evidence(pieces[0]),
            supporting=shown,
            opposing=[trait.statement for trait in sizes[:1]]
            or ([] if shown else ["no metric of its device shows it"]),
        )
    ]


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
