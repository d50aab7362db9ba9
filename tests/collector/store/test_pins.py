"""Pins: small files that name the rows that must stay."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from infersight_collector.store.errors import StoreError
from infersight_collector.store.pins import deciding, pin, pins, unpin
from infersight_collector.store.writer import Store

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    Store.open(tmp_path)
    return tmp_path


def test_a_pin_is_a_file_that_a_person_can_read(store: Path) -> None:
    made = pin(store, "incident-7", reason="slow logins", start_ns=1, end_ns=2, trace_ids=[TRACE.upper(), TRACE])
    assert pins(store) == [made]
    said = json.loads((store / "pins" / "incident-7.json").read_text())
    assert said == {
        "name": "incident-7",
        "reason": "slow logins",
        "created_ns": made.created_ns,
        "start_ns": 1,
        "end_ns": 2,
        "trace_ids": [TRACE],
        "tables": [],
        "profiles": [],
    }


def test_pins_are_replaced_and_taken_away_by_name(store: Path) -> None:
    pin(store, "b", reason="", start_ns=1)
    pin(store, "a", reason="", start_ns=1)
    pin(store, "b", reason="again", start_ns=2)
    assert [(made.name, made.reason, made.start_ns) for made in pins(store)] == [("a", "", 1), ("b", "again", 2)]
    unpin(store, "b")
    with pytest.raises(StoreError, match=r"no pin 'b' in .*: there are a"):
        unpin(store, "b")
    unpin(store, "a")
    with pytest.raises(StoreError, match="there are none"):
        unpin(store, "a")
    assert pins(store) == []


@pytest.mark.parametrize(
    ("name", "what", "said"),
    [
        ("a/b", {"start_ns": 1}, "'a/b' is no name for a pin"),
        (".hidden", {"start_ns": 1}, "is no name"),
        ("a", {}, "a pin needs a time, trace ids or profiles"),
        ("a", {"start_ns": 2, "end_ns": 2}, "start must be before its end"),
        ("a", {"trace_ids": ["xyz"]}, "'xyz' is no trace id: it has 32 hex digits"),
        ("a", {"start_ns": 1, "tables": ["span"]}, "no table 'span': there are spans, traces"),
    ],
)
def test_a_pin_that_cannot_be_is_refused(store: Path, name: str, what: dict[str, Any], said: str) -> None:
    with pytest.raises(StoreError, match=said):
        pin(store, name, reason="", **what)
    assert pins(store) == []


def test_no_pin_is_made_while_it_is_decided_what_goes(store: Path) -> None:
    """Otherwise a pin could be there, and what it pins gone a moment later."""
    done = threading.Event()

    def make() -> None:
        pin(store, "late", reason="", start_ns=1)
        done.set()

    with deciding(store):
        maker = threading.Thread(target=make)
        maker.start()
        assert not done.wait(0.2)
        assert pins(store) == []
    maker.join()
    assert [made.name for made in pins(store)] == ["late"]
