"""`infersight store pin`: add, list and remove."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.recording import MS, Recording, trace_id

from infersight_collector.store.maintenance import Maintenance, Report
from infersight_collector.store.pins import pins
from infersight_collector.store.retention import Retention

Run = Callable[..., Any]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    recording = Recording()
    for trace in (1, 2, 0xABC << 100):
        recording.span(trace, 1, "GET", 0, MS, kind="SERVER")
        recording.log(0, "hello", trace=trace)
    return recording.write(tmp_path / "store")


def test_a_pinned_trace_outlives_retention_until_its_pin_is_removed(run: Run, store: Path) -> None:
    outcome = run("store", "pin", "add", "one", "--reason", "slow", "--trace", trace_id(2), "--store", store)
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == "pinned the trace 00000000 as one\n"
    query = ("sql", "select trace_id from spans union all select trace_id from logs", "--store", store)
    Maintenance(store).retain(Retention(max_bytes=1), Report())
    assert [row["trace_id"] for row in run(*query).json] == [trace_id(2)] * 2
    assert run("store", "pin", "remove", "one", "--store", store).code == 0
    Maintenance(store).retain(Retention(max_bytes=1), Report())
    assert run(*query).json == []


def test_a_trace_is_named_by_its_first_digits_where_they_are_unique(run: Run, store: Path) -> None:
    pinning = ("store", "pin", "add", "one", "--reason", "r", "--store", store, "--trace")
    assert run(*pinning, "0000abc").code == 0
    assert pins(store)[0].trace_ids == (trace_id(0xABC << 100),)
    outcome = run(*pinning, "00")
    assert outcome.code == 2
    assert outcome.err.startswith("more than one trace begins with 00: ")


def test_a_trace_that_is_still_to_come_is_pinned_by_its_whole_id(run: Run, store: Path) -> None:
    pinning = ("store", "pin", "add", "one", "--reason", "r", "--store", store, "--trace")
    assert run(*pinning, "F" * 32).code == 0
    assert pins(store)[0].trace_ids == ("f" * 32,)
    assert run(*pinning, "fff").err.startswith("no trace in this store begins with fff")


def test_a_list_says_what_is_pinned_since_when_and_why(run: Run, store: Path) -> None:
    times = ("--start", "2025-10-09T08:00:00Z", "--end", "2025-10-09T09:00:00Z")
    run("store", "pin", "add", "b", "--reason", "[red]5 % of\nlogins", "--store", store, *times, "--table", "metrics")
    run("store", "pin", "add", "a", "--reason", "why", "--store", store, *times[:2], "--trace", "0" * 32)
    found = run("store", "pin", "list", "--store", store).json
    assert found["store"] == str(store)
    first, second = found["pins"]
    assert (first["name"], first["trace_ids"], first["end"]) == ("a", ["0" * 32], None)
    assert (second["start"], second["tables"]) == ("2025-10-09T08:00:00.000000000Z", ["metrics"])
    table = run("store", "pin", "list", "--store", store, "--format", "table").out
    assert "the trace 00000000 from 2025-10-09T08:00 on" in table
    assert "all of metrics from 2025-10-09T08:00 to 2025-10-09T09:00" in table
    assert "[red]5 % of" in table
    assert first["created"][:16] in table


def test_a_store_without_pins_says_so(run: Run, store: Path) -> None:
    assert run("store", "pin", "list", "--store", store, "--format", "table").out == "nothing is pinned\n"
    assert run("store", "pin", "list", "--store", store).json == {"store": str(store), "pins": []}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "a b", "--reason", "r", "--last", "1h"), "'a b' is no name for a pin"),
        (("add", "a", "--reason", "r"), "a pin needs a time, trace ids or profiles"),
        (("add", "a", "--reason", " ", "--last", "1h"), "give a --reason"),
        (("add", "a", "--last", "1h"), "Missing option '--reason'"),
        (("add", "a", "--reason", "r", "--trace", "x" * 32), "is no trace id"),
        (("remove", "a"), "no pin 'a' in "),
        (("remove", "../../precious"), "no pin '../../precious' in "),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(run: Run, store: Path, arguments: tuple[str, ...], said: str) -> None:
    (store.parent / "precious.json").touch()
    outcome = run("store", "pin", *arguments, "--store", store)
    assert outcome.code == 2
    assert said in outcome.err
    assert outcome.err.count("\n") == 1
    assert (store.parent / "precious.json").exists()
    assert pins(store) == []


def test_a_directory_that_is_no_store_gets_no_pins(run: Run, tmp_path: Path) -> None:
    for arguments in (("add", "a", "--reason", "r", "--last", "1h"), ("list",), ("remove", "a")):
        outcome = run("store", "pin", *arguments, "--store", tmp_path)
        assert outcome.code == 2
        assert outcome.err.startswith(f"no store at {tmp_path}")
    assert list(tmp_path.iterdir()) == []
