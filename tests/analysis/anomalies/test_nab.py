"""The evaluation on NAB's series, on a folder of the same form."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from tests.evaluation.nab import main

HEADER = ["timestamp", "value", "anomaly_score", "label"]
WINDOW = ("2014-04-08 10:00:00.000000", "2014-04-08 14:55:00.000000")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two series of a week every five minutes, one of which has a spike in a labelled window."""
    folder = tmp_path / "data" / "made"
    folder.mkdir(parents=True)
    times = np.datetime64("2014-04-02T00:00:00") + np.arange(2_016) * np.timedelta64(5, "m")
    for name, spike in (("quiet", 0), ("spike", 40)):
        values = np.random.default_rng(len(name)).normal(50, 1, len(times))
        values[6 * 288 + 125] += spike
        rows = zip((str(time).replace("T", " ") for time in times), values, strict=True)
        with (folder / f"{name}.csv").open("w", newline="") as out:
            csv.writer(out).writerows([("timestamp", "value"), *rows])
    return tmp_path / "data"


def label(data: Path) -> None:
    (data / "windows.json").write_text(json.dumps({"made/spike.csv": [WINDOW], "made/quiet.csv": []}))


def results(out: Path, name: str) -> list[dict[str, str]]:
    with (out / "made" / f"infersight_{name}.csv").open() as lines:
        reader = csv.DictReader(lines)
        assert reader.fieldnames == HEADER
        return list(reader)


def test_files_of_results_are_written_and_the_score_is_printed(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    label(data)
    assert main(data, tmp_path / "out") == 0
    rows = results(tmp_path / "out", "spike")
    assert len(rows) == 2_016
    assert sum(row["label"] == "1" for row in rows) == 60
    most = max(rows, key=lambda row: float(row["anomaly_score"]))
    assert (most["timestamp"], most["label"]) == ("2014-04-08 10:25:00", "1")
    assert all(0 <= float(row["anomaly_score"]) <= 1 for row in rows)
    printed = capsys.readouterr().out
    assert "made/spike.csv" in printed
    assert "standard: " in printed


def test_labels_change_no_score(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(data, tmp_path / "without") == 0
    assert "no score" in capsys.readouterr().out
    label(data)
    main(data, tmp_path / "with")
    for name in ("quiet", "spike"):
        without, with_labels = (results(tmp_path / folder, name) for folder in ("without", "with"))
        assert [row["anomaly_score"] for row in without] == [row["anomaly_score"] for row in with_labels]


def test_a_folder_without_series_says_where_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(tmp_path, tmp_path / "out") == 0
    assert "numenta/NAB" in capsys.readouterr().out
