"""Symptoms accounted for by metrics and a call graph alone."""

import json
import random
from pathlib import Path

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
)
from tests.analysis.conftest import Run
from tests.analysis.recording import SECOND, T0, Recording, key_values

from infersight_analysis import connect
from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import RootCause
from infersight_analysis.rootcause.question import Question, Symptom, read_calls
from infersight_analysis.verbs.rootcause import rootcause

CALLS = {"web": ["cart", "search"], "cart": ["db"], "search": ["db"], "batch": ["search"]}
REQUESTS = {"web": 400.0, "cart": 200.0, "search": 600.0, "db": 900.0, "batch": 10.0, "mail": 50.0}
USUAL = {"web": 0.1, "cart": 0.04, "search": 0.02, "db": 0.005, "batch": 1.0, "mail": 0.3}
MINUTE = 60 * SECOND
READINGS = 65
FIRST = 60
"""The first reading of the incident."""


def gauge(name: str, readings: list[float], statistic: str) -> Metric:
    points = [
        NumberDataPoint(
            time_unix_nano=T0 + number * 5 * MINUTE, as_double=reading, attributes=key_values({"statistic": statistic})
        )
        for number, reading in enumerate(readings)
    ]
    return Metric(name=name, gauge=Gauge(data_points=points), unit="%" if name == "availability" else "s")


def store(path: Path, origin: str, more_s: float, failing: float = 0.0, *, from_reading: int = FIRST) -> Path:
    """The system of `CALLS`; the origin and, in proportion, its callers take longer, or fail."""
    chance = random.Random(3)
    parts = {origin: 1.0}
    for caller in ("search", "cart", "batch", "web"):  # from the callee up
        if caller != origin:
            below = sum(
                parts.get(callee, 0) * REQUESTS[callee] / sum(REQUESTS[each] for each in CALLS if callee in CALLS[each])
                for callee in CALLS[caller]
            )
            parts[caller] = parts.get(caller, 0) + below
    recording = Recording()
    for service, requests in REQUESTS.items():
        source = (service, "", None)
        busy = [0.0] * FIRST + [0.1, 1.0, 0.8, 0.9, 0.2]
        part = [parts.get(service, 0) * (busy[each] if each >= from_reading else 0) for each in range(READINGS)]
        latency = [USUAL[service] * (1 + chance.gauss(0, 0.03)) + more_s * each for each in part]
        available = [100.0 - 100 * failing * min(1.0, each) for each in part]
        counts = [requests * (1 + chance.gauss(0, 0.03)) for _ in part]
        recording.metric(gauge("latency", latency, "Average"), source)
        recording.metric(gauge("latency", [9 * each for each in latency], "p99"), source)
        recording.metric(gauge("availability", available, "Average"), source)
        recording.metric(gauge("requests", counts, "Sum"), source)
    return recording.write(path)


def asked(path: Path, symptom: str) -> RootCause:
    calls = {caller: frozenset(callees) for caller, callees in CALLS.items()}
    start, end = T0 + FIRST * 5 * MINUTE, T0 + READINGS * 5 * MINUTE
    with connect(path) as connection:
        return rootcause(connection, Question(start, end, symptom=Symptom.of(symptom), calls=calls))


@pytest.mark.parametrize("origin", ["db", "search", "cart", "web"])
def test_the_excess_of_the_callers_is_explained_by_the_one_that_they_wait_for(origin: str, tmp_path: Path) -> None:
    found = asked(store(tmp_path, origin, 0.05), "web:latency")
    assert found.services[0].service == origin
    assert found.services[0].evidence[0].of == {"metric": "latency"}
    assert "explains" in found.services[0].evidence[0].statement


@pytest.mark.parametrize("origin", ["db", "search", "cart"])
def test_failures_are_accounted_for_as_time_is(origin: str, tmp_path: Path) -> None:
    assert asked(store(tmp_path, origin, 0.0, 0.1), "web:availability").services[0].service == origin


def test_what_the_symptom_does_not_depend_on_does_not_explain_it(tmp_path: Path) -> None:
    """The batch job waits for the search longest of all, but nobody waits for the batch job."""
    found = asked(store(tmp_path, "search", 0.05), "web:latency")
    assert {"batch", "mail"}.isdisjoint(suspect.service for suspect in found.services)


def test_a_symptom_without_metrics_is_noted_and_the_rest_still_asked(tmp_path: Path) -> None:
    found = asked(store(tmp_path, "search", 0.05), "checkout")
    assert any("checkout" in note for note in found.notes)


