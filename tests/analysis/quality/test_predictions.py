"""Predictions as columns: what is read of a store, of files and of tables in Python, and what is refused."""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# (pyarrow publishes no types, pandas not all)

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.analysis.quality.recorded import predict, sentiment
from tests.analysis.recording import SECOND, T0, Recording

from infersight_analysis import connect
from infersight_analysis.errors import AnalysisError
from infersight_analysis.options import Window
from infersight_analysis.quality.predictions import Predictions, condition
from infersight_analysis.quality.reading import Chosen, file_predictions, stored_predictions
from infersight_analysis.quality.tables import predictions_of

ROWS: list[dict[str, Any]] = [
    {"label": "a", "label_true": "a", "confidence": 0.9, "age": 41, "city": "Rome"},
    {"label": "b", "label_true": "a", "confidence": None, "age": None, "city": "Rome"},
    {"label": None, "label_true": "b", "confidence": 0.4, "age": 7, "city": None},
]


def test_what_is_known_of_a_stored_prediction_its_request_and_its_process(tmp_path: Path) -> None:
    with connect(sentiment(tmp_path / "store", predictions=20)) as connection:
        found = stored_predictions(connection)
    assert len(found) == 20
    assert found.classes == ["negative", "positive"]
    assert found.is_judged.all()
    assert found.identity(0, "trace_id") == f"{1:032x}"
    assert found.identity(0, "prediction_id") == "p1"
    assert found.time_ns is not None
    assert found.time_ns[0] == T0 + SECOND + 10**6
    for name, value in {
        "infersight.input.case": "upper", "http.route": "/predict", "app.tenant": "tenant-1",
        "service_version": "1", "infersight.model.version": "1",
    }.items():  # fmt: skip
        feature = found.feature(name)
        assert feature.texts is not None
        assert feature.texts[feature.values(20)[9]] == value
    assert found.feature("infersight.batch.size").values(20)[:4].tolist() == [2, 3, 4, 1]


def test_what_the_model_said_and_what_identifies_an_input_are_no_features(tmp_path: Path) -> None:
    recording = Recording()
    predict(recording, 1, "fine", "a", facts={"infersight.prediction.entropy": 0.3})
    with connect(recording.write(tmp_path / "store")) as connection:
        names = {each.name for each in stored_predictions(connection).features}
    assert not {name for name in names if name.startswith("infersight.prediction") or name.endswith(".hash")}


def test_conditions_of_features_find_the_same_predictions_in_sql(tmp_path: Path) -> None:
    with connect(sentiment(tmp_path / "store", predictions=60)) as connection:
        found = stored_predictions(connection)
        for name, comparison, expected in (
            ("infersight.input.case", "= 'upper'", 6),
            ("app.tenant", "= 'tenant-0'", 20),
            ("service_version", "= '1'", 60),
        ):
            sql = f"select count(*) from predictions where {condition(found.feature(name), comparison)}"
            assert connection.execute(sql).fetchall() == [(expected,)]


def test_a_service_a_model_a_version_and_a_window_narrow_what_is_read(tmp_path: Path) -> None:
    recording = Recording()
    for number in range(1, 11):
        predict(recording, number, "fine", "a", version=str(1 + number % 2))
    with connect(recording.write(tmp_path / "store")) as connection:
        for chosen, count in (
            (Chosen(version="2"), 5),
            (Chosen(service="sentiment", model="sentiment"), 10),
            (Chosen(model="other"), 0),
            (Chosen(window=Window(T0 + 5 * SECOND, T0 + 8 * SECOND)), 3),
        ):
            assert len(stored_predictions(connection, chosen)) == count
    assert Chosen("web", "m", None, Window(T0)).about == "the predictions of web m from 2025-10-09 08:53:20"


