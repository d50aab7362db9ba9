"""Latency went up at a moment, and somebody looks at the logs only."""

from tests.pressure.conftest import WAVES, Recording
from tests.support.pools import CROWD
from tests.support.prompts import Prompt

from infersight_analysis.times import iso_time


def test_a_moment_is_explained_by_traces_logs_and_metrics_together(recording: Recording, prompt: Prompt) -> None:
    when = recording.crowded
    middle = (when.start_ns + when.end_ns) // 2
    width = f"{(when.end_ns - when.start_ns) // 2_000_000}ms"
    asked = ("--at", iso_time(middle), "--window", width, "--service", "predictor")
    found = prompt("anomaly", "http.server.request.duration", *asked)
    assert found["traces"] >= 0.9 * WAVES * CROWD
    (served,) = [each for each in found["services"] if each["service"] == "predictor"]
    assert served["failed"] >= 0.9 * recording.statuses[500] > 0
    assert served["baseline_failed"] == 0
    assert any(each["type"].endswith("TimeoutError") for each in found["errors"])
    assert any("Exception in ASGI application" in str(each) for each in found["templates"])
    assert any(each["values"] for each in found["series"])
    assert found["exemplars"]


def test_one_request_leads_from_its_spans_to_its_logs_its_metrics_and_its_cause(
    recording: Recording, prompt: Prompt
) -> None:
    failed = prompt("errors", *recording.crowded.options)["errors"][0]
    trace = failed["evidence"]["trace_ids"][0]
    found = prompt("investigate", trace)
    logged = prompt("sql", f"select body from logs where trace_id = '{trace}'")
    assert {log["body"] for log in found["logs"]} == {row["body"] for row in logged}
    assert any(metric["name"] == "http.server.request.duration" for metric in found["metrics"])
    longest = max(found["breakdown"], key=lambda piece: piece["self_ns"])
    assert longest["name"] == "connect"
    assert sum(piece["self_ns"] for piece in found["breakdown"]) == found["total_ns"]
    assert found["hypotheses"][0]["cause"] == "slow_dependency"
