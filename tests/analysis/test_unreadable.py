"""Files that cannot be read: every query says what became of them, and can leave them out."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from infersight_analysis import connect
from infersight_analysis.errors import AnalysisError
from infersight_analysis.session import opened
from infersight_analysis.unreadable import SKIP_VARIABLE, DamagedFilesWarning, UnreadableFileError
from infersight_collector.store.compaction import NEW_FILES
from infersight_collector.store.maintenance import Maintenance
from infersight_collector.store.snapshot import Snapshot
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

START_NS = 1_772_359_200 * 10**9
QUERY = "select count(*), sum(attributes['number']), max(name) from spans"


def make_spans(first: int, count: int) -> pa.Table:
    numbers = range(first, first + count)
    return pa.table(
        {
            "trace_id": [f"{number:032x}" for number in numbers],
            "span_id": [f"{number:016x}" for number in numbers],
            "start_time_ns": [START_NS + number for number in numbers],
            "attributes": [{"number": number} for number in numbers],
        }
    )


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with as many files of ten spans as are merged together."""
    opened_store = Store.open(tmp_path)
    for number in range(NEW_FILES):
        opened_store.write({"spans": make_spans(number * 10, 10)}, Origin("w", number + 1))
    return tmp_path


@pytest.fixture
def damaged(store: Path) -> Path:
    """One of its files."""
    return Path(Snapshot.of(store).files("spans")[3])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def change_the_footer(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-60:-50] = b"\xff" * 10
    path.write_bytes(content)


def change_all_pages(path: Path) -> None:
    content = bytearray(path.read_bytes())
    end = len(content) - int.from_bytes(content[-8:-4], "little") - 8
    content[4:end] = b"\xa5" * (end - 4)
    path.write_bytes(content)


def ask(store: Path) -> list[tuple[Any, ...]]:
    with opened(store) as connection:
        return connection.execute(QUERY).fetchall()


@pytest.mark.parametrize("damage", [Path.unlink, cut, change_the_footer])
@pytest.mark.parametrize("is_open", [False, True])
def test_a_damaged_file_is_named_with_what_to_do(
    store: Path, damaged: Path, damage: Callable[[Path], None], is_open: bool
) -> None:
    def query() -> None:
        if not is_open:
            damage(damaged)
        with opened(store) as connection:
            if is_open:
                damage(damaged)
            connection.execute(QUERY).fetchall()

    with pytest.raises(AnalysisError) as told:
        query()
    said = str(told.value)
    assert said.startswith(f"{damaged} is damaged: ")
    assert f"`infersight store verify --store {store}` names all damage" in said
    assert f"{SKIP_VARIABLE}=1" in said
    assert "\n" not in said


def test_bytes_that_make_no_sense_are_told_as_damage(store: Path, damaged: Path) -> None:
    change_all_pages(damaged)
    with pytest.raises(AnalysisError, match=r"damaged.*store verify"):
        ask(store)


def test_a_wrong_query_is_not_taken_for_damage(store: Path) -> None:
    with pytest.raises(AnalysisError, match="nothing"), opened(store) as connection:
        connection.execute("select nothing from spans")


def replace_all_files(store: Path) -> None:
    assert Maintenance(store).round().merged_files == 2 * NEW_FILES


def delete_unused_files(store: Path) -> None:
    assert Maintenance(store, grace_s=-1.0).round().deleted_files == 2 * NEW_FILES


def test_a_snapshot_older_than_the_grace_says_to_connect_again_and_never_shows_other_rows(store: Path) -> None:
    def query() -> None:
        with opened(store) as connection:
            before = connection.execute(QUERY).fetchall()
            replace_all_files(store)
            assert connection.execute(QUERY).fetchall() == before
            delete_unused_files(store)
            connection.execute("select max(status_message) from spans").fetchall()

    with pytest.raises(AnalysisError, match=r"this snapshot of the store is too old: .*: connect again"):
        query()
    assert ask(store)[0][0] == 10 * NEW_FILES


def fetch_rows(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(QUERY).fetchall()


def fetch_arrow(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("from spans").to_arrow_table()


def fetch_from_a_cursor(connection: duckdb.DuckDBPyConnection) -> None:
    connection.cursor().execute(QUERY).df()


def fetch_a_relation(connection: duckdb.DuckDBPyConnection) -> None:
    connection.sql(QUERY).fetchall()


@pytest.mark.parametrize("is_gone", [True, False])
@pytest.mark.parametrize("asking", [fetch_rows, fetch_arrow, fetch_from_a_cursor, fetch_a_relation])
def test_a_connection_of_ones_own_says_it_too(
    store: Path, damaged: Path, asking: Callable[[duckdb.DuckDBPyConnection], None], is_gone: bool
) -> None:
    def query() -> None:
        with connect(store) as connection:
            if is_gone:
                replace_all_files(store)
                delete_unused_files(store)
            else:
                cut(damaged)
            asking(connection)

    with pytest.raises(UnreadableFileError) as told:
        query()
    said = str(told.value)
    assert said.startswith("this snapshot of the store is too old" if is_gone else f"{damaged} is damaged: ")
    assert isinstance(told.value, duckdb.Error), "who caught DuckDB's errors still does"
    assert isinstance(told.value.__cause__, duckdb.Error)


def test_other_errors_of_a_connection_of_ones_own_are_those_of_duckdb(store: Path) -> None:
    with pytest.raises(duckdb.BinderException), connect(store) as connection:
        connection.execute("select nothing from spans")
    with pytest.raises(duckdb.ConnectionException):
        connection.execute("select 1")


@pytest.mark.parametrize("damage", [Path.unlink, cut, change_the_footer, change_all_pages])
def test_damaged_files_are_left_out_only_when_asked_with_a_warning_that_counts_the_rows(
    store: Path, damaged: Path, damage: Callable[[Path], None]
) -> None:
    damage(damaged)
    said = "1 damaged file is left out, so rows are missing: 10 of spans; `infersight store verify` names the files"
    with pytest.warns(DamagedFilesWarning) as warned:
        connection = connect(store, skip_damaged=True)
    assert [str(warning.message) for warning in warned] == [said]
    assert connection.execute("select count(*) from spans").fetchall() == [(10 * (NEW_FILES - 1),)]
    connection.close()


def test_the_environment_can_ask_for_it(store: Path, damaged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut(damaged)
    monkeypatch.setenv(SKIP_VARIABLE, "1")
    with pytest.warns(DamagedFilesWarning):
        assert ask(store)[0][0] == 10 * (NEW_FILES - 1)
    with connect(store, skip_damaged=False) as connection, pytest.raises(duckdb.Error):
        connection.execute(QUERY)


def test_a_sound_store_is_whole_and_gives_no_warning(store: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        connection = connect(store, skip_damaged=True)
    assert connection.execute("select count(*) from spans").fetchall() == [(10 * NEW_FILES,)]
    connection.close()
