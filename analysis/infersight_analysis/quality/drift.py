"""What is distributed otherwise than in the reference, since when, from predictions to findings."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from infersight_analysis.findings.evidence import Evidence
from infersight_analysis.findings.model_drift import DriftBin, DriftGroup, FeatureDrift, ModelDrift
from infersight_analysis.quality.comparing import LEAST, Compared, Group, groups_of
from infersight_analysis.quality.distributions import observed
from infersight_analysis.quality.examples import examples
from infersight_analysis.quality.onset import as_points, began, scores_over_time
from infersight_analysis.quality.predictions import MODEL_VERSION, Feature, Numbers, Origin, Predictions
from infersight_analysis.stats.discoveries import q_values
from infersight_analysis.stats.divergence import power
from infersight_analysis.times import iso_time

THRESHOLD: Final = 0.1
"""Less is no shift by the convention of credit scoring (Siddiqi, Intelligent Credit Scoring, 2017), 0.25 a large."""

LEVEL: Final = 0.01
_BINS: Final = 10
_MOST_BINS: Final = 12
_SEEN: Final = 0.5


def drift(
    current: Predictions, reference: Predictions, *, threshold: float = THRESHOLD, by: Sequence[str] = (MODEL_VERSION,)
) -> ModelDrift:
    """Find what is distributed otherwise than in the reference.

    Args:
        current: the predictions to judge.
        reference: those to compare them with.
        threshold: the population stability index, less what chance adds, from which on a difference counts.
        by: features by each of whose values predictions are compared besides.

    Returns:
        the findings; with a note, and without groups, where either has fewer than 50 predictions.
    """
    groups = list(groups_of(current, reference, by)) if min(len(current), len(reference)) >= LEAST else []
    every = [each for group in groups for each in group.compared]
    q: list[float] = q_values(np.array([each.p_value for each in every], np.float64)).tolist()
    rates = iter(q)
    told = [_of_group(group, [next(rates) for _ in group.compared], threshold) for group in groups]
    drifted = [each for group in told for each in group.features if each.is_drift]
    return ModelDrift(
        about=_about(current),
        reference=_about(reference),
        summary=_summary(current, reference, told),
        drifted=len(drifted),
        tests=len(every),
        threshold=threshold,
        level=LEVEL,
        groups=told,
        notes=_notes(current, reference, groups, threshold if not drifted else None),
        evidence=Evidence([], [], {"least": LEAST, "threshold": threshold, "level": LEVEL}),
    )


def _of_group(group: Group, rates: Sequence[float], threshold: float) -> DriftGroup:
    """What is told of a group, drifted features first, then by how much they changed."""
    features = [_told(group, each, rate, threshold) for each, rate in zip(group.compared, rates, strict=True)]
    features.sort(key=lambda each: (not each.is_drift, each.psi_noise - each.psi))
    return DriftGroup(group.name, len(group.reference), len(group.current), group.against, features)


def _told(group: Group, compared: Compared, q_value: float, threshold: float) -> FeatureDrift:
    divergence, distributions = compared.divergence, compared.distributions
    is_drift = q_value <= LEVEL and divergence.psi_debiased >= threshold
    order: list[int] = np.argsort(-divergence.contributions, kind="stable").tolist()
    feature = compared.features[1]
    grown = next((at for at in order if divergence.score[at] > 0), 0)
    shown = examples(group.current, distributions.current == grown, 3) if is_drift else []
    times, scores = _over_time(group, compared) if is_drift else (np.zeros(0, np.int64), np.zeros(0))
    return FeatureDrift(
        feature=feature.name,
        kind=compared.kind,
        is_drift=is_drift,
        statement=f"{feature.name}: {_in_words(compared)}",
        psi=divergence.psi,
        psi_interval=divergence.psi_interval(),
        psi_noise=divergence.psi_noise,
        psi_p_value=divergence.p_value(),
        jensen_shannon=divergence.jensen_shannon,
        distance=compared.distance,
        p_value=compared.p_value,
        q_value=q_value,
        reference=int(divergence.reference.sum()),
        current=int(divergence.current.sum()),
        bins=[_bin(compared, at) for at in order[:_MOST_BINS]],
        began=began(times, scores) if len(times) else None,
        first_time=iso_time(int(times[0])) if len(times) else None,
        scores=as_points(times, scores),
        examples=shown,
        evidence=Evidence(
            [each.trace_id for each in shown if each.trace_id],
            [*_showing(feature, group.reference.origin), *_showing(feature, group.current.origin)],
        ),
    )


def _bin(compared: Compared, at: int) -> DriftBin:
    divergence, name = compared.divergence, compared.distributions.names[at]
    counts = int(divergence.reference[at]), int(divergence.current[at])
    return DriftBin(name, *counts, float(divergence.contributions[at]))


def _over_time(group: Group, compared: Compared) -> tuple[Any, Numbers]:
    """The score of predictions over time, the reference's first where they were made before the others."""
    of_reference, of_current = group.reference.time_ns, group.current.time_ns
    if of_current is None:
        return np.zeros(0, np.int64), np.zeros(0)
    score = compared.divergence.score
    times, scores = of_current, score[compared.distributions.current]
    if of_reference is not None and of_reference.max() <= of_current.min():
        times = np.concatenate([of_reference, times])
        scores = np.concatenate([score[compared.distributions.reference], scores])
    return scores_over_time(times, scores)


