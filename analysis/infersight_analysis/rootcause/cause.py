"""The origin of an incident: what all signals say of each service, together."""

from collections.abc import Mapping
from typing import Final

import duckdb
import numpy as np

from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import Evidence, RootCause, Suspect
from infersight_analysis.rootcause import checking
from infersight_analysis.rootcause.question import Question
from infersight_analysis.rootcause.scene import Scene
from infersight_analysis.rootcause.telling import signs
from infersight_analysis.times import iso_time

LIKELY: Final = 0.5


def rootcause(connection: duckdb.DuckDBPyConnection, question: Question, *, limit: int = 10) -> RootCause:
    """Rank services as the origin of an incident.

    Args:
        connection: from `connect`.
        question: the incident.
        limit: most services to list.

    Returns:
        the services for which something speaks, the likeliest first; none where nothing deviates.

    Raises:
        AnalysisError: the incident ends before it begins, or its baseline does.
    """
    from_ns, until_ns = question.baseline_ns
    if question.start_ns >= question.end_ns or from_ns >= until_ns:
        raise AnalysisError("the incident and its baseline must end after they begin")
    scene = Scene.of(connection, question)
    scores = scene.evidence()
    totals = {service: sum(of_service.values()) for service, of_service in scores.items()}
    confidences = _confidences(totals, len(scene.services()), was_noticed=question.symptom is not None)
    ranked = sorted(totals, key=lambda service: (-totals[service], -scene.own_excess(service), service))
    suspects = [
        Suspect(
            service=service,
            score=round(totals[service], 3),
            confidence=round(confidences[service], 4),
            signals={signal: round(nats, 3) for signal, nats in scores[service].items()},
            evidence=signs(scene, service),
        )
        for service in ranked[:limit]
    ]
    verdict = "origin" if suspects and suspects[0].confidence >= LIKELY else "unknown"
    return RootCause(
        verdict=verdict,
        summary=_summary(verdict, suspects, scene),
        services=suspects,
        found=len(ranked),
        start=iso_time(question.start_ns),
        end=iso_time(question.end_ns),
        baseline_start=iso_time(from_ns),
        baseline_end=iso_time(until_ns),
        read=scene.read(),
        notes=scene.notes(),
        evidence=Evidence(
            list(
                dict.fromkeys(
                    trace for suspect in suspects[:1] for sign in suspect.evidence for trace in sign.evidence.trace_ids
                )
            ),
            [checking.spans(question, suspects[0].service, None)] if suspects else [],
        ),
    )


def _confidences(totals: Mapping[str, float], services: int, *, was_noticed: bool) -> dict[str, float]:
    """The probability of each service to be the origin.

    Before the evidence all services are as likely; that nothing happened is as likely as that something did, unless it
    was noticed.

    Args:
        totals: the evidence for services, in nats; 0 for those that are absent.
        services: how many services there are.
        was_noticed: whether it is known that something happened.
    """
    if not totals:
        return {}
    nats = np.array(list(totals.values()))
    largest = max(float(nats.max()), 0.0)
    nothing = 0.0 if was_noticed else services * np.exp(-largest)
    others = max(0, services - len(nats)) * np.exp(-largest)
    odds = np.exp(nats - largest)
    return dict(zip(totals, (odds / (odds.sum() + others + nothing)).tolist(), strict=True))


def _summary(verdict: str, suspects: list[Suspect], scene: Scene) -> str:
    if not suspects:
        return "unknown: nothing deviates from the baseline" if any(map(any, scene.read().values())) else "no data"
    first = suspects[0]
    if verdict == "unknown":
        return f"unknown: no service stands out beyond chance; {first.service} would be the first to look at"
    return f"it began in {first.service} ({first.confidence:.0%})"
