"""Whether an experiment can be trusted, before anybody looks at what it says."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from infersight_analysis.experiments.observations import NONE, Codes, Labels, Numbers, Observations, Outcome
from infersight_analysis.experiments.question import Question
from infersight_analysis.experiments.samples import Rows
from infersight_analysis.findings import ExperimentCheck
from infersight_analysis.stats.contingency import Association, association, goodness_of_fit
from infersight_analysis.stats.means import difference

ALARM: Final = 0.001
"""A check has failed where chance alone does as much once in a thousand experiments: a fault must be sure, because it
ends the experiment (Fabijan et al., KDD 2019)."""

_MOST_MIXED: Final = 0.01
"""The share of units in several arms from which on the others are no random part any more."""

_TIMES: Final = 10

OK: Final = "ok"
NOTED: Final = "noted"
FAILED: Final = "failed"
UNKNOWN: Final = "unknown"


def checks(observations: Observations, question: Question) -> list[ExperimentCheck]:
    """All checks of an experiment but for those that need its results.

    Args:
        observations: what was observed.
        question: the experiment.
    """
    found = [sample_ratio(observations, question), stability(observations)]
    for outcome in observations.outcomes:
        found += [variance(observations, outcome), *missing_outcomes(observations, outcome)]
    found += over_time(observations)
    found += segments(observations)
    found += other_tests(observations)
    found += pre_period(observations)
    return found


def sample_ratio(observations: Observations, question: Question) -> ExperimentCheck:
    """Whether the arms got the units that the split says."""
    counts = _unit_counts(observations)
    named = dict(zip(observations.arms, counts.tolist(), strict=True))
    shares = np.array(question.shares(observations.arms))
    p_value = goodness_of_fit(counts, shares)
    parts = " : ".join(f"{name} {count:,.0f}" for name, count in named.items())
    meant = " : ".join(f"{100 * share:.3g} %" for share in shares)
    numbers = {"units": named, "split": dict(zip(observations.arms, shares.tolist(), strict=True))}
    if p_value < ALARM:
        said = f"sample-ratio mismatch: {parts}, where {meant} were meant (p = {p_value:.1g}); the assignment or the"
        return ExperimentCheck("sample ratio", FAILED, f"{said} recording loses units of an arm", p_value, numbers)
    return ExperimentCheck("sample ratio", OK, f"{parts} units, meant {meant}", p_value, numbers)


def _unit_counts(observations: Observations) -> Numbers:
    """Units of each arm; of a sample how many independent ones tell as much."""
    arm = observations.unit_arm
    known = arm != NONE
    size = len(observations.arms)
    if not observations.is_weighted:
        return np.bincount(arm[known], minlength=size).astype(np.float64)
    weight = observations.weight[observations.first_row][known]
    counts: Numbers = np.bincount(arm[known], weight, size) * weight.sum() / (weight**2).sum()
    return counts


def stability(observations: Observations) -> ExperimentCheck:
    """Whether units keep their variant."""
    mixed, units = int(observations.is_mixed.sum()), len(observations.unit.names)
    numbers = {"mixed": mixed, "units": units}
    name = "assignment stability"
    if not mixed:
        many = len(observations) > units
        said = f"every unit ({observations.unit_is}) keeps its variant" if many else "no unit was seen twice"
        return ExperimentCheck(name, OK if many else UNKNOWN, said, None, numbers)
    some = [name for name, is_mixed in zip(observations.unit.names, observations.is_mixed, strict=True) if is_mixed][:3]
    said = f"{mixed:,} of {units:,} ({mixed / units:.2%}) got more than one variant, such as {', '.join(some)}"
    if mixed / units > _MOST_MIXED:
        return ExperimentCheck(
            name, FAILED, f"{said}: the assignment does not stick to {observations.unit_is}", None, numbers
        )
    return ExperimentCheck(name, NOTED, f"{said}; they are left out", None, numbers)


def variance(observations: Observations, outcome: Outcome) -> ExperimentCheck:
    """Whether the values of a metric differ at all."""
    rows = Rows.of(observations, outcome)
    name = f"variance of {rows.metric.name}"
    constant: list[tuple[str, float, int]] = []
    for place, arm in enumerate(observations.arms):
        of_arm = rows.only((rows.arm == place) & (rows.divisor != 0))
        values = of_arm.value / of_arm.divisor
        if not len(values):
            return ExperimentCheck(name, FAILED, f"{arm} has no {rows.metric.name} at all", None, {"arm": arm})
        if len(values) > 1 and not np.ptp(values):
            constant.append((arm, float(values[0]), len(values)))
    if not constant:
        return ExperimentCheck(name, OK, "values differ in every arm")
    said = ", ".join(f"all {count:,} of {arm} are {value:.6g}" for arm, value, count in constant)
    numbers = {"constant": {arm: value for arm, value, _ in constant}}
    if rows.metric.is_share:
        return ExperimentCheck(name, NOTED, said, None, numbers)
    return ExperimentCheck(name, FAILED, f"zero variance: {said}; check how it is recorded", None, numbers)


def missing_outcomes(observations: Observations, outcome: Outcome) -> Iterator[ExperimentCheck]:
    """Whether a metric's values are missing in one arm more than in another, as where labels arrive for one only."""
    has = np.zeros(len(observations.unit.names), np.int64)
    has[observations.unit.codes[outcome.row]] = 1
    if has.all():
        return
    arm = Labels(observations.unit_arm, observations.arms)
    counts = arm.counted(Labels(has, ("without", "with")))
    name = f"missing {outcome.metric.name}"
    shares = counts[:, 0] / np.maximum(counts.sum(axis=1), 1)
    listed = zip(observations.arms, shares.tolist(), strict=True)
    said = ", ".join(f"{each} {share:.1%}" for each, share in listed)
    found = association(counts)
    numbers = {"without": dict(zip(observations.arms, counts[:, 0].tolist(), strict=True))}
    if found.p_value is not None and found.p_value < ALARM:
        said = f"{outcome.metric.name} is missing more often in one arm than in another: {said}"
        yield ExperimentCheck(name, FAILED, f"{said}; what is left is no random part", found.p_value, numbers)
    else:
        yield ExperimentCheck(name, NOTED, f"units without it: {said}", found.p_value, numbers)


