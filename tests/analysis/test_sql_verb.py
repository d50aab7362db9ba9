import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.recording import MS, Recording

from infersight_analysis import connect
from infersight_analysis.views import VIEWS

DOCS = Path(__file__).parents[2] / "analysis" / "docs" / "sql.md"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    recording.span(1, 1, "GET /", 0, 5 * MS, kind="SERVER", attributes={"shape": [1, 2], "score": float("nan")})
    recording.span(2, 1, "GET /", 3_600_000 * MS, 7 * MS, kind="SERVER")
    return recording.write(tmp_path_factory.mktemp("sql") / "store")


def test_json_is_an_array_of_objects_with_exact_values(store: Path, run: Any) -> None:
    query = (
        "select trace_id, start_time, start_time_ns, attributes['shape'] s, attributes['score'] n from spans order by 1"
    )
    rows = run("sql", query, "--store", store).json
    assert rows[0] == {
        "trace_id": "00000000000000000000000000000001",
        "start_time": "2025-10-09T08:53:20.000000000Z",
        "start_time_ns": 1_760_000_000_000_000_000,
        "s": [1, 2],
        "n": "NaN",
    }
    assert rows[1]["s"] is None


def test_no_rows_are_an_empty_array(store: Path, run: Any) -> None:
    assert run("sql", "select 1 where false", "--store", store).json == []


def test_csv_has_a_header_and_nested_values_as_json(store: Path, run: Any) -> None:
    outcome = run("sql", "select 1 as a, [1, 2] as b, null as c", "--store", store, "--format", "csv")
    assert list(csv.reader(io.StringIO(outcome.out))) == [["a", "b", "c"], ["1", "[1, 2]", ""]]


def test_a_table_shows_names_and_values_as_they_are(store: Path, run: Any) -> None:
    outcome = run("sql", "select '[bold]x' as name, 12 as n", "--store", store, "--format", "table")
    assert "[bold]x" in outcome.out
    assert "12" in outcome.out


def test_a_query_comes_from_a_file_or_stdin_too(
    store: Path, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "query.sql"
    file.write_text("select 1 as x")
    assert run("sql", "-f", file, "--store", store).json == [{"x": 1}]
    monkeypatch.setattr("sys.stdin", io.StringIO("select 2 as x"))
    assert run("sql", "--store", store).json == [{"x": 2}]


def test_a_window_narrows_the_views(store: Path, run: Any) -> None:
    query = "select count(*) as n from spans"
    assert run("sql", query, "--store", store, "--start", "2025-10-09T09:00:00Z").json == [{"n": 1}]
    assert run("sql", query, "--store", store, "--end", "2025-10-09T09:00:00Z").json == [{"n": 1}]
    assert run("sql", query, "--store", store, "--last", "1h").json == [{"n": 0}]


def test_the_page_about_sql_names_every_view_and_column() -> None:
    text = DOCS.read_text()
    for view in VIEWS:
        section = text.partition(f"### `{view.name}`\n")[2].partition("\n### ")[0]
        assert view.about in section
        assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(view.columns)
        assert all(meaning in section for meaning in view.columns.values())


def test_every_example_of_the_page_about_sql_runs(store: Path) -> None:
    examples = re.findall(r"```sql\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert len(examples) > len(VIEWS)
    with connect(store) as connection:
        for example in examples:
            connection.execute(example).fetchall()


def test_the_documented_json_is_json(store: Path, run: Any) -> None:
    for view in VIEWS:
        json.dumps(run("sql", f"from {view.name}", "--store", store).json, allow_nan=False)
