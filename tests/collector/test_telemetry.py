"""The collector's own metrics: counted once, the same on the page for Prometheus and in the OTLP form."""

import itertools
import re
from pathlib import Path

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from prometheus_client.parser import text_string_to_metric_families

from infersight_collector.decode import check
from infersight_collector.signals import Signal
from infersight_collector.telemetry import Telemetry, instruments
from infersight_collector.telemetry.instruments import Instrument
from infersight_collector.telemetry.otlp import encode
from infersight_collector.telemetry.process import observe_process

PAGE = Path(__file__).parents[2] / "collector" / "docs" / "self-observation.md"
ALL = [value for value in vars(instruments).values() if isinstance(value, Instrument)]


def used() -> Telemetry:
    """Telemetry that something happened to."""
    telemetry = Telemetry()
    telemetry.accepted_records.add(2, Signal.TRACES)
    telemetry.accepted_records.add(3, Signal.TRACES)
    telemetry.refused_requests.add(1, Signal.LOGS, 'a "reason"\\\n')
    for seconds in (0.001, 0.02, 0.02, 99.0):
        telemetry.flush_duration.record(seconds)
    telemetry.observe(instruments.LOG_SIZE, lambda: 2**40 + 1)
    return telemetry


def page(telemetry: Telemetry) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """The page as Prometheus' own parser reads it."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(telemetry.render())
        for sample in family.samples
    }


def otlp(telemetry: Telemetry) -> dict[str, Metric]:
    """The metrics of the request, by name; the collector itself takes it."""
    content = encode(telemetry, now_ns=7)
    assert check(Signal.METRICS, content) > 0
    (source,) = ExportMetricsServiceRequest.FromString(content).resource_metrics
    resource = {pair.key: pair.value.string_value for pair in source.resource.attributes}
    assert resource == telemetry.resource
    assert resource["service.name"] == "infersight-collector"
    assert set(resource) == {"service.name", "service.version", "service.instance.id"}
    (scope,) = source.scope_metrics
    return {metric.name: metric for metric in scope.metrics}


def test_the_page_has_sums_values_and_distributions_with_their_labels() -> None:
    found = page(used())
    assert found["infersight_collector_accepted_records_total", frozenset({("signal", "traces")})] == 5
    refused = frozenset({("signal", "logs"), ("reason", 'a "reason"\\\n')})
    assert found["infersight_collector_refused_requests_total", refused] == 1
    assert found["infersight_collector_log_size_bytes", frozenset()] == 2**40 + 1
    assert found["infersight_collector_stored_segments_total", frozenset()] == 0
    duration = "infersight_collector_flush_duration_seconds"
    assert found[f"{duration}_count", frozenset()] == 4
    assert found[f"{duration}_sum", frozenset()] == pytest.approx(99.041)
    assert found[f"{duration}_bucket", frozenset({("le", "0.025")})] == 3


def test_the_same_numbers_are_in_the_otlp_form() -> None:
    telemetry = used()
    metrics = otlp(telemetry)
    accepted = metrics["infersight.collector.accepted_records"]
    assert (accepted.unit, accepted.sum.is_monotonic, accepted.sum.aggregation_temporality) == ("{record}", True, 2)
    (point,) = accepted.sum.data_points
    assert (point.as_int, point.start_time_unix_nano, point.time_unix_nano) == (5, telemetry.started_ns, 7)
    assert [(pair.key, pair.value.string_value) for pair in point.attributes] == [("signal", "traces")]
    assert metrics["infersight.collector.log.size"].gauge.data_points[0].as_int == 2**40 + 1
    (distribution,) = metrics["infersight.collector.flush.duration"].histogram.data_points
    assert (distribution.count, distribution.sum) == (4, pytest.approx(99.041))
    assert list(distribution.explicit_bounds) == list(instruments.DURATION_BOUNDS)
    assert list(distribution.bucket_counts) == [1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]


def test_a_metric_without_series_is_not_sent() -> None:
    assert "infersight.collector.refused_requests" not in otlp(Telemetry())
    assert "infersight.collector.stored_segments" in otlp(Telemetry())


def test_the_process_is_measured() -> None:
    telemetry = Telemetry()
    observe_process(telemetry)
    found, metrics = page(telemetry), otlp(telemetry)
    assert found["process_memory_usage_bytes", frozenset()] > 10 * 2**20
    assert found["process_thread_count", frozenset()] >= 1
    assert found["process_cpu_time_seconds_total", frozenset({("cpu_mode", "user")})] > 0
    assert metrics["process.cpu.time"].sum.data_points[0].attributes[0].key == "cpu.mode"
    assert not metrics["process.memory.usage"].sum.is_monotonic


def test_a_reading_that_the_system_does_not_have_leaves_the_others_alone() -> None:
    def absent() -> float:
        raise FileNotFoundError

    telemetry = Telemetry()
    telemetry.observe(instruments.MEMORY_USAGE, absent)
    telemetry.observe(instruments.THREAD_COUNT, lambda: 3)
    assert page(telemetry)["process_thread_count", frozenset()] == 3
    assert "process.memory.usage" not in otlp(telemetry)


def test_components_that_ask_for_the_same_instrument_share_it() -> None:
    telemetry = Telemetry()
    for name in ("a", "b"):
        telemetry.counter(instruments.EXPORTER_FAILURES).add(1, name)
        telemetry.observe(instruments.EXPORTER_RETRY_DELAY, lambda: 2.5, name)
    found = page(telemetry)
    for name in ("a", "b"):
        assert found["infersight_collector_exporter_failures_total", frozenset({("exporter", name)})] == 1
        assert found["infersight_collector_exporter_retry_delay_seconds", frozenset({("exporter", name)})] == 2.5


def test_names_are_unique_and_in_the_form_of_opentelemetry() -> None:
    names = [instrument.name for instrument in ALL]
    families = [instrument.family for instrument in ALL]
    assert len(ALL) > 20
    assert len(set(names)) == len(set(families)) == len(ALL)
    assert all(re.fullmatch(r"(infersight\.collector|process)(\.[a-z_]+)+", name) for name in names)
    assert not any(b.startswith(f"{a}.") for a, b in itertools.permutations(names, 2))


@pytest.mark.parametrize("instrument", ALL, ids=lambda instrument: instrument.name)
def test_every_metric_is_on_the_page_of_the_documentation(instrument: Instrument) -> None:
    attributes = ", ".join(f"`{key}`" for key in instrument.attributes)
    row = f"| `{instrument.name}` | {instrument.kind} | `{instrument.unit}` | {attributes} | {instrument.about} |"
    assert row in PAGE.read_text().splitlines(), f"add to {PAGE}: {row}"