def test_a_graph_is_read_and_another_form_is_refused_in_one_line(tmp_path: Path) -> None:
    graph, wrong = tmp_path / "graph.json", tmp_path / "wrong.json"
    graph.write_text(json.dumps({"nodes": ["a", "b"], "edges": [["a", "b"], ["a", "c"]]}))
    wrong.write_text("[]")
    assert read_calls(graph) == {"a": frozenset({"b", "c"})}
    with pytest.raises(AnalysisError, match="write it as"):
        read_calls(wrong)
    with pytest.raises(AnalysisError, match="cannot read"):
        read_calls(tmp_path / "absent.json")


def test_the_command_takes_the_symptom_and_the_graph(tmp_path: Path, run: Run) -> None:
    graph = tmp_path / "graph.json"
    graph.write_text(json.dumps({"edges": [[caller, each] for caller, callees in CALLS.items() for each in callees]}))
    path = store(tmp_path / "store", "db", 0.05)
    times = ("--start", "2025-10-09T13:53:20Z", "--end", "2025-10-09T14:18:20Z")
    arguments = ("rootcause", *times, "--symptom", "web:latency", "--calls", graph, "--store", path)
    found = run(*arguments).json
    assert found["services"][0]["service"] == "db"
    assert found["services"][0]["evidence"][0]["evidence"]["sql"]
    table = run(*arguments, "--format", "table").out
    assert "db" in table.splitlines()[0]


def test_what_is_missing_or_contradictory_is_said_in_one_line(tmp_path: Path, run: Run) -> None:
    path = store(tmp_path / "store", "db", 0.05)
    without = run("rootcause", "--store", path)
    assert (without.code, without.err.strip()) == (2, "say when the incident was: --start and --end, or --last 15m")
    start = ("--start", "2025-10-09T13:53:20Z", "--end", "2025-10-09T14:18:20Z")
    baseline = ("--baseline-start", "2025-10-09T12:00:00Z", "--baseline-end", "2025-10-09T11:00:00Z")
    backwards = run("rootcause", *start, *baseline, "--store", path)
    assert (backwards.code, "must end after it begins" in backwards.err) == (2, True)
    empty = run("rootcause", "--start", "2024-01-01", "--end", "2024-01-02", "--store", path)
    assert (empty.code, empty.err.strip()) == (3, "need more data: the incident has none")


def histogram(name: str, means: list[float], counts: list[int], route: str) -> Metric:
    """A cumulative histogram without buckets, as a service reports one for each route."""
    points: list[HistogramDataPoint] = []
    count, total = 0, 0.0
    for number, (mean, more) in enumerate(zip(means, counts, strict=True)):
        count, total = count + more, total + more * mean
        attributes = key_values({"http.route": route})
        at = T0 + number * 5 * MINUTE
        points.append(
            HistogramDataPoint(
                start_time_unix_nano=T0 - 1, time_unix_nano=at, count=count, sum=total, attributes=attributes
            )
        )
    cumulative = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    return Metric(name=name, histogram=Histogram(data_points=points, aggregation_temporality=cumulative), unit="s")


def test_histograms_of_routes_and_instances_tell_the_time_of_all_requests_together(tmp_path: Path) -> None:
    """The slow route of `search` has few requests, one in ten instances' worth; a quick one of `cart` has many."""
    chance, recording = random.Random(4), Recording()
    loud = [each >= FIRST + 1 for each in range(READINGS)]
    usual = {("web", "/"): 0.1, ("search", "/find"): 0.05, ("search", "/like"): 0.4, ("cart", "/add"): 0.02}
    more = {("web", "/"): 0.05, ("search", "/like"): 1.0}
    for (service, route), mean in usual.items():
        for instance in ("1", "2"):
            means = [mean * (1 + chance.gauss(0, 0.02)) + more.get((service, route), 0.0) * each for each in loud]
            counts = [10 if route == "/like" else 200 for _ in means]
            recording.metric(histogram("http.server.request.duration", means, counts, route), (service, instance, None))
            recording.metric(
                histogram("http.client.request.duration", means[::-1], counts, route), (service, instance, None)
            )
    found = asked(recording.write(tmp_path), "web:http.server.request.duration")
    assert found.services[0].service == "search"
    assert found.services[0].evidence[0].of == {"metric": "http.server.request.duration"}
    assert found.services[0].evidence[0].evidence.numbers["excess"] == pytest.approx(2 * 10 * 0.8 / 300, rel=0.1)
