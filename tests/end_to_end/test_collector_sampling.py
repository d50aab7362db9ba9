"""A collector that samples whole traces and counts all spans: the examples of the pages, and kill -9."""

import os
import random
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from tests.support.collectors import RunningCollector, StartCollector, wait_until
from tests.support.otlp_senders import post
from tests.support.pages import examples
from tests.support.traces import Span, exemplars_request, logs_request, spans_request, trace_id

from infersight_analysis import connect
from infersight_collector.signals import Signal

PAGES = Path(__file__).parents[2] / "collector" / "docs"
ROUNDS = int(os.environ.get("INFERSIGHT_KILL_ROUNDS", "5"))

CONFIGURATION = """
receivers: {otlp: }
processors:
  tail_sampling:
    decision_wait: 700ms
    policies:
      - {name: failed, type: status_code, status_code: {status_codes: [ERROR]}}
      - {name: some, type: probabilistic, probabilistic: {sampling_percentage: 20}}
      - {name: few, type: rate_limiting, rate_limiting: {spans_per_second: 50}}
  spanmetrics: {}
exporters: {store: {flush_interval: 100ms, fsync: never}}
extensions: {health_check: }
service:
  extensions: [health_check]
  pipelines:
    traces: {receivers: [otlp], processors: [spanmetrics, tail_sampling], exporters: [store]}
    logs: {receivers: [otlp], processors: [tail_sampling], exporters: [store]}
    metrics: {receivers: [otlp], processors: [tail_sampling], exporters: [store]}
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    path = tmp_path / "sampling.yaml"
    path.write_text(CONFIGURATION)
    return path


def send(collector: RunningCollector, signal: Signal, request: bytes) -> bool:
    """Whether the request was acknowledged; it is never sent again."""
    try:
        return post(collector.http, f"/v1/{signal}", request).status == 200
    except OSError:
        return False


class Load:
    """Threads that send traces of four requests: spans twice, a prediction, a metric with an exemplar.

    Every fifth trace fails, and says so with its second spans.

    Args:
        collector: where to.
        first: the number of the first trace.
    """

    def __init__(self, collector: RunningCollector, first: int) -> None:
        self._collector = collector
        self._lock = threading.Lock()
        self._next = first
        self.acknowledged: defaultdict[int, set[str]] = defaultdict(set)
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(4)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def wait_until_finished(self, traces: int) -> None:
        wait_until(lambda: len(self.finished) >= traces, 60)

    @property
    def finished(self) -> set[int]:
        """The traces of which everything was acknowledged."""
        return {trace for trace, parts in dict(self.acknowledged).items() if len(parts) == 4}

    def _send(self) -> None:
        while not self._ended.is_set():
            with self._lock:
                trace, self._next = self._next, self._next + 1
            failed = trace % 5 == 0
            requests = {
                "first": (Signal.TRACES, spans_request([Span(trace, name="first")] * 3)),
                "second": (Signal.TRACES, spans_request([Span(trace, name="second", error=failed)] * 2)),
                "prediction": (Signal.LOGS, logs_request(trace)),
                "exemplar": (Signal.METRICS, exemplars_request(trace)),
            }
            for part, (signal, request) in requests.items():
                if not send(self._collector, signal, request):
                    return
                self.acknowledged[trace].add(part)


def stored(collector: RunningCollector) -> dict[str, dict[str, tuple[int, float]]]:
    """By part of a trace, for each trace id that has it in the store: how often, and its weight."""
    parts = {
        "first": "spans where name = 'first'",
        "second": "spans where name = 'second'",
        "prediction": "logs where true",
        "exemplar": "(select *, 1.0 as sample_weight from exemplars) where metric_name = 'requests'",
    }
    found: dict[str, dict[str, tuple[int, float]]] = {}
    for part, of in parts.items():
        rows = collector.query(f"select trace_id, count(*), any_value(sample_weight) from {of} group by 1")
        found[part] = {trace: (count, weight) for trace, count, weight in rows}
    return found


def test_kill_9_leaves_each_trace_whole_or_absent(start_collector: StartCollector, configuration: Path) -> None:
    moments = random.Random(11)
    collector = start_collector("--config", str(configuration))
    loads: list[Load] = []
    for number in range(ROUNDS):
        load = Load(collector, 100_000 * (number + 1))
        loads.append(load)
        load.start()
        load.wait_until_finished(moments.randrange(20, 500))
        collector.kill()
        load.stop()
        collector = start_collector("--config", str(configuration), store=collector.store)
    assert collector.stop() == 0
    found = stored(collector)
    kept: set[int] = set()
    for load in loads:
        for trace, parts in load.acknowledged.items():
            text = trace_id(trace)
            present = {part for part, traces in found.items() if text in traces}
            # What was not acknowledged may be there as well, if the rest is.
            assert parts <= present or not present
            assert trace % 5 or "second" not in parts or present
            expected = {"first": 3, "second": 2, "prediction": 1, "exemplar": 1}
            assert {part: found[part][text][0] for part in present} == {part: expected[part] for part in present}
            assert len({found[part][text][1] for part in present & {"first", "second", "prediction"}}) <= 1
            kept |= {trace} if present else set()
    finished = {trace for load in loads for trace in load.finished}
    assert 0.2 * len(finished) < len(kept) < len(finished)
    # Metrics are never sampled: each span was counted once.
    counted = "select attributes['span.name'], sum(value) from metrics where name like '%calls' group by 1"
    calls = dict(collector.query(counted))
    parts_sent = [part for load in loads for parts in load.acknowledged.values() for part in parts]
    sent = {name: parts_sent.count(name) for name in ("first", "second")}
    unanswered = 4 * ROUNDS  # requests that may have been taken although nobody heard of it
    assert 3 * sent["first"] <= calls["first"] <= 3 * (sent["first"] + unanswered)
    assert 2 * sent["second"] <= calls["second"] <= 2 * (sent["second"] + unanswered)
    assert collector.query("select count(*) from metrics where name = 'requests'")[0][0] >= len(finished)


def test_weights_make_up_for_what_is_dropped(start_collector: StartCollector, configuration: Path) -> None:
    collector = start_collector("--config", str(configuration))
    traces = 3000
    for first in range(0, traces, 250):
        spans = [Span(trace, error=trace % 50 == 0) for trace in range(first, first + 250)]
        assert send(collector, Signal.TRACES, spans_request(spans))
    assert collector.stop() == 0
    [(count, estimate, failed)] = collector.query(
        "select count(*), sum(sample_weight), sum(sample_weight) filter (status_code = 'ERROR') from spans"
    )
    assert count < traces / 2
    assert failed == traces / 50
    # Five standard deviations of a sample of a fifth.
    assert abs(estimate - traces) < 5 * (traces * 0.8 / 0.2) ** 0.5
    [(calls,)] = collector.query("select sum(value) from metrics where name = 'traces.span.metrics.calls'")
    assert calls == traces


def run_page(start_collector: StartCollector, tmp_path: Path, page: str) -> list[tuple[Any, ...]]:
    """What the query of a page says of 400 requests, of which every tenth failed, after its configuration."""
    [text], [query] = examples(PAGES / page, "yaml"), examples(PAGES / page, "sql")
    path = tmp_path / "page.yaml"
    path.write_text(text)
    collector = start_collector("--config", str(path))
    resource = {"service.name": "fraud", "service.version": "2"}
    spans = [
        Span(trace, 40, kind="SERVER", error=trace % 10 == 0, attributes={"http.route": "/predict"}, resource=resource)
        for trace in range(400)
    ]
    assert send(collector, Signal.TRACES, spans_request(spans))
    assert send(collector, Signal.LOGS, logs_request(*range(400)))
    assert collector.stop() == 0
    spans_kept, logs_kept = (
        {row[0] for row in collector.query(f"select trace_id from {table}")} for table in ("spans", "logs")
    )
    assert spans_kept == logs_kept
    assert {trace_id(trace) for trace in range(0, 400, 10)} <= spans_kept
    with connect(collector.store) as database:
        return database.execute(query).fetchall()


def test_the_example_of_the_sampling_page_estimates_all_requests(
    start_collector: StartCollector, tmp_path: Path
) -> None:
    [(requests, error_rate, mean_ns)] = run_page(start_collector, tmp_path, "tail-sampling.md")
    # 200 spans/s for the others, of which 100 are new anyway.
    assert requests == pytest.approx(400, rel=0.2)
    assert error_rate * requests == pytest.approx(40)
    assert mean_ns == pytest.approx(40e6)


def test_the_example_of_the_span_metrics_page_counts_all_requests(
    start_collector: StartCollector, tmp_path: Path
) -> None:
    rows = run_page(start_collector, tmp_path, "span-metrics.md")
    assert rows == [("/predict", "2", 400.0, pytest.approx(0.1))]