def _in_words(compared: Compared) -> str:
    """What has become more, and what less."""
    divergence, distributions = compared.divergence, compared.distributions
    if distributions.numbers is not None:
        before, after = (float(np.median(each)) for each in distributions.numbers)
        return f"median {before:.4g}, now {after:.4g}"
    before, after = (counts / counts.sum() for counts in (divergence.reference, divergence.current))
    most = np.argsort(-divergence.contributions, kind="stable")[:2].tolist()
    return "; ".join(f"{distributions.names[at]} {100 * before[at]:.3g} %, now {100 * after[at]:.3g} %" for at in most)


def _showing(feature: Feature, origin: Origin) -> list[str]:
    """The query that shows a feature's distribution; none where it is no column of the predictions."""
    if feature.sql is None or origin.relation is None or "(select" in feature.sql or ": " in feature.name:
        return []
    value = "".join(feature.sql.rpartition("{}")[::2])
    shown = f"{value} as value, count(*) as predictions"
    if feature.is_number:
        tenths = ", ".join(f"{tenth / 10}" for tenth in range(1, 10))
        shown = f"count({value}) as predictions, quantile_cont({value}, [{tenths}]) as tenths"
    where = f" where {' and '.join(origin.where)}" if origin.where else ""
    grouped = "" if feature.is_number else " group by 1 order by 2 desc limit 20"
    return [f"select {shown} from {origin.relation}{where}{grouped}"]  # noqa: S608 - names and texts are quoted


def _about(predictions: Predictions) -> str:
    return f"{predictions.origin.about} ({len(predictions):,})"


def _summary(current: Predictions, reference: Predictions, groups: Sequence[DriftGroup]) -> str:
    said = f"{_about(current)} against {_about(reference)}"
    drifted = [each for group in groups for each in group.features if each.is_drift]
    if not drifted:
        return f"{said}: no drift"
    names = list(dict.fromkeys(each.feature for each in drifted))
    return f"{said}: {', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''} drifted"


def _notes(current: Predictions, reference: Predictions, groups: Sequence[Group], threshold: float | None) -> list[str]:
    """What is missing; with a threshold, whether so many predictions could have shown a change that large."""
    sizes = len(reference), len(current)
    if not groups:
        return [
            f"{_about(each)} are fewer than {LEAST}: need more data"
            for each in (current, reference)
            if len(each) < LEAST
        ]
    found = [*current.notes, *reference.notes]
    if threshold is not None and (seen := power(sizes, threshold, _BINS, LEVEL)) < _SEEN:
        found.append(
            f"need more data: among so few an index of {threshold:g} would be seen in {100 * seen:.0f} % of cases"
        )
    for one, other, where in ((current, reference, "only now"), (reference, current, "only in the reference")):
        known = {each.name for _, each in observed(other)}
        names = [each.name for kind, each in observed(one) if each.name not in known and kind != "rightness"]
        if names:
            found.append(f"known {where}, so not compared: {', '.join(names[:_MOST_BINS])}")
    if not groups[0].compared:
        found.append("need more data: nothing is known of both that could be compared")
    return found
