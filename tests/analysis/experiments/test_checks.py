"""What makes an experiment not to be trusted is found, and what does not is left in peace."""

from dataclasses import replace

import numpy as np
import pytest
from tests.analysis.experiments.populations import Columns, asked, experiment, named

from infersight_analysis.experiments.checks import sample_ratio
from infersight_analysis.experiments.rows import tabulated
from infersight_analysis.findings import ExperimentChecks
from infersight_analysis.verbs.abtest.check import check


def checked(columns: Columns, *metrics: str, **options: object) -> ExperimentChecks:
    return check(columns, asked(*metrics, **options))


def statuses(found: ExperimentChecks) -> dict[str, str]:
    return {each.name: each.status for each in found.checks}


def test_a_sound_experiment_passes_every_check() -> None:
    found = checked(experiment(), "converted", "spent", covariates={"spent": "spent_before"})
    assert found.can_be_trusted
    assert set(statuses(found).values()) == {"ok"}
    assert {"sample ratio", "assignment stability", "arms over time", "segments", "pre-period"} <= set(statuses(found))


def test_a_sample_ratio_mismatch_is_refused() -> None:
    columns = experiment(share_of_b=0.45)
    found = checked(columns)
    assert not found.can_be_trusted
    assert "sample-ratio mismatch" in found.summary
    assert (named(found, "sample ratio").p_value or 1) < 0.001
    # A ratio of 0.82 between the arms is within what a rule of 0.8 to 1.25 lets pass.
    sizes = [arm.units for arm in found.arms]
    assert 0.8 < min(sizes) / max(sizes) < 0.9


def test_the_split_that_was_meant_is_the_measure() -> None:
    columns = experiment(share_of_b=0.1)
    assert checked(columns, split={"A": 90.0, "B": 10.0}).can_be_trusted
    assert not checked(columns).can_be_trusted
    assert not checked(columns, split={"A": 80.0, "B": 20.0}).can_be_trusted


def test_units_are_counted_not_their_requests() -> None:
    rng = np.random.default_rng(3)
    users = np.array([f"u{number}" for number in range(400)])
    visits = np.where(np.arange(400) < 200, 3, 12)  # B comes back more often: an effect, no mismatch
    columns = {
        "user": np.repeat(users, visits),
        "variant": np.repeat(np.where(np.arange(400) < 200, "A", "B"), visits),
        "x": rng.normal(size=int(visits.sum())),
    }
    found = check(columns, asked("x", time=None))
    assert named(found, "sample ratio").status == "ok"
    assert [arm.units for arm in found.arms] == [200, 200]


def test_users_in_both_arms_are_found() -> None:
    columns = experiment()
    rng = np.random.default_rng(5)
    columns["variant"] = np.where(rng.uniform(size=len(columns["user"])) < 0.1, "B", columns["variant"])
    found = checked(columns)
    unstable = named(found, "assignment stability")
    assert unstable.status == "failed"
    assert "got more than one variant" in unstable.statement
    assert unstable.numbers["mixed"] > 100


def test_a_few_users_in_both_arms_are_left_out_and_said() -> None:
    columns = experiment()
    of_one = np.flatnonzero(columns["user"] == "u7")
    columns["variant"][of_one[0]] = "A"
    columns["variant"][of_one[1:]] = "B"
    found = checked(columns)
    assert found.can_be_trusted
    assert named(found, "assignment stability").status == "noted"
    assert "u7" in named(found, "assignment stability").statement
    assert sum(arm.units for arm in found.arms) == 1_999


def test_a_metric_without_variance_is_a_fault_of_its_recording() -> None:
    columns = experiment(users=200)
    columns["spent"] = np.where(columns["variant"] == "B", 7.0, columns["spent"])
    found = checked(columns, "spent")
    assert named(found, "variance of spent mean").status == "failed"
    assert "zero variance: all" in found.summary
    never = {**columns, "converted": np.zeros(len(columns["user"]), np.int64)}
    assert named(checked(never, "converted"), "variance of converted").status == "noted"


def test_labels_that_arrive_for_one_arm_more_than_for_the_other_are_found() -> None:
    columns = experiment()
    rng = np.random.default_rng(1)
    missing = rng.uniform(size=len(columns["user"])) < np.where(columns["variant"] == "B", 0.8, 0.5)
    columns["converted"] = np.where(missing, np.nan, columns["converted"])
    found = checked(columns, "converted")
    assert named(found, "missing converted").status == "failed"
    assert "missing more often in one arm" in found.summary


def test_an_assignment_that_depends_on_a_segment_fails_where_that_was_there_before() -> None:
    columns = experiment()
    is_lost = (columns["country"] == "US") & (columns["variant"] == "B")
    rng = np.random.default_rng(2)
    kept_users = {user for user in np.unique(columns["user"]) if rng.uniform() < 0.7}
    kept = ~is_lost | np.isin(columns["user"], list(kept_users))
    columns = {name: values[kept] for name, values in columns.items()}
    split = {"A": 1.0, "B": 0.9}
    guessed = named(checked(columns, split=split), "segments")
    assert (guessed.status, "or the variant changes it" in guessed.statement) == ("noted", True)
    declared = named(checked(columns, split=split, segments=("country",)), "segments")
    assert declared.status == "failed"
    assert declared.statement.startswith("country differs between the arms (US: A ")


def test_a_share_that_is_raised_step_by_step_is_noted() -> None:
    columns = experiment(users=4_000, visits=1)
    early = columns["at"] < np.median(columns["at"])
    rng = np.random.default_rng(4)
    kept = ~(early & (columns["variant"] == "B") & (rng.uniform(size=len(early)) < 0.8))
    columns = {name: values[kept] for name, values in columns.items()}
    found = checked(columns, split={"A": 1.0, "B": 0.6})
    assert named(found, "arms over time").status == "noted"
    assert found.can_be_trusted
    shares = [b / (a + b) for a, b in zip(*(arm.over_time for arm in found.arms), strict=True)]
    assert shares[0] < 0.3 < shares[-1]


def test_arms_that_differed_before_are_refused() -> None:
    columns = experiment()
    columns["spent_before"] = columns["spent_before"] * np.where(columns["variant"] == "B", 1.2, 1.0)
    found = checked(columns, "spent", covariates={"spent": "spent_before"})
    assert named(found, "pre-period").status == "failed"


def test_of_a_sample_as_many_units_count_as_tell_as_much() -> None:
    columns = experiment(users=1_000, visits=1, share_of_b=0.4)
    question = asked("converted")
    observed = tabulated(columns, question)
    every = sample_ratio(observed, question)
    sampled = sample_ratio(replace(observed, weight=np.where(np.arange(1_000) % 10 == 0, 100.0, 1.0)), question)
    assert every.status == "failed"
    assert sampled.status == "ok"  # one unit in ten has nearly all of the weight: some 120 tell as much
    assert sum(sampled.numbers["units"].values()) == pytest.approx(120, rel=0.05)


def test_without_times_units_or_returns_nothing_is_claimed() -> None:
    columns = {"variant": np.array(["A", "B"] * 50), "x": np.arange(100.0)}
    found = check(columns, asked("x", unit=None, time=None))
    assert statuses(found) == {"sample ratio": "ok", "assignment stability": "unknown", "variance of x mean": "ok"}
    assert found.start is None
    assert found.unit == "row"


@pytest.mark.slow
def test_sound_experiments_are_refused_once_in_hundreds() -> None:
    refused = [not checked(experiment(seed, users=300), "converted", "spent").can_be_trusted for seed in range(300)]
    assert sum(refused) <= 5
