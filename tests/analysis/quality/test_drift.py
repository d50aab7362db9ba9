"""`infersight model drift`: what has changed, since when, and what chance alone would do."""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# (pandas publishes no types of all)

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.analysis.quality.populations import Columns, table
from tests.analysis.quality.recorded import TEXTS, predict
from tests.analysis.recording import SECOND, T0, Recording

from infersight_analysis.findings.model_drift import FeatureDrift, ModelDrift
from infersight_analysis.quality.comparing import LEAST
from infersight_analysis.times import iso_time, parse_time
from infersight_analysis.verbs.model.drift import drift, predictions_of


def compared(current: Columns, reference: Columns, **arguments: Any) -> ModelDrift:
    return drift(predictions_of(current), predictions_of(reference), **arguments)


def of(found: ModelDrift, name: str, group: int = 0) -> FeatureDrift:
    """One feature of a group; the first one is of all predictions."""
    return next(each for each in found.groups[group].features if each.feature == name)


def drifted(found: ModelDrift) -> list[str]:
    """The features of all predictions that drifted, the largest change first."""
    return [each.feature for each in found.groups[0].features if each.is_drift]


def test_a_change_of_every_kind_is_found_and_nothing_else() -> None:
    now, before = table(2_000, 1), table(3_000, 2)
    now["length"] = now["length"] * 3
    now["case"] = np.where(np.arange(2_000) % 3 == 0, "upper", now["case"])
    now["label"] = np.where(np.arange(2_000) % 2 == 0, "positive", now["label"])
    now["confidence"] = now["confidence"] ** 3
    found = compared(now, before)
    assert set(drifted(found)) == {"length", "case", "label", "confidence", "wrong"}
    assert [of(found, name).kind for name in ("length", "case", "label", "confidence", "wrong")] == [
        "input", "input", "prediction", "confidence", "rightness",
    ]  # fmt: skip
    assert of(found, "case").statement.startswith("case: upper 10")
    assert "median" in of(found, "length").statement


def test_a_feature_that_changes_only_in_shape_is_found() -> None:
    now, before = table(3_000, 1), table(3_000, 2)
    now["score"] = np.where(np.arange(3_000) % 2 == 0, 0.5 + (now["score"] - 0.5) / 10, now["score"])
    assert drifted(compared(now, before)) == ["score"]


def test_that_a_feature_is_missing_more_often_is_a_change() -> None:
    now, before = table(2_000, 1), table(2_000, 2)
    for name in ("score", "region"):
        column = pd.Series(now[name])
        column[np.arange(2_000) % 4 == 0] = None
        now[name] = column
    found = compared(now, before)
    assert set(drifted(found)) == {"score", "region"}
    assert of(found, "score").bins[0].name == "none"


def test_two_samples_of_one_population_hardly_ever_differ() -> None:
    found = [compared(table(600, 2 * seed + 1), table(900, 2 * seed)) for seed in range(40)]
    assert sum(each.drifted for each in found) == 0
    p_values = [each.p_value for one in found for group in one.groups for each in group.features]
    assert 0.02 < np.mean([p_value <= 0.05 for p_value in p_values]) < 0.08


@pytest.mark.slow
def test_in_a_thousand_pairs_of_samples_of_one_population_one_in_a_hundred_has_a_discovery() -> None:
    found = [compared(table(400, 2 * seed + 1), table(900, 2 * seed), threshold=1e-9) for seed in range(1_000)]
    assert sum(each.drifted > 0 for each in found) <= 20


def test_a_small_change_of_many_predictions_is_significant_but_no_drift() -> None:
    now, before = table(40_000, 1), table(40_000, 2)
    now["length"] = now["length"] * 1.1
    found = of(compared(now, before), "length")
    assert found.q_value < 0.01
    assert found.psi_interval[1] < 0.1
    assert not found.is_drift
    assert of(compared(now, before, threshold=0.001), "length").is_drift


def test_numbers_are_tested_as_scipy_does_it() -> None:
    from scipy import stats  # pyright: ignore[reportMissingTypeStubs]

    now, before = table(500, 1), table(700, 2)
    found = of(compared(now, before), "score")
    expected: Any = stats.ks_2samp(now["score"], before["score"])  # pyright: ignore[reportUnknownMemberType]
    assert found.distance == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue, abs=0.01)


@pytest.mark.parametrize("with_reference", [True, False])
def test_it_is_said_when_a_change_began(with_reference: bool) -> None:
    columns = table(4_000, 3)
    columns["time"] = np.arange(4_000) * SECOND
    columns["length"] = np.where(np.arange(4_000) >= 2_500, columns["length"] * 3, columns["length"])
    every = predictions_of(columns)
    early = np.arange(4_000) < 1_500
    reference = every.only(early) if with_reference else predictions_of(table(4_000, 4))
    found = of(drift(every.only(~early), reference), "length")
    assert found.began is not None
    low, at, high = (parse_time(each) / SECOND for each in (found.began.earliest, found.began.time, found.began.latest))
    assert low <= 2_500 <= high
    assert abs(at - 2_500) < 60
    assert len(found.scores) > 24
    assert found.first_time is not None
    first = parse_time(found.first_time) / SECOND
    before = [score for seconds, score in found.scores if first + seconds < 2_400]
    after = [score for seconds, score in found.scores if first + seconds > 2_600]
    assert np.mean(before) < 0 < np.mean(after)


def test_a_change_that_began_before_the_reference_ends_has_no_moment() -> None:
    now, before = table(2_000, 1), table(2_000, 2)
    now["time"] = before["time"] = np.arange(2_000) * SECOND
    now["length"] = now["length"] * 3
    found = of(compared(now, before), "length")
    assert found.is_drift
    assert found.began is None


