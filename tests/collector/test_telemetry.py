"""The collector's own counters on the page for Prometheus."""

from infersight_collector.telemetry import Telemetry


def test_the_page_has_every_counter_with_its_labels_escaped() -> None:
    telemetry = Telemetry()
    telemetry.accepted_records.add(2, "traces")
    telemetry.accepted_records.add(3, "traces")
    telemetry.refused_requests.add(1, "logs", 'a "reason"\\\n')
    telemetry.gauge("log_bytes", "Size", lambda: 2**40 + 1)
    lines = telemetry.render().splitlines()
    assert 'infersight_collector_accepted_records_total{signal="traces"} 5' in lines
    assert r'infersight_collector_refused_requests_total{signal="logs",reason="a \"reason\"\\\n"} 1' in lines
    assert "infersight_collector_log_bytes 1099511627777" in lines
    assert "infersight_collector_stored_segments_total 0" in lines
    assert "# TYPE infersight_collector_log_bytes gauge" in lines
    assert "# TYPE infersight_collector_refused_requests_total counter" in lines