def time_of(observations: Observations) -> Labels | None:
    """In which tenth of the exposures, in the order of time, each is; None where times are not known."""
    return None if observations.time_ns is None else _tenths(observations.time_ns)


def unit_time_of(observations: Observations) -> Labels | None:
    """In which tenth of the new units, in the order of time, each unit is."""
    return None if observations.time_ns is None else _tenths(observations.time_ns[observations.first_row])


def _tenths(times: Codes) -> Labels | None:
    if not np.ptp(times):
        return None
    edges = np.quantile(times, np.linspace(0, 1, _TIMES + 1)[1:-1])
    codes: Codes = np.searchsorted(edges, times, "right")
    return Labels(codes, tuple(f"tenth {place + 1}" for place in range(_TIMES)))


def over_time(observations: Observations) -> Iterator[ExperimentCheck]:
    """Whether the arms got new units at the same times."""
    times = unit_time_of(observations)
    if times is None:
        return
    found = _with_arm(observations, times)
    if found.p_value is None:
        return
    if found.p_value < ALARM:
        said = "the arms got their units at different times, as while a share is raised step by step"
        yield ExperimentCheck("arms over time", NOTED, said, found.p_value, {"strength": found.strength})
    else:
        yield ExperimentCheck("arms over time", OK, "the arms got their units at the same times", found.p_value)


