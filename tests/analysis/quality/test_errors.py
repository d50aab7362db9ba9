"""`infersight model errors`: what it says of a store and of files, with labels and without."""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# (pandas publishes no types of all)

import json
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.quality.populations import EFFECTS, table
from tests.analysis.quality.recorded import predict, sentiment
from tests.analysis.recording import SECOND, T0, Recording

from infersight_analysis import connect
from infersight_analysis.quality.edges import edge_cases
from infersight_analysis.times import iso_time
from infersight_analysis.verbs.model.errors import errors, predictions_of, stored_predictions


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sentiment(tmp_path_factory.mktemp("quality") / "store")


def test_the_slice_in_which_the_model_is_wrong_and_sure_of_it_is_named_first(store: Path, run: Any) -> None:
    answer = run("model", "errors", "--store", store).json
    wrong, confident = answer["slices"]
    assert (wrong["what"], confident["what"]) == ("wrong", "confidently wrong")
    for each in (wrong["slices"][0], confident["slices"][0]):
        assert each["attributes"] == ["infersight.input.case"]
        assert each["values"] == ["upper"]
        assert each["difference_interval"][0] > 0.6
        assert each["confident"] == each["bad"]["count"]
    assert {same["attribute"] for same in wrong["slices"][0]["same_as"]} >= {"infersight.input.uppercase_ratio"}
    assert "most where infersight.input.case = upper" in answer["summary"]


def test_counts_examples_and_sql_of_a_slice_agree(store: Path, run: Any) -> None:
    answer = run("model", "errors", "--store", store).json
    found = answer["slices"][0]["slices"][0]
    with connect(store) as connection:
        rows = {row[0]: row[1:] for row in connection.execute(found["evidence"]["sql"][0]).fetchall()}
        assert rows[True] == (found["bad"]["count"], answer["wrong"]["count"])
        assert rows[False][0] == found["bad"]["of"] - found["bad"]["count"]
        for example in found["examples"]:
            columns = "label, label_true, trace_id, attributes['infersight.input.case']"
            sql = f"select {columns} from predictions where prediction_id = ?"
            (row,) = connection.execute(sql, [example["prediction_id"]]).fetchall()
            assert row == (example["label"], example["label_true"], example["trace_id"], "upper")


def test_mistakes_are_told_apart_by_how_sure_the_model_was(store: Path, run: Any) -> None:
    answer = run("model", "errors", "--store", store).json
    sure, between, unsure = answer["bands"]
    assert sure["wrong"]["count"] + between["wrong"]["count"] + unsure["wrong"]["count"] == answer["wrong"]["count"]
    assert all(example["confidence"] > 0.9 for example in sure["examples"])
    assert unsure["wrong"]["share"] == 1  # where it is not in capitals it is only wrong when it is unsure
    narrow = run("model", "errors", "--store", store, "--sure", "0.97", "--unsure", "0.55").json["bands"]
    assert narrow[0]["predictions"] < sure["predictions"]
    assert narrow[2]["predictions"] < unsure["predictions"]


def test_labels_that_arrive_after_the_window_count(store: Path, run: Any) -> None:
    window = ["--start", iso_time(T0), "--end", iso_time(T0 + 301 * SECOND)]
    answer = run("model", "errors", "--store", store, *window).json
    assert (answer["predictions"], answer["wrong"]["of"]) == (300, 300)


def test_without_labels_it_says_what_is_missing_and_where_the_model_is_unsure(tmp_path: Path, run: Any) -> None:
    outcome = run("model", "errors", "--store", sentiment(tmp_path / "store", labels=False))
    assert outcome.code == 3
    assert outcome.err.startswith("need more data: no labels")
    assert outcome.json["wrong"] == {"count": 0, "of": 0, "share": None, "interval": None}
    assert [each["what"] for each in outcome.json["slices"]] == ["unsure"]
    assert outcome.json["calibration"] is None
    assert outcome.json["edge_cases"] == [] or outcome.json["edge_cases"][0]["p_value"] is None


def test_predictions_that_failed_are_a_kind_of_their_own(tmp_path: Path) -> None:
    recording = Recording()
    for number in range(1, 201):
        text = "\N{CYRILLIC SMALL LETTER ZHE}" * 4 if number % 8 == 0 else "fine"
        failed = {"error.type": "ValueError"} if number % 8 == 0 else {}
        predict(recording, number, text, "positive", right="positive", facts=failed)
    with connect(recording.write(tmp_path / "store")) as connection:
        found = errors(stored_predictions(connection))
    assert (found.failed.count, found.failed.of) == (25, 200)
    (failing,) = found.slices
    assert failing.what == "failed"
    assert failing.slices[0].attributes == ["infersight.input.script"]
    assert failing.slices[0].values == ["Cyrillic"]


def test_labels_of_some_are_not_said_of_the_others(tmp_path: Path) -> None:
    recording = Recording()
    for number in range(1, 101):
        predict(recording, number, "fine", "positive", right="positive" if number <= 40 else None)
    with connect(recording.write(tmp_path / "store")) as connection:
        found = errors(stored_predictions(connection))
    assert (found.wrong.count, found.wrong.of) == (0, 40)
    assert "labels are known for 40 of 100 predictions; nothing is said of the others' rightness" in found.notes
    assert "no confidences: calibration, and what the model was sure of, cannot be said" in found.notes


