"""Experiments out of files, data frames and rows."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingTypeStubs=false
# (pandas publishes no types)

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from tests.analysis.experiments.populations import asked, experiment, named

from infersight_analysis.errors import AnalysisError
from infersight_analysis.experiments.rows import tabulated
from infersight_analysis.verbs.abtest.check import check
from infersight_analysis.verbs.abtest.results import results


def test_a_file_a_data_frame_and_rows_say_the_same(tmp_path: Path) -> None:
    columns = experiment(users=300, lift=0.2)
    frame = pd.DataFrame(columns)
    frame.to_csv(tmp_path / "test.csv", index=False)
    pl.DataFrame(columns).write_parquet(tmp_path / "test.parquet")
    question = asked("converted", "spent", covariates={"spent": "spent_before"})
    sources = (columns, frame, pl.DataFrame(columns), frame.to_dict("records"), *tmp_path.iterdir())
    first, *others = [results(source, question) for source in sources]
    assert first.verdict == "ship"
    for other in others:
        assert (other.summary, other.arms) == (first.summary, first.arms)
        assert [each.status for each in other.checks] == [each.status for each in first.checks]


def test_times_may_be_written_in_any_usual_way() -> None:
    columns = experiment(users=50)
    whole = np.floor(columns["at"])
    moments = pd.to_datetime(whole, unit="s")
    for written in (moments, moments.strftime("%Y-%m-%d %H:%M:%S"), moments.strftime("%Y-%m-%dT%H:%M:%SZ"), whole):
        found = check({**columns, "at": list(written)}, asked("converted"))
        assert found.start == f"{moments.min():%Y-%m-%dT%H:%M:%S}.000000000Z"
    with pytest.raises(AnalysisError, match="yesterday"):
        check({**columns, "at": ["yesterday"] * len(whole)}, asked("converted"))


def test_rows_without_a_variant_a_time_or_a_unit_are_counted() -> None:
    rows: list[dict[str, Any]] = [
        {"variant": "AB"[number % 2], "user": f"u{number}", "x": number % 7} for number in range(40)
    ]
    rows[0]["user"] = rows[1]["user"] = None
    rows += [{"variant": None, "user": "u1", "x": 1}]
    found = check(rows, asked("x", time=None))
    assert found.notes == [
        "40 of 41 rows have a variant; the others are left out",
        "2 of 40 rows have no user; each counts as one of its own",
    ]
    assert sum(arm.units for arm in found.arms) == 40


def test_a_class_may_be_counted() -> None:
    rows = [{"variant": "AB"[number % 2], "label": "cat" if number % 4 == 1 else "dog"} for number in range(400)]
    found = results(rows, asked("label=cat", unit=None, time=None))
    assert found.effects[0].values == [0.0, 0.5]
    assert (found.verdict, found.arm) == ("ship", "B")


def test_texts_of_few_values_are_segments_and_measures_and_identities_are_none() -> None:
    columns = experiment(users=300)
    columns["client"] = np.char.add("c", np.char.lstrip(columns["user"], "u"))  # as many values as users
    columns["score"] = np.arange(len(columns["user"])) % 3  # a number
    found = tabulated(columns, asked("converted"))
    assert sorted(found.segments) == ["country"]
    declared = tabulated(columns, asked("converted", segments=("score",)))
    assert sorted(declared.segments) == ["country", "score"]
    assert declared.declared == {"score"}


def test_values_may_be_yes_and_no() -> None:
    columns = experiment(users=100)
    expected = results(columns, asked("converted")).effects[0].values
    truth = columns["converted"] == 1
    for values in (truth, np.where(truth, "true", "false"), np.where(truth, "yes", "no")):
        found = results({**columns, "converted": values}, asked("converted"))
        assert found.effects[0].unit == "share"
        assert found.effects[0].values == expected


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (asked("gone"), "no column 'gone'; there are user, variant"),
        (asked("converted", unit="person"), "no column 'person'"),
        (asked("converted", segments=("region",)), "no column 'region'"),
        (asked("converted", covariates={"converted": "before"}), "no column 'before'"),
        (asked("spent,rate"), "spent is not only 0 and 1: ask for its mean"),
        (asked("country"), "no row has a number in 'country'"),
        (asked("converted", baseline="C"), "no variant 'C'; there are A, B"),
    ],
)
def test_what_is_missing_is_said_in_one_line(question: object, said: str) -> None:
    with pytest.raises(AnalysisError, match=said) as raised:
        results(experiment(users=30), question)  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)


def test_names_of_columns_are_quoted() -> None:
    columns = experiment(users=50)
    odd = {'a "b"': columns["variant"], "x'; drop": columns["spent"], "select": columns["user"]}
    found = results(odd, replace(asked("x'; drop,mean", unit="select", time=None), variant='a "b"'))
    assert found.effects[0].metric == "x'; drop mean"


def test_a_covariate_is_the_mean_of_a_unit_s_rows() -> None:
    columns = {
        "variant": ["A", "A", "B"], "user": ["u", "u", "v"], "x": [1.0, 2.0, 3.0], "before": [1.0, 3.0, None],
    }  # fmt: skip
    found = tabulated(columns, asked("x", time=None, covariates={"x": "before"}))
    before = dict(zip(found.unit.names, found.covariates["x"].tolist(), strict=True))
    assert before["u"] == 2.0
    assert np.isnan(before["v"])


def test_a_segment_with_few_rows_is_no_fault() -> None:
    columns = experiment(users=200)
    columns["country"] = columns["country"].copy()
    columns["country"][0] = "LU"
    assert named(check(columns, asked("converted")), "segments").status == "ok"