def test_groups_are_compared_with_their_own_past() -> None:
    now, before = table(3_000, 1), table(3_000, 2)
    now["length"] = np.where(now["region"] == "eu", now["length"] * 4, now["length"])
    found = compared(now, before, by=["region"])
    groups = {group.group: [each.feature for each in group.features if each.is_drift] for group in found.groups}
    assert groups["region = eu"] == ["length"]
    assert groups["region = us"] == groups["region = asia"] == []
    assert {group.against for group in found.groups[1:]} == {"eu", "us", "asia"}
    assert "region" not in {each.feature for group in found.groups[1:] for each in group.features}


def test_a_value_that_the_reference_has_not_is_compared_with_all_of_it() -> None:
    now, before = table(1_000, 1), table(1_000, 2)
    now["infersight.model.version"] = np.where(np.arange(1_000) % 2 == 0, "2", "1")
    before["infersight.model.version"] = ["1"] * 1_000
    found = compared(now, before)
    assert {(group.group, group.against) for group in found.groups} == {
        (None, "all"), ("infersight.model.version = 1", "1"), ("infersight.model.version = 2", "all"),
    }  # fmt: skip


def test_what_only_one_of_both_has_is_said_and_not_compared() -> None:
    now, before = table(1_000, 1), table(1_000, 2)
    now["new"], before["old"] = now["score"], before["score"]
    found = compared(now, before)
    assert "known only now, so not compared: new" in found.notes
    assert "known only in the reference, so not compared: old" in found.notes
    assert not {"new", "old"} & {each.feature for each in found.groups[0].features}


def test_identifiers_and_what_says_where_it_ran_are_no_drift() -> None:
    now, before = table(1_000, 1), table(1_000, 2)
    now["user"] = [f"new {number}" for number in range(1_000)]
    now["service_instance_id"], before["service_instance_id"] = ["two"] * 1_000, ["one"] * 1_000
    assert drifted(compared(now, before)) == []


def test_too_few_predictions_need_more_data(tmp_path: Path, run: Any) -> None:
    few, many = tmp_path / "few.csv", tmp_path / "many.csv"
    pd.DataFrame(table(LEAST - 1, 1)).to_csv(few, index=False)
    pd.DataFrame(table(120, 2)).to_csv(many, index=False)
    outcome = run("model", "drift", "--file", few, "--reference-file", many)
    assert outcome.code == 3
    assert outcome.err == "the predictions in few.csv (49) are fewer than 50: need more data\n"
    unclear = run("model", "drift", "--file", many, "--reference-file", many, "--format", "table")
    assert unclear.code == 3
    assert unclear.err.startswith("need more data: among so few an index of 0.1 would be seen in ")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts grow from the 1 200th second on; from the 900th on version 2 answers half of them."""
    recording = Recording()
    for number in range(1, 1_801):
        text = TEXTS[number % 5] * (6 if number > 1_200 else 1)
        version = "2" if number > 900 and number % 2 else "1"
        confidence = {"infersight.prediction.confidence": 0.5 + (number * 37 % 50) / 100}
        predict(recording, number, text, "positive" if number % 3 else "negative", version=version, facts=confidence)
    return recording.write(tmp_path_factory.mktemp("drift") / "store")


def test_a_window_is_compared_with_all_that_was_before(store: Path, run: Any) -> None:
    outcome = run("model", "drift", "--store", store, "--start", iso_time(T0 + 1_000 * SECOND))
    assert outcome.code == 1
    (length, *_) = outcome.json["groups"][0]["features"]
    assert length["feature"] == "infersight.input.length"
    began = parse_time(length["began"]["time"]) - T0
    assert abs(began / SECOND - 1_200) < 60
    assert "2025-10-09 09:10:00" in outcome.json["reference"]
    text = run("model", "drift", "--store", store, "--start", iso_time(T0 + 1_000 * SECOND), "--format", "table").out
    assert "since 2025-10-09 09:1" in text
    assert "all predictions (801 against 999 of the reference)" in text


def test_the_sql_of_a_feature_shows_its_distribution(store: Path, run: Any) -> None:
    from infersight_analysis import connect

    answer = run("model", "drift", "--store", store, "--start", iso_time(T0 + 1_000 * SECOND)).json
    (length, *_) = answer["groups"][0]["features"]
    before, now = length["evidence"]["sql"]
    with connect(store) as connection:
        for sql, count in ((before, 999), (now, 801)):
            assert connection.execute(sql).fetchall()[0][0] == count


def test_a_window_and_a_version_can_be_the_reference(store: Path, run: Any) -> None:
    quiet = f"{iso_time(T0)}..{iso_time(T0 + 500 * SECOND)}"
    window = ["--start", iso_time(T0 + 500 * SECOND), "--end", iso_time(T0 + 900 * SECOND)]
    assert run("model", "drift", "--store", store, *window, "--reference-window", quiet).code == 0
    versions = run("model", "drift", "--store", store, "--model-version", "2", "--reference-version", "1")
    assert versions.code == 1
    assert versions.json["about"] == "the predictions of 2 (450)"
    assert versions.json["groups"][0]["features"][0]["began"] is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say what to compare with"),
        (["--reference-window", "yesterday"], "a window is written as START..END"),
        (["--reference-window", "2026-01-02..2026-01-01"], "ends before it starts"),
        (["--reference-version", "1", "--reference-file", "a.csv"], "give one reference"),
        (["--start", iso_time(T0 + 900 * SECOND), "--by", "colour"], "have no 'colour'"),
    ],
)
def test_wrong_use_is_one_line(store: Path, run: Any, arguments: list[str], message: str) -> None:
    outcome = run("model", "drift", "--store", store, *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.err.count("\n") == 1
