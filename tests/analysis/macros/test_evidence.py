# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# (pyarrow publishes no type information)
"""`trace`, `logs_of`, `metrics_around`, `exemplars_of`, `batch_of`, `predictions_of` and `attribute_keys`."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_DELTA,
    Exemplar,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
)
from tests.analysis.recording import MS, SECOND, T0, Recording, Source, key_values, trace_id

import infersight
from infersight import testing
from infersight_analysis import connect
from infersight_collector.decode import decode
from infersight_collector.signals import Signal
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

MODEL: Source = ("model", "model-1", "2.0")


def asked(recording: Recording, query: str, path: Path) -> list[tuple[Any, ...]]:
    with connect(recording.write(path / "store")) as connection:
        return connection.execute(query).fetchall()


def test_a_trace_and_its_logs_are_found_however_its_id_is_written(tmp_path: Path) -> None:
    recording = Recording()
    for trace in (0xAB, 0xCD):
        recording.span(trace, 2, "later", 2 * MS, MS)
        recording.span(trace, 1, "first", 0, 9 * MS)
        recording.log(5 * MS, "second", trace=trace)
        recording.log(4 * MS, "first", trace=trace)
    with connect(recording.write(tmp_path / "store")) as connection:
        for written in (trace_id(0xAB), trace_id(0xAB).upper()):
            values = {"trace": written}
            assert connection.execute("select name from trace($trace)", values).fetchall() == [("first",), ("later",)]
            assert connection.execute("select body from logs_of($trace)", values).fetchall() == [
                ("first",),
                ("second",),
            ]


def gauge(name: str, at: int, value: float, source: Source, recording: Recording) -> None:
    point = NumberDataPoint(time_unix_nano=T0 + at, as_double=value, attributes=key_values({"gpu": 0}))
    recording.metric(Metric(name=name, unit="By", gauge=Gauge(data_points=[point])), source)


def test_metrics_around_a_trace_are_those_of_its_processes_within_the_padding(tmp_path: Path) -> None:
    recording = Recording()
    recording.span(1, 1, "POST", 100 * SECOND, 10 * SECOND, source=MODEL)
    for at in (10, 80, 105, 125, 190):
        gauge("memory", at * SECOND, at, MODEL, recording)
    gauge("memory", 105 * SECOND, 1, ("model", "model-2", "2.0"), recording)
    gauge("memory", 105 * SECOND, 2, ("other", "model-1", None), recording)
    query = f"select offset_ms / 1000, phase, service_instance_id, value from metrics_around('{trace_id(1)}', '30s')"
    assert asked(recording, query, tmp_path) == [
        (-20, "before", "model-1", 80),
        (5, "during", "model-1", 105),
        (25, "after", "model-1", 125),
    ]


def histograms() -> Recording:
    recording = Recording()
    values = (0.05, 0.1, 0.3, 0.5, 7.0)
    exemplars = [
        Exemplar(time_unix_nano=T0 + number, as_double=value, trace_id=(number + 1).to_bytes(16, "big"))
        for number, value in enumerate(values)
    ]
    data = HistogramDataPoint(
        time_unix_nano=T0, explicit_bounds=[0.1, 0.5], bucket_counts=[2, 2, 1], exemplars=exemplars
    )
    histogram = Histogram(data_points=[data], aggregation_temporality=AGGREGATION_TEMPORALITY_DELTA)
    recording.metric(Metric(name="explicit", histogram=histogram))
    signed = [
        Exemplar(time_unix_nano=T0 + number, as_double=value) for number, value in enumerate((-3.0, 0.0, 1.5, 2.0, 3.0))
    ]
    point = ExponentialHistogramDataPoint(time_unix_nano=T0, scale=0, exemplars=signed)
    exponential = ExponentialHistogram(data_points=[point], aggregation_temporality=AGGREGATION_TEMPORALITY_DELTA)
    recording.metric(Metric(name="exponential", exponential_histogram=exponential))
    return recording


BUCKETS = [
    ("explicit", "0.5", [0.5, 0.3], (0.1, 0.5)),
    ("explicit", "0.2", [0.5, 0.3], (0.1, 0.5)),
    ("explicit", "0.1", [0.1, 0.05], (float("-inf"), 0.1)),
    ("explicit", "'inf'", [7.0], (0.5, float("inf"))),
    ("exponential", "2", [2.0, 1.5], (1, 2)),
    ("exponential", "2.5", [3.0], (2, 4)),
    ("exponential", "-3", [-3.0], (-4, -2)),
    ("exponential", "0", [0.0], (0, 0)),
]


@pytest.mark.parametrize(("metric", "bucket", "values", "bounds"), BUCKETS)
def test_exemplars_of_a_bucket_lie_between_its_bounds(
    metric: str, bucket: str, values: list[float], bounds: tuple[float, float], tmp_path: Path
) -> None:
    query = f"select value, (bucket_lower, bucket_upper) from exemplars_of('{metric}', {bucket})"
    assert asked(histograms(), query, tmp_path) == [(value, bounds) for value in values]


def test_exemplars_lead_to_traces(tmp_path: Path) -> None:
    query = "select trace_id from exemplars_of('explicit', 'inf', 'api', last := '1s')"
    assert asked(histograms(), query, tmp_path) == [(trace_id(5),)]


def batched(recording: Recording) -> None:
    """Three requests, of which the first two rode in one batch."""
    for trace, queued in {1: 30, 2: 10, 3: 5}.items():
        batch = 10 if trace < 3 else 11
        recording.span(trace, 1, "POST", 0, 100 * MS, kind="SERVER")
        waited = {"infersight.operation": "queue", "infersight.batch.queue.duration": queued / 1e3}
        rode = {"infersight.operation": "batched", "infersight.batch.share": 0.5}
        recording.span(trace, 2, "queue", 10 * MS, queued * MS, parent=1, links=[(batch, 1)], attributes=waited)
        recording.span(trace, 3, "batched m", 40 * MS, 20 * MS, parent=1, links=[(batch, 1)], attributes=rode)
    facts = {"infersight.operation": "batch", "infersight.batch.size": 2, "infersight.batch.release_reason": "full"}
    recording.span(10, 1, "batch m", 40 * MS, 20 * MS, attributes=facts, links=[(1, 1), (2, 1)])
    recording.span(11, 1, "batch m", 41 * MS, 20 * MS, attributes=facts, links=[(3, 1)])


def test_a_batch_names_its_members_their_waits_and_their_shares(tmp_path: Path) -> None:
    recording = Recording()
    batched(recording)
    query = "select batch, duration_ms, size, release_reason, member_trace_id, is_this, queue_ms, share, batch_trace_id"
    assert asked(recording, f"{query} from batch_of('{trace_id(2)}')", tmp_path) == [
        ("batch m", 20, 2, "full", trace_id(2), True, pytest.approx(10), 0.5, trace_id(10)),
        ("batch m", 20, 2, "full", trace_id(1), False, pytest.approx(30), 0.5, trace_id(10)),
    ]


def test_a_member_whose_link_the_batch_had_no_room_for_finds_it_by_its_own(tmp_path: Path) -> None:
    recording = Recording()
    recording.span(3, 1, "POST", 0, 100 * MS, kind="SERVER")
    recording.span(
        3, 2, "queue", 10 * MS, 30 * MS, parent=1, links=[(10, 1)], attributes={"infersight.operation": "queue"}
    )
    recording.span(10, 1, "batch m", 40 * MS, 20 * MS, attributes={"infersight.operation": "batch"}, links=[(1, 1)])
    query = f"select member_trace_id, is_this from batch_of('{trace_id(3)}')"
    assert asked(recording, query, tmp_path) == [(trace_id(3), True), (trace_id(1), False)]


def test_what_other_senders_link_is_a_batch_when_it_links_several(tmp_path: Path) -> None:
    recording = Recording()
    recording.span(1, 1, "send", 0, 100 * MS, kind="PRODUCER")
    recording.span(5, 1, "process", 20 * MS, 20 * MS, kind="CONSUMER", links=[(1, 1), (2, 1)])
    recording.span(6, 1, "retry", 20 * MS, 20 * MS, links=[(1, 1)])
    query = f"select batch, member_trace_id from batch_of('{trace_id(1)}')"
    assert asked(recording, query, tmp_path) == [("process", trace_id(1)), ("process", trace_id(2))]


def test_the_batches_of_the_sdk_are_found(tmp_path: Path) -> None:
    async def request(queue: list[infersight.QueuedItem], enqueued: asyncio.Barrier, ran: asyncio.Event) -> None:
        with infersight.stage("request"):
            queue.append(infersight.QueuedItem(size=len(queue) + 1))
            await enqueued.wait()
            await ran.wait()

    async def run() -> None:
        queue: list[infersight.QueuedItem] = []
        enqueued, ran = asyncio.Barrier(4), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(request(queue, enqueued, ran))
            await enqueued.wait()
            with infersight.Batch(queue, model="m", capacity=4, release_reason="timeout"):
                pass
            ran.set()

    with testing.capture() as captured:
        asyncio.run(run())
    exported = bytes(encode_spans(captured.spans).SerializeToString())
    Store.open(tmp_path).write(decode(Signal.TRACES, exported), Origin("test", 1))
    with connect(tmp_path) as connection:
        query = "select trace_id from spans where name = 'request'"
        requests = {trace for (trace,) in connection.execute(query).fetchall()}
        for trace in requests:
            query = "select member_trace_id, is_this, share, size, queue_ms > 0 from batch_of($trace)"
            rows = connection.execute(query, {"trace": trace}).fetchall()
            assert {row[0] for row in rows} == requests
            assert [row[1] for row in rows] == [True, False, False]
            assert sorted(row[2] for row in rows) == pytest.approx([1 / 6, 2 / 6, 3 / 6])
            assert {row[3:] for row in rows} == {(3, True)}


def test_predictions_are_found_by_trace_model_version_and_time(tmp_path: Path) -> None:
    recording = Recording()
    for number, (model, version) in enumerate((("a", "1"), ("a", "2"), ("b", "1")), 1):
        facts = {"infersight.model.name": model, "infersight.model.version": version}
        recording.log(number * 3600 * SECOND, "", trace=number, event_name="infersight.prediction", attributes=facts)
    with connect(recording.write(tmp_path / "store")) as connection:
        for arguments, expected in {
            f"'{trace_id(2)}'": [2],
            "model := 'a'": [1, 2],
            "model := 'a', version := '2'": [2],
            "last := '90m'": [2, 3],
            "": [1, 2, 3],
        }.items():
            rows = connection.execute(f"select trace_id from predictions_of({arguments})").fetchall()
            assert [int(trace, 16) for (trace,) in rows] == expected, arguments


def test_attribute_keys_is_a_view_and_a_function_with_filters(tmp_path: Path) -> None:
    recording = Recording()
    recording.span(1, 1, "x", 0, MS, attributes={"http.route": "/", "user.id": 7})
    recording.log(0, "x", attributes={"user.id": "7"})
    with connect(recording.write(tmp_path / "store")) as connection:
        query = "select table_name, key, type from attribute_keys('spans', '%USER%')"
        assert connection.execute(query).fetchall() == [("spans", "user.id", "BIGINT")]
        (found,) = connection.execute("select count(*) from attribute_keys()").fetchall()
        assert connection.execute("select count(*) from attribute_keys").fetchall() == [found]