def test_lists_are_features_of_which_a_prediction_may_have_several(tmp_path: Path) -> None:
    recording = Recording()
    predict(recording, 1, "fine", "a", facts={"infersight.input.missing": ["age", "income"]})
    predict(recording, 2, "fine", "a", facts={"infersight.input.missing": []})
    predict(recording, 3, "fine", "a", facts={"infersight.input.missing": ["income"]})
    with connect(recording.write(tmp_path / "store")) as connection:
        feature = stored_predictions(connection).feature("infersight.input.missing")
    assert feature.many
    assert feature.texts == ["age", "income"]
    assert feature.column.rows.tolist() == [0, 0, 2]


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_files_say_the_same_as_rows_in_python(tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame(ROWS)
    path = tmp_path / f"predictions.{ending}"
    if ending == "csv":
        frame.to_csv(path, index=False)
    elif ending == "parquet":
        frame.to_parquet(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    for found in (file_predictions(path), predictions_of(ROWS), predictions_of(frame)):
        assert found.classes == ["a", "b"]
        assert found.label.tolist() == [0, 1, -1]
        assert found.is_judged.tolist() == [True, True, False]
        assert found.is_wrong.tolist() == [False, True, False]
        assert np.array_equal(found.confidence, [0.9, np.nan, 0.4], equal_nan=True)
        assert np.array_equal(found.feature("age").values(3), [41, np.nan, 7], equal_nan=True)
        assert found.feature("city").values(3).tolist() == [0, 0, -1]


def test_labels_that_are_numbers_are_equal_however_they_are_written() -> None:
    found = predictions_of(pd.DataFrame({"label": [0, 1, 10], "label_true": [0.0, 2.0, np.nan]}))
    assert found.classes == ["0", "1", "2", "10"]
    assert found.is_wrong.tolist() == [False, True, False]


def test_the_text_of_an_input_is_characterised_as_the_sdk_does_it() -> None:
    found = predictions_of({"label": ["a", "b"], "input": ["LOUD", "quiet"]})
    case = found.feature("infersight.input.case")
    assert case.texts == ["upper", "lower"]
    assert found.feature("infersight.input.length").values(2).tolist() == [4, 5]
    assert found.identity(0, "input") == "LOUD"


def test_some_of_them_keep_what_belongs_to_them() -> None:
    found: Predictions = predictions_of({**{key: [row[key] for row in ROWS] for key in ROWS[0]}, "time": [5, 6, 7]})
    part = found.only(np.array([False, True, True]))
    assert part.label.tolist() == [1, -1]
    assert np.array_equal(part.feature("age").values(2), [np.nan, 7], equal_nan=True)
    assert part.time_ns is not None
    assert part.time_ns.tolist() == [6, 7]


def test_what_was_exported_of_a_store_is_read_with_its_attributes(tmp_path: Path) -> None:
    path = tmp_path / "exported.parquet"
    with connect(sentiment(tmp_path / "store", predictions=30)) as connection:
        pq.write_table(connection.sql("select * from predictions").to_arrow_table(), path)
    found = file_predictions(path)
    assert found.is_judged.all()
    assert found.time_ns is not None
    assert found.feature("infersight.input.case").texts is not None
    assert not {"entropy", "sample_weight", "time_ns"} & {each.name for each in found.features}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"label": ["a"], "confidence": ["high"]}, "confidence must be a number between 0 and 1, not string"),
        (3, "this is no table"),
    ],
)
def test_what_is_no_table_of_predictions_is_refused(table: Any, message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        predictions_of(table)


def test_a_confidence_that_is_none_counts_as_unknown_and_is_said() -> None:
    found = predictions_of({"label": ["a"] * 4, "confidence": [0.5, 97.0, -1.0, 97.0]})
    assert np.array_equal(found.confidence, [0.5, np.nan, np.nan, np.nan], equal_nan=True)
    assert found.notes == ("3 confidences are not between 0 and 1 and count as unknown, such as -1, 97",)


def test_conditions_hold_whatever_a_key_or_a_value_has_in_it() -> None:
    import duckdb

    table = {"label": ["a"] * 3, 'it\'s {} "odd"': ["O'Neill", "{}", None]}
    found = predictions_of(table).features[0]
    with duckdb.connect() as connection:
        rows = pa.table(table)
        connection.register("predictions", rows)
        for comparison in ("= 'O''Neill'", "= '{}'"):
            sql = f"select count(*) from predictions where {condition(found, comparison)}"
            assert connection.execute(sql).fetchall() == [(1,)]


def test_an_unknown_feature_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(AnalysisError, match="have no 'colour'; known is city, age"):
        predictions_of(ROWS).feature("colour")
