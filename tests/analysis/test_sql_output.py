"""Results of `infersight sql` as files and streams."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false
# (pyarrow publishes no type information)

import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.analysis.recording import MS, T0, Recording
from tests.support.collectors import wait_until
from tests.support.terminals import Terminal

ENDLESS = "select sum(a.range * b.range) from range(10000000) a, range(10000000) b"
QUERY = "select trace_id, start_time, attributes, 1::hugeint as x, 2 as x from spans"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    recording.span(1, 1, "GET /", 0, 5 * MS, kind="SERVER", attributes={"shape": [1, 2], "http.route": "/"})
    return recording.write(tmp_path_factory.mktemp("sql") / "store")


def command(store: Path, *arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "infersight_analysis", "sql", "--store", str(store), *map(str, arguments)]


def read_table(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    opened = pa.ipc.open_file if path.suffix == ".arrow" else pa.ipc.open_stream
    return opened(path.read_bytes()).read_all()


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".arrows"])
def test_columns_keep_their_types_and_get_names_of_their_own(
    store: Path, run: Any, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"result{suffix}"
    outcome = run("sql", QUERY, "--store", store, "--output", path)
    assert (outcome.code, outcome.out) == (0, "")
    table = read_table(path)
    assert table.column_names == ["trace_id", "start_time", "attributes", "x", "x_1"]
    assert table["start_time"].type == pa.timestamp("ns")
    assert table["start_time"].cast(pa.int64()).to_pylist() == [T0]
    assert table["attributes"].to_pylist()[0]["shape"] == "[1,2]"


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_columns_go_through_a_pipe(store: Path, form: str) -> None:
    piped = subprocess.run(command(store, QUERY, "--format", form), check=True, capture_output=True).stdout
    read = pq.read_table(io.BytesIO(piped)) if form == "parquet" else pa.ipc.open_stream(piped).read_all()
    assert read["trace_id"].to_pylist() == [f"{1:032x}"]


def test_a_files_name_says_its_form_unless_an_option_does(store: Path, run: Any, tmp_path: Path) -> None:
    for name, text in {"a.json": '[{"a": 1}]\n', "a.csv": "a\n1\n"}.items():
        run("sql", "select 1 as a", "--store", store, "--output", tmp_path / name)
        assert (tmp_path / name).read_text() == text
    run("sql", "select 1 as a", "--store", store, "--output", tmp_path / "a.data", "--format", "csv")
    assert (tmp_path / "a.data").read_text() == "a\n1\n"
    outcome = run("sql", "select 1 as a", "--store", store, "--output", tmp_path / "b.data")
    assert outcome.code == 2
    assert "give --format" in outcome.err


def test_what_cannot_be_written_is_one_line(store: Path, run: Any, tmp_path: Path) -> None:
    outcome = run("sql", "select 1", "--store", store, "--output", tmp_path / "absent" / "a.csv")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"cannot write {tmp_path / 'absent' / 'a.csv'}: No such file or directory\n"


def test_a_type_that_a_form_does_not_have_is_one_line(store: Path, run: Any, tmp_path: Path) -> None:
    outcome = run("sql", "select interval 1 month as i", "--store", store, "--output", tmp_path / "a.parquet")
    assert outcome.code == 2
    assert outcome.err.startswith("parquet cannot hold this result, cast it first")
    assert outcome.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_an_error_in_the_middle_of_a_result_leaves_the_file_as_it_was(
    store: Path, run: Any, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_text("before")
    query = "select case when range = 900000 then error('late') else range::varchar end as a from range(1000000)"
    outcome = run("sql", query, "--store", store, "--output", path)
    assert outcome.code == 2
    assert "late" in outcome.err
    assert outcome.err.count("\n") == 1
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_ends_a_running_query_and_leaves_no_file(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    process = subprocess.Popen(command(store, ENDLESS, "--output", path), stderr=subprocess.PIPE)
    wait_until(lambda: list(tmp_path.iterdir()), 60)  # the draft: the query runs
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert process.communicate()[1].strip() == b""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["table", "json", "csv", "parquet"])
def test_a_query_that_takes_too_long_is_ended_with_one_line(store: Path, run: Any, tmp_path: Path, form: str) -> None:
    output = ["--output", tmp_path / "a"] if form == "parquet" else []
    outcome = run("sql", ENDLESS, "--store", store, "--timeout", "200ms", "--format", form, *output)
    assert outcome.code == 2
    assert outcome.err.startswith("the query took longer than 200ms")
    assert outcome.err.count("\n") == 1


def test_a_mistake_says_where_it_is(store: Path, run: Any) -> None:
    outcome = run("sql", "select name,\n  nope\nfrom spans", "--store", store)
    assert "(line 2, column 3)" in outcome.err
    outcome = run("sql", "selec 1", "--store", store)
    assert "(line 1, column 1)" in outcome.err


def test_a_terminal_shows_the_place_of_a_mistake_and_refuses_binary(store: Path) -> None:
    terminal = Terminal(command(store, "select nope from spans"), dict(os.environ))
    terminal.wait_for("^^^^")
    assert terminal.end() == 2
    terminal.close()
    terminal = Terminal(command(store, "select 1", "--format", "parquet"), dict(os.environ))
    terminal.wait_for("parquet is not for a terminal: give --output FILE, or pipe it")
    assert terminal.end() == 2
    terminal.close()


@pytest.mark.parametrize("name", ["a.parquet", "a.arrows", "a.csv"])
def test_a_long_result_is_not_held_in_memory(store: Path, tmp_path: Path, name: str) -> None:
    rows = 500_000 if name == "a.csv" else 4_000_000
    query = f"select range as id, md5(range::varchar) as a, md5((range + 1)::varchar) as b from range({rows})"
    script = (
        "import pathlib, re, sys; from infersight_analysis import cli; code = cli.run(sys.argv[1:])\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', pathlib.Path('/proc/self/status').read_text())[1]); sys.exit(code)"
    )
    arguments = ["sql", query, "--store", str(store), "--output", str(tmp_path / name)]
    printed = subprocess.run(
        [sys.executable, "-c", script, *arguments], check=True, capture_output=True, text=True
    ).stdout
    # KiB; DuckDB, Python and Arrow take most of it, and the rows are 90 bytes each.
    assert int(printed) < 400_000
    assert (tmp_path / name).stat().st_size > 35 * rows


def test_wide_rows_are_records_and_attributes_that_are_absent_are_left_out(store: Path, run: Any) -> None:
    outcome = run("sql", "from spans", "--store", store, "--format", "table")
    assert "row 1" in outcome.out
    assert '{"shape": [1, 2], "http.route": "/"}' in outcome.out


def test_a_table_is_for_the_eye_and_json_exact(store: Path, run: Any) -> None:
    query = (
        "select make_timestamp_ns(1760000000120000000) as t, timestamp '2026-01-10 00:00:00' as m, 1 / 3 as third, "
        "1e6::double as million, 12345678901234567 as n"
    )
    shown = run("sql", query, "--store", store, "--format", "table").out.splitlines()[-1].split()
    assert shown == [
        "2025-10-09", "08:53:20.12", "2026-01-10", "00:00:00", "0.333333", "1000000", "12345678901234567",
    ]  # fmt: skip