def test_estimated_numbers_are_no_classes() -> None:
    numbers = [number / 7 for number in range(200)]
    notes = errors(predictions_of({"label": numbers, "label_true": numbers[::-1]})).notes
    assert "there are 200 labels: of estimated numbers wrong means not exactly equal" in notes


def test_inputs_at_the_edge_are_tested_by_themselves() -> None:
    columns = table(4_000, 1)
    is_edge = columns["length"] >= 1_200
    columns["label"] = ["neither" if edge else label for edge, label in zip(is_edge, columns["label"], strict=True)]
    found = edge_cases(predictions_of(columns))
    assert (found[0].attribute, found[0].is_worse) == ("length", True)
    assert found[0].edge.startswith(">=")
    assert not any(each.is_worse for each in found[1:])


def test_edges_by_chance_are_rarely_called_worse() -> None:
    worse = sum(any(each.is_worse for each in edge_cases(predictions_of(table(2_000, seed)))) for seed in range(60))
    assert worse <= 7  # 5 % of the populations, and no more than 12 % of them with 99 %


def test_a_calibrated_model_is_called_so_and_an_overconfident_one_not() -> None:
    import numpy as np

    chance = np.random.default_rng(1)
    said = 0.5 + 0.5 * chance.beta(3, 1.2, 2_000)
    for gap, words in ((0.0, "as often as it says"), (0.15, "too sure by")):
        is_right = chance.random(2_000) < said - gap
        label_true = np.where(is_right, "a", "b")
        found = errors(
            predictions_of({"label": ["a"] * 2_000, "label_true": label_true, "confidence": said})
        ).calibration
        assert found is not None
        assert words in found.statement
        low, high = found.overconfidence_interval
        assert low < gap < high
        low, high = found.expected_error_interval
        assert low <= gap <= high


def test_a_file_is_judged_as_a_store_is(tmp_path: Path, run: Any) -> None:
    import pandas as pd

    path = tmp_path / "predictions.csv"
    pd.DataFrame(table(1_500, 1, EFFECTS[0])).to_csv(path, index=False)
    answer = run("model", "errors", "--file", path).json
    assert answer["slices"][0]["slices"][0]["attributes"] == ["case"]
    assert answer["about"] == "the predictions in predictions.csv"
    text = run("model", "errors", "--file", path, "--format", "table").out
    assert "where case = upper" in text


def test_what_was_wrong_is_written_out_to_be_asked_again(tmp_path: Path, run: Any) -> None:
    store = sentiment(tmp_path / "store", inputs=True)
    file = tmp_path / "mistakes.jsonl"
    answer = run("model", "errors", "--store", store, "--write-regressions", file).json
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert len(lines) == answer["written"] == answer["wrong"]["count"]
    assert all(line["label"] != line["label_true"] for line in lines)
    capitals = [line for line in lines if line["slice"] == "infersight.input.case = upper"]
    assert lines[: len(capitals)] == capitals
    assert len(capitals) == answer["slices"][0]["slices"][0]["bad"]["count"]
    assert all(line["input"].isupper() and line["prediction_id"] and line["trace_id"] for line in capitals)
    assert lines[-1]["slice"] is None


def test_of_an_input_that_was_not_kept_its_characteristics_are_written(store: Path, tmp_path: Path, run: Any) -> None:
    file = tmp_path / "mistakes.jsonl"
    run("model", "errors", "--store", store, "--write-regressions", file)
    first = json.loads(file.read_text("utf-8").splitlines()[0])
    assert first["input"] is None
    assert first["characteristics"]["infersight.input.case"] == "upper"


def test_of_a_table_the_record_is_the_input_and_the_same_one_is_written_once(tmp_path: Path, run: Any) -> None:
    path, file = tmp_path / "predictions.jsonl", tmp_path / "mistakes.jsonl"
    rows = [{"label": "a", "label_true": "b", "age": 41, "city": "Rome"}] * 3
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run("model", "errors", "--file", path, "--write-regressions", file).json["written"] == 1
    assert json.loads(file.read_text("utf-8"))["input"] == {"age": 41, "city": "Rome"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--file", "nowhere.csv"], "there is no file nowhere.csv"),
        (["--file", "nowhere.csv", "--service", "web"], "choose from a store, not from --file"),
        (["--sure", "0.5"], "--unsure 0.6 must not be above --sure 0.5"),
        (["--sure", "2"], "is not in the range"),
    ],
)
def test_wrong_use_is_one_line(store: Path, run: Any, arguments: list[str], message: str) -> None:
    outcome = run("model", "errors", "--store", store, *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_store_without_predictions_needs_more_data(tmp_path: Path, run: Any) -> None:
    recording = Recording()
    recording.log(0, "nothing predicted")
    store = recording.write(tmp_path / "store")
    for form in ("json", "table"):
        outcome = run("model", "errors", "--store", store, "--format", form)
        assert outcome.code == 3
        assert outcome.err == "need more data: the predictions: there are none\n"
