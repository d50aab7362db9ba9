"""`infersight anomalies` over a store: every kind of series, what is found in it, and how it is shown."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from tests.analysis.anomalies import signals
from tests.analysis.anomalies.signals import minute
from tests.analysis.recording import T0, Recording

from infersight_analysis import connect
from infersight_analysis.anomalies.series import Grid, read_series
from infersight_analysis.findings.anomalies import Anomaly
from infersight_analysis.options import Window
from infersight_analysis.times import SECOND_NS
from infersight_analysis.verbs.anomalies import anomalies

MINUTE = signals.MINUTE


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return signals.record(tmp_path_factory.mktemp("anomalies") / "store")


@pytest.fixture(scope="module")
def database(store: Path) -> Generator[duckdb.DuckDBPyConnection]:
    with connect(store) as connection:
        yield connection


@pytest.fixture(scope="module")
def readings(database: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], Any]:
    """Each series' numbers by name and reading, a minute apart."""
    grid = Grid.over(T0 - 20 * SECOND_NS, T0 - 20 * SECOND_NS + signals.MINUTES * MINUTE, MINUTE)
    series, numbers = read_series(database, grid, metric=None, service=None, least=24)
    return {(one.name, one.reading): line for one, line in zip(series, numbers, strict=True)}


def found_in(database: duckdb.DuckDBPyConnection, metric: str, **options: Any) -> list[Anomaly]:
    return anomalies(database, metric, false_alarms=0.3, **options).found.anomalies


def test_a_gauge_reads_as_it_is_and_its_gaps_stay_gaps(readings: dict[tuple[str, str], Any]) -> None:
    queue = readings["queue.size", "value"]
    assert np.isnan(queue).sum() == 30
    assert np.nanmedian(queue[:200]) == pytest.approx(20, abs=0.5)


def test_a_counter_reads_as_its_rate_through_a_restart(readings: dict[tuple[str, str], Any]) -> None:
    rate = readings["jobs.done", "rate"]
    assert np.isnan(rate[0])
    assert rate[1 : signals.JOBS_STOP] == pytest.approx(10, abs=1.5)
    assert rate[signals.JOBS_STOP :] == pytest.approx(0)
    assert readings["cache.misses", "rate"] == pytest.approx(2, abs=0.5)


def test_both_kinds_of_histograms_read_as_quantile_mean_and_rate(readings: dict[tuple[str, str], Any]) -> None:
    for name in ("model.duration", "model.latency"):
        assert np.median(readings[name, "mean"]) == pytest.approx(0.056, abs=0.004)
        assert readings[name, "rate"][5:] == pytest.approx(200 / 60)
    exact = np.exp(-3 + 0.5 * 2.326)
    assert np.median(readings["model.latency", "p99"]) == pytest.approx(exact, rel=0.15)


def test_requests_read_as_rate_errors_and_durations(readings: dict[tuple[str, str], Any]) -> None:
    assert readings["requests", "rate"][5:] == pytest.approx(0.1, rel=0.2)
    assert readings["requests", "error_share"][:280].max() == 0
    assert readings["requests", "error_share"][290] == 0.5
    assert readings["requests", "p50"][:270] == pytest.approx(12.2, rel=1)


def test_a_level_that_changed_is_dated_with_an_interval(database: duckdb.DuckDBPyConnection) -> None:
    (change,) = (one for one in found_in(database, "queue.size") if one.kind == "change")
    assert change.interval is not None
    assert change.interval[0] <= minute(signals.QUEUE_GROWS) <= change.interval[1]
    assert minute(signals.QUEUE_GROWS - 2) <= change.time <= minute(signals.QUEUE_GROWS)
    assert (change.usual, change.value) == pytest.approx((20, 30), abs=0.5)
    assert change.attributes == {"app.queue": "a"}


def test_a_counter_that_stands_still_is_found(database: duckdb.DuckDBPyConnection) -> None:
    found = found_in(database, "jobs.done")
    assert minute(signals.JOBS_STOP - 1) <= found[0].time <= minute(signals.JOBS_STOP + 1)
    assert (round(found[0].usual), found[0].value) == (10, 0)


def test_slower_calls_are_found_in_histograms_of_both_kinds(database: duckdb.DuckDBPyConnection) -> None:
    for name in ("model.duration", "model.latency"):
        found = found_in(database, name)
        assert minute(signals.SLOW[0] - 1) <= found[0].time <= minute(signals.SLOW[0] + 1)
        assert found[0].value > 2.5 * found[0].usual