def segments(observations: Observations) -> Iterator[ExperimentCheck]:
    """Whether the arms have the same units: as many of each country, client, instance."""
    tested = {
        name: _with_arm(observations, observations.of_units(labels)) for name, labels in observations.segments.items()
    }
    known = {name: each for name, each in tested.items() if each.p_value is not None}
    differing: list[str] = []
    for name, each in known.items():
        if (each.p_value or 0.0) * len(known) >= ALARM:
            continue
        differing.append(name)
        numbers = {"strength": each.strength, "units": _named_counts(observations, name)}
        said = f"{name} differs between the arms ({_shares(observations, name)}; p = {each.p_value:.1g})"
        if name in observations.declared:
            yield ExperimentCheck("segments", FAILED, f"{said}: the assignment depends on it", each.p_value, numbers)
        else:
            more = ": it tells the arms apart" if each.strength > 0.99 else ", or the variant changes it"
            yield ExperimentCheck("segments", NOTED, f"{said}{more}", each.p_value, numbers)
    if known and not differing:
        least = min((each.p_value or 1.0) * len(known) for each in known.values())
        said = f"the arms are alike in {', '.join(sorted(known)[:6])}{' and others' if len(known) > 6 else ''}"
        yield ExperimentCheck("segments", OK, said, min(1.0, least))


def other_tests(observations: Observations) -> Iterator[ExperimentCheck]:
    """Whether another experiment's variants go with this one's."""
    tested = {
        name: _with_arm(observations, observations.of_units(labels)) for name, labels in observations.others.items()
    }
    known = {name: each for name, each in tested.items() if each.p_value is not None}
    for name, each in known.items():
        if (each.p_value or 0.0) * len(known) < ALARM:
            said = f"the variants of {name} go with these (p = {each.p_value:.1g}): no telling whose effect it is"
            yield ExperimentCheck("other tests", FAILED, said, each.p_value, {"other": name, "strength": each.strength})
        else:
            yield ExperimentCheck(
                "other tests", OK, f"{name} is independent of this one", each.p_value, {"other": name}
            )


def pre_period(observations: Observations) -> Iterator[ExperimentCheck]:
    """Whether the arms differed before the experiment began."""
    for name, covariate in observations.covariates.items():
        for place, arm in enumerate(observations.arms[1:], 1):
            a, b = (covariate[observations.unit_arm == each] for each in (0, place))
            a, b = a[~np.isnan(a)], b[~np.isnan(b)]
            if min(len(a), len(b)) < 2:
                yield ExperimentCheck("pre-period", UNKNOWN, f"too few units of {arm} have an earlier {name}")
                continue
            found = difference(a, b)
            p_value = found.p_value or 0.0
            numbers = {"difference": found.value, "units": [len(a), len(b)]}
            if p_value < ALARM:
                said = f"{arm} differed in {name} before it got the variant (p = {p_value:.1g})"
                yield ExperimentCheck("pre-period", FAILED, said, p_value, numbers)
            else:
                yield ExperimentCheck("pre-period", OK, f"{arm} did not differ in {name} before", p_value, numbers)


def _with_arm(observations: Observations, labels: Labels) -> Association:
    return association(Labels(observations.unit_arm, observations.arms).counted(labels))


def _named_counts(observations: Observations, name: str) -> dict[str, dict[str, int]]:
    labels = observations.of_units(observations.segments[name])
    counts = Labels(observations.unit_arm, observations.arms).counted(labels)
    return {
        arm: dict(zip(labels.names, row.tolist(), strict=True))
        for arm, row in zip(observations.arms, counts, strict=True)
    }


def _shares(observations: Observations, name: str) -> str:
    """The value whose share differs the most, and its share in each arm."""
    labels = observations.of_units(observations.segments[name])
    counts = Labels(observations.unit_arm, observations.arms).counted(labels)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    most = int(np.argmax(np.ptp(shares, axis=0)))
    parts = zip(observations.arms, shares[:, most].tolist(), strict=True)
    return f"{labels.names[most]}: " + ", ".join(f"{arm} {share:.0%}" for arm, share in parts)
