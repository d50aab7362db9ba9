"""How long an incident lasted, by the change points of its requests."""

from pathlib import Path

import pytest
from tests.analysis.incidents.scenes import END, INCIDENT, MINUTE, exhausted_pool
from tests.analysis.recording import MS, SECOND, T0, Recording

from infersight_analysis import connect
from infersight_analysis.findings.postmortem import Lasting
from infersight_analysis.postmortems.lasting import grid_of, lasting
from infersight_analysis.times import parse_time


def found(store: Path, end_ns: int, incident: tuple[int, int]) -> Lasting:
    with connect(store) as connection:
        return lasting(connection, grid_of(T0, T0 + end_ns), (T0 + incident[0], T0 + incident[1]))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exhausted_pool(tmp_path_factory.mktemp("lasting") / "store")


@pytest.mark.parametrize(
    "said", [INCIDENT, (INCIDENT[0] + 5 * MINUTE, INCIDENT[1]), (INCIDENT[0] - 5 * MINUTE, INCIDENT[1] - 5 * MINUTE)]
)
def test_begin_and_end_are_found_whenever_it_was_said_to_be(store: Path, said: tuple[int, int]) -> None:
    answer = found(store, END, said)
    assert answer.began is not None
    assert answer.ended is not None
    assert abs(parse_time(answer.began) - T0 - INCIDENT[0]) < MINUTE
    assert abs(parse_time(answer.ended) - T0 - INCIDENT[1]) < MINUTE
    assert answer.began_interval is not None
    assert answer.began_interval[0] <= answer.began <= answer.began_interval[1]
    assert answer.duration_ns == parse_time(answer.ended) - parse_time(answer.began)
    assert " was higher from 2025-10-09 09:5" in answer.statement


def test_what_goes_on_has_a_begin_and_no_end(store: Path) -> None:
    answer = found(store, INCIDENT[1] - MINUTE, (INCIDENT[0], INCIDENT[1] - MINUTE))
    assert answer.began is not None
    assert (answer.ended, answer.duration_ns) == (None, None)
    assert "did not fall again in what was recorded" in answer.statement


def test_where_nothing_changed_the_duration_is_unknown(tmp_path: Path) -> None:
    recording = Recording()
    for number in range(1, 1800):
        recording.span(number, 1, "GET /", number * 2 * SECOND, (20 + number * 7 % 5) * MS, kind="SERVER")
    answer = found(recording.write(tmp_path / "store"), 3600 * SECOND, (1800 * SECOND, 2400 * SECOND))
    assert (answer.began, answer.ended, answer.duration_ns, answer.by) == (None, None, None, None)
    assert answer.statement.startswith("no change point")


def test_failures_alone_tell_it_too(tmp_path: Path) -> None:
    recording = Recording()
    for number in range(1, 3600):
        fails = 1800 <= number < 2400 and number % 3 == 0
        recording.span(number, 1, "GET /", number * SECOND, 20 * MS, kind="SERVER", error="no" if fails else None)
    answer = found(recording.write(tmp_path / "store"), 3600 * SECOND, (1800 * SECOND, 2400 * SECOND))
    assert answer.by == "error_share"
    assert answer.began is not None
    assert abs(parse_time(answer.began) - T0 - 1800 * SECOND) < MINUTE
    assert answer.duration_ns == pytest.approx(600 * SECOND, abs=MINUTE)
