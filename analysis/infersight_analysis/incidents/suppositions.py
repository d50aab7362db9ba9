"""What may have brought an incident about, by what the verbs found: ranked, each with what would refute it."""

from collections.abc import Iterator, Sequence
from typing import Final

from infersight_analysis.deployments.marks import Mark
from infersight_analysis.findings import Comparison, ErrorGroups, RootCause
from infersight_analysis.findings.triage import RankedHypothesis
from infersight_analysis.times import SECOND_NS, short_duration

MOST: Final = 6
_LIKELY: Final = 0.5
_WORTH_A_WORD: Final = 0.05
_DISTINCTIONS: Final = 2
_FAULTS: Final = 2
_MESSAGE: Final = 80
"""Characters of a message that tell one fault from another."""


def ranked(
    cause: RootCause, marks: Sequence[Mark], start_ns: int, comparison: Comparison, errors: ErrorGroups
) -> list[RankedHypothesis]:
    """Suppositions, the one to test first in front.

    A likely origin comes first, then what was deployed before, the latest first, then what the requests concerned have
    in common, then faults, then origins that are less likely.

    Args:
        cause: of `rootcause`.
        marks: what was deployed, from a while before the incident on.
        start_ns: when the incident began, nanoseconds since the epoch.
        comparison: of the requests concerned with the others.
        errors: the faults of the incident.
    """
    origins = list(_origins(cause))
    likely = [each for each, confidence in origins if confidence >= _LIKELY]
    others = [each for each, confidence in origins if confidence < _LIKELY]
    common = _common(comparison)
    return [*likely, *_deployments(marks, start_ns), *common, *_faults(errors), *others][:MOST]


def _origins(cause: RootCause) -> Iterator[tuple[RankedHypothesis, float]]:
    for suspect in cause.services:
        if suspect.confidence >= _WORTH_A_WORD and suspect.evidence:
            sign = suspect.evidence[0]
            supposition = RankedHypothesis(
                statement=f"it began in {suspect.service}: {sign.statement}",
                refuted_by=f"requests fail or wait while {suspect.service} does what it always did",
                because=f"rootcause: {suspect.confidence:.0%} that it is the origin, if one service is",
                source="rootcause",
                evidence=sign.evidence,
            )
            yield supposition, suspect.confidence


def _deployments(marks: Sequence[Mark], start_ns: int) -> Iterator[RankedHypothesis]:
    for mark in sorted(marks, key=lambda mark: abs(mark.time_ns - start_ns)):
        distance_ns = mark.time_ns - start_ns
        when = (
            f"{short_duration(abs(distance_ns))} {'after' if distance_ns > 0 else 'before'} the time looked at begins"
        )
        if abs(distance_ns) < SECOND_NS:
            when = "just as the time looked at begins"
        yield RankedHypothesis(
            statement=f"{mark.statement} brought it about",
            refuted_by="it began before that, or what runs as before fails and waits as much at the same time",
            because=f"deployments: first seen {when}",
            source="deployments",
        )


def _common(comparison: Comparison) -> Iterator[RankedHypothesis]:
    for each in comparison.findings[:_DISTINCTIONS]:
        yield RankedHypothesis(
            statement=f"it comes with {' and '.join(each.attributes)}: {each.statement}",
            refuted_by="requests without that are concerned as often, among those that are alike otherwise",
            because=f"compare: of all that distinguishes {comparison.target.about} from {comparison.baseline.about}",
            source="compare",
            evidence=each.evidence,
        )


def _faults(errors: ErrorGroups) -> Iterator[RankedHypothesis]:
    """Faults that were not there before, or of which that is not known."""
    fresh = [group for group in errors.errors if group.state not in {"ongoing", "rarer"}]
    for group in fresh[:_FAULTS]:
        where = f" at {group.location}" if group.location else ""
        message = " ".join(group.message.split())[:_MESSAGE]
        kind = "" if group.category == "unknown" else f": {group.hypothesis}"
        state = f", {group.state}" if group.state else ""
        yield RankedHypothesis(
            statement=f"{group.type} “{message}”{where}{kind}",
            refuted_by="the same fault was there as often before, or requests without it are concerned too",
            because=f"errors: {group.count:,.6g} failures{state}, {group.category} since {group.category_reason}",
            source="errors",
            evidence=group.evidence,
        )