def test_slow_and_failing_requests_are_found_with_traces_of_then(database: duckdb.DuckDBPyConnection) -> None:
    found = found_in(database, "requests")
    by_reading = {one.reading: one for one in reversed(found)}
    slow, failed = by_reading["p50"], by_reading["error_share"]
    assert slow.time[:16] == minute(signals.REQUESTS_SLOW - 1 / 3)[:16]
    assert slow.value > 3 * slow.usual
    assert failed.time[:16] == minute(signals.REQUESTS_FAIL - 1 / 3)[:16]
    failing = database.execute(
        "select count(*) from spans where trace_id in (select unnest($1)) and status_code = 'ERROR'",
        [failed.evidence.trace_ids],
    ).fetchone()
    assert failing == (len(failed.evidence.trace_ids),)
    assert failed.evidence.trace_ids


def test_series_in_which_nothing_happened_are_left_alone(database: duckdb.DuckDBPyConnection) -> None:
    assert found_in(database, "threads") == []
    assert found_in(database, "cache.misses") == []


def test_the_evidence_shows_the_series(database: duckdb.DuckDBPyConnection) -> None:
    found = anomalies(database, limit=100).found
    assert {one.name for one in found.anomalies} >= {"requests", "queue.size", "jobs.done", "model.latency"}
    for one in found.anomalies:
        assert len(database.execute(one.evidence.sql[0]).fetchall()) > 5, one
    assert len(database.execute(found.evidence.sql[0]).fetchall()) == 6


def test_the_window_is_judged_and_what_is_before_it_is_learnt(database: duckdb.DuckDBPyConnection) -> None:
    window = Window(T0 + 255 * MINUTE, T0 + 300 * MINUTE)
    found = anomalies(database, "queue.size", window=window, history_ns=200 * MINUTE, step_ns=MINUTE).found
    assert found.anomalies == []
    assert found.points == 45
    late = anomalies(database, "requests", window=window, history_ns=200 * MINUTE, step_ns=MINUTE).found
    assert all(one.time >= minute(255) for one in late.anomalies)
    assert late.anomalies


def test_more_false_alarms_may_be_asked_for(database: duckdb.DuckDBPyConnection) -> None:
    few, many = (anomalies(database, false_alarms=number).found for number in (0.1, 50))
    assert few.found < many.found
    assert many.false_alarms == pytest.approx(many.points * 50 * many.step_ns / (86_400 * SECOND_NS))


def test_the_command_prints_json_a_table_and_a_page(store: Path, run: Any, tmp_path: Path) -> None:
    answer = run("anomalies", "queue.size", "--store", store).json
    assert answer["anomalies"][0]["kind"] == "change"
    assert answer["series"] == 1
    table = run("anomalies", "--store", store, "--format", "table", "--limit", "3").out
    assert "anomalies in" in table
    assert "less surprising ones (--limit)" in table
    *lines, command = table.splitlines()
    assert max(map(len, lines)) <= 120
    assert "infersight investigate" in command  # in one line, however long the path is
    page = tmp_path / "page.html"
    assert run("anomalies", "queue.size", "--store", store, "--limit", "1", "--output", page).code == 0
    text = page.read_text()
    assert text.count('class="plot"') == 1
    assert "<script src" not in text


def test_what_senders_write_is_shown_as_text(tmp_path: Path, run: Any) -> None:
    recording = Recording()
    for number in range(200):
        took = (500 if number > 150 else 5) * 10**6 + number % 7 * 10**5
        recording.span(number + 1, 1, "<b>[red]x", number * 60 * SECOND_NS, took, kind="SERVER")
    store = recording.write(tmp_path / "store")
    assert "<b>[red]x" in run("anomalies", "--store", store, "--step", "1m", "--format", "table").out
    page = tmp_path / "page.html"
    run("anomalies", "--store", store, "--step", "1m", "--limit", "1", "--output", page)
    assert "<b>[red]x" not in page.read_text()
    assert "&lt;b&gt;[red]x" in page.read_text()


def test_too_little_is_said_with_exit_code_3(tmp_path: Path, run: Any) -> None:
    empty = Recording().write(tmp_path / "empty")
    outcome = run("anomalies", "--store", empty, "--format", "table")
    assert (outcome.code, outcome.out) == (3, "no series in this time\n")
    recording = Recording()
    for number in range(30):
        recording.span(number + 1, 1, "GET /", number * 10 * SECOND_NS, 10**6, kind="SERVER")
    outcome = run("anomalies", "--store", recording.write(tmp_path / "few"), "--format", "table")
    assert outcome.code == 3
    assert "not enough points" in outcome.out
