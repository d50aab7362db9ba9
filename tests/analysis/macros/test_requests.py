"""`slowest` and `rate_errors_duration`: requests, un-biased by their weights."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.analysis.recording import MS, SECOND, T0, Recording, Source, trace_id

from infersight_analysis import connect

GATEWAY: Source = ("gateway", "gateway-1", "2")
MODEL: Source = ("model", "model-1", None)
MINUTE = 60 * SECOND
ON_THE_MINUTE = 40 * SECOND
"""T0 is 08:53:20."""


def asked(recording: Recording, query: str, path: Path) -> list[tuple[Any, ...]]:
    with connect(recording.write(path / "store")) as connection:
        return connection.execute(query).fetchall()


def weighing(weight: float, **attributes: Any) -> dict[str, Any]:
    return {"infersight.sample.weight": float(weight), **attributes}


def requests() -> Recording:
    recording = Recording()
    for trace, duration in enumerate((30, 10, 20), 1):
        at = trace * MINUTE
        recording.span(trace, 1, "call", at, duration * MS, kind="CLIENT", source=GATEWAY)
        recording.span(trace, 2, "POST /predict", at + MS, (duration - 2) * MS, kind="SERVER", parent=1, source=MODEL,
                       attributes={"http.route": "/predict"}, error="no" if trace == 1 else None)  # fmt: skip
        recording.span(trace, 3, "infer", at + 2 * MS, 5 * MS, parent=2, source=MODEL)
    recording.span(9, 1, "batch m", 4 * MINUTE, 900 * MS, attributes={"infersight.operation": "batch"})
    return recording


def test_the_slowest_requests_are_the_first_spans_of_their_traces(tmp_path: Path) -> None:
    query = "select trace_id, service_name, name, duration_ms from slowest()"
    assert asked(requests(), query, tmp_path) == [
        (trace_id(1), "gateway", "call", 30),
        (trace_id(3), "gateway", "call", 20),
        (trace_id(2), "gateway", "call", 10),
    ]


def test_the_slowest_requests_of_a_service_are_those_that_it_served(tmp_path: Path) -> None:
    query = "select route, duration_ms, status_code from slowest('model', n := 2)"
    assert asked(requests(), query, tmp_path) == [("/predict", 28, "ERROR"), ("/predict", 18, "UNSET")]


def test_a_window_ends_with_the_last_span_or_where_it_is_told_to(tmp_path: Path) -> None:
    with connect(requests().write(tmp_path / "store")) as connection:

        def found(arguments: str) -> list[int]:
            rows = connection.execute(f"select trace_id from slowest('model', {arguments})").fetchall()
            return sorted(int(trace, 16) for (trace,) in rows)

        assert found("interval 2 minutes") == [2, 3]
        assert found("'90 s'") == [3]
        assert found("last := '1h', until := '2025-10-09T08:56:00Z'") == [1, 2]
        assert found("last := '1h', until := '2025-10-09T10:56:00+02:00'") == [1, 2]
        assert found("last := '90s', until := timestamp '2025-10-09 08:56:00'") == [2]
        assert found("last := '1h', until := make_timestamp_ns(1760000160000000000)") == [1, 2]
        assert found("last := '1h', until := now()") == []


def test_requests_are_counted_by_service_and_route_without_clients_and_batches(tmp_path: Path) -> None:
    query = "select service_name, route, spans, requests, errors, error_share, p50_ms from rate_errors_duration()"
    assert asked(requests(), query, tmp_path) == [("model", "/predict", 3, 3, 1, pytest.approx(1 / 3), 18)]


def test_counts_and_shares_are_those_of_all_requests_not_of_the_sampled_ones(tmp_path: Path) -> None:
    recording = Recording()
    for number in range(1, 11):  # one in ten of those that went well was kept, every failure
        recording.span(number, 1, "GET", number * SECOND, 10 * MS, kind="SERVER", attributes=weighing(10))
        recording.span(
            100 + number, 1, "GET", number * SECOND, 90 * MS, kind="SERVER", error="x", attributes=weighing(1)
        )
    recording.span(300, 1, "GET", SECOND, 5000 * MS, kind="SERVER", attributes=weighing(0))
    query = "select spans, requests, errors, error_share, p50_ms, p95_ms from rate_errors_duration()"
    assert asked(recording, query, tmp_path) == [(21, 110, 10, pytest.approx(1 / 11), 10, 90)]


def test_rates_are_of_the_part_of_a_step_that_lies_in_the_window(tmp_path: Path) -> None:
    recording = Recording()
    # Two requests a second from 08:54:00 on, for two minutes and a half.
    for number in range(301):
        recording.span(number + 1, 1, "GET", ON_THE_MINUTE + number * SECOND // 2, MS, kind="SERVER")
    with connect(recording.write(tmp_path / "store")) as connection:
        query = "select epoch_ns(time), requests, rate from rate_errors_duration(step := interval 1 minute)"
        steps = connection.execute(query).fetchall()
        query = "select requests, rate from rate_errors_duration(last := '1 minute')"
        (whole,) = connection.execute(query).fetchall()
        query = "select spans, rate from rate_errors_duration(last := '90s', until := '2025-10-09T08:55:00Z')"
        (early,) = connection.execute(query).fetchall()
    first = T0 + ON_THE_MINUTE
    assert [(at, count) for at, count, _ in steps] == [
        (first, 120),
        (first + MINUTE, 120),
        (first + 2 * MINUTE, 61),
    ]
    assert [rate for *_, rate in steps] == [2, 2, pytest.approx(61 / 30)]
    assert whole == (120, pytest.approx(2))
    # The store begins within that window: 60 seconds are known.
    assert early == (120, pytest.approx(2))


def test_a_request_that_was_sent_twice_is_one_of_the_slowest_once(tmp_path: Path) -> None:
    recording = Recording()
    for trace in (1, 1, 2):
        recording.span(trace, 1, "GET", 0, 10 * MS, kind="SERVER")
    assert asked(recording, "select trace_id from slowest()", tmp_path) == [(trace_id(1),), (trace_id(2),)]


def test_a_request_of_an_unnamed_route_has_its_spans_name(tmp_path: Path) -> None:
    recording = Recording()
    recording.span(1, 1, "orders process", 0, 10 * MS, kind="CONSUMER")
    query = "select service_name, route, spans, p99_ms from rate_errors_duration(last := '1h')"
    assert asked(recording, query, tmp_path) == [("api", "orders process", 1, 10)]


@pytest.mark.parametrize("weights", ["ones", "whole", "real"])
def test_quantiles_are_those_of_all_requests(weights: str, tmp_path: Path) -> None:
    """Of each request repeated as often as it weighs, where it weighs a whole number; between, by the same line."""
    random_ = random.Random(weights)
    recording = Recording()
    expected: dict[str, list[float]] = {}
    for number in range(400):
        values: list[int] = []
        weighed: list[float] = []
        for _ in range(random_.randint(1, 25)):
            value = random_.choice([random_.randint(1, 50), random_.randint(1, 10_000)])
            weight = {"ones": 1.0, "whole": float(random_.randint(1, 9)), "real": random_.uniform(1, 9)}[weights]
            values.append(value)
            weighed.append(weight)
            recording.span(number + 1, len(values), f"route {number}", 0, value * MS, kind="SERVER",
                           attributes=weighing(weight))  # fmt: skip
        recording.span(number + 1, 99, f"route {number}", 0, None, kind="SERVER", attributes=weighing(7))
        recording.span(number + 1, 98, f"route {number}", 0, 99_999 * MS, kind="SERVER", attributes=weighing(0))
        expected[f"route {number}"] = _quantiles(values, weighed)
        if weights != "real":
            repeated = np.repeat(values, [int(weight) for weight in weighed])
            assert expected[f"route {number}"] == pytest.approx(np.quantile(repeated, [0.5, 0.95, 0.99]).tolist())
    rows = asked(recording, "select route, p50_ms, p95_ms, p99_ms from rate_errors_duration()", tmp_path)
    assert len(rows) == len(expected)
    for route, *found in rows:
        assert found == pytest.approx(expected[route]), route


def _quantiles(values: list[int], weights: list[float]) -> list[float]:
    """A value stands from the weight before it to one before the weight after it, and between them goes a line."""
    places: list[float] = []
    numbers: list[int] = []
    reached = 0.0
    for value, weight in sorted(zip(values, weights, strict=True)):
        places += [reached, reached + weight - 1]
        numbers += [value, value]
        reached += weight
    return np.interp([share * (reached - 1) for share in (0.5, 0.95, 0.99)], places, numbers).tolist()
