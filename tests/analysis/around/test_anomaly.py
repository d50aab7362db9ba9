"""`infersight anomaly`: what happened when a metric was unusual."""

import random
import shlex
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint
from tests.analysis.recording import MS, SECOND, T0, Recording, Source, trace_id
from tests.support.pages import examples

from infersight_analysis import connect
from infersight_analysis.around.moment import Moment
from infersight_analysis.around.report import anomaly_around
from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import AnomalyAround

HOUR = 3600
AT = 4000
"""The second at which the queue grows; a new version came ten seconds before."""

MODEL: Source = ("model", "model-1", "1")
DATABASE: Source = ("database", "database-1", "1")


def gauge(recording: Recording, name: str, source: Source, values: list[tuple[int, float]]) -> None:
    points = [NumberDataPoint(time_unix_nano=T0 + second * SECOND, as_double=value) for second, value in values]
    recording.metric(Metric(name=name, gauge=Gauge(data_points=points)), source)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour and a bit: connections run out, a queue grows a minute later, and requests fail."""
    random_ = random.Random(1)
    recording = Recording()
    seconds = range(0, AT + 400, 10)

    def around(level: float, after: float, since: int) -> list[tuple[int, float]]:
        return [(second, (after if second >= since else level) + random_.gauss(0, 1)) for second in seconds]

    gauge(recording, "queue.size", MODEL, around(20, 90, AT))
    gauge(recording, "db.connections", DATABASE, around(30, 60, AT - 60))
    gauge(recording, "gpu.temperature", MODEL, around(60, 60, AT))
    gauge(recording, "memory.used", MODEL, around(50, 80, AT + 60))
    for number, second in enumerate(range(0, AT + 400, 4), 1):
        version = "2" if second >= AT - 10 else "1"
        source = ("model", f"model-{version}", version)
        failed = second >= AT and number % 2 == 0
        facts = {"exception.type": "QueueFull", "exception.message": f"{number} requests wait"}
        events = [(second * SECOND + MS, "exception", facts)] if failed else []
        error = "full" if failed else None
        recording.span(
            number, 1, "POST", second * SECOND, 5 * MS, kind="SERVER", source=source, error=error, events=events
        )
        recording.log(second * SECOND, f"request {number} done", source=MODEL, trace=number)
        if failed:
            recording.log(second * SECOND, f"rejecting request {number}", source=MODEL, trace=number, severity=13)
    return recording.write(tmp_path_factory.mktemp("around") / "store")


@pytest.fixture(scope="module")
def answer(store: Path) -> AnomalyAround:
    moment = Moment(T0 + AT * SECOND, 300 * SECOND)
    with connect(store) as connection:
        return anomaly_around(connection, "queue.size", moment)


def test_the_metric_is_compared_with_its_baseline(answer: AnomalyAround) -> None:
    (series,) = answer.series
    assert (series.service, series.reading) == ("model", "value")
    assert series.median == pytest.approx(20, abs=0.5)
    assert series.usual is not None
    assert series.usual[0] < 20 < series.usual[1]
    assert series.extreme == pytest.approx(90, abs=5)
    assert (series.deviations or 0) > 20
    assert len(series.values) >= 15
    assert answer.began is not None
    assert "10:00:0" in answer.began  # 8:53:20 and 4 000 s


def test_requests_and_traces_that_failed_are_counted_against_the_baseline(answer: AnomalyAround) -> None:
    assert answer.baseline_failed_traces == 0
    assert 35 <= answer.failed_traces <= 40
    assert answer.traces == 150
    (service,) = answer.services
    assert (service.service, service.requests, service.baseline_failed) == ("model", 150, 0)
    assert service.p_value is not None
    assert service.p_value < 1e-6


def test_top_errors_are_said_to_be_new(answer: AnomalyAround) -> None:
    (error,) = answer.errors
    assert (error.type, error.state, error.category) == ("QueueFull", "new", "resource_exhaustion")


def test_templates_that_were_not_logged_before_are_named(answer: AnomalyAround) -> None:
    (template,) = answer.templates
    assert (template.template, template.service, template.severity) == ("rejecting request *", "model", "WARN")
    assert template.p_value < 1e-6


def test_what_was_deployed_is_named_with_its_distance(answer: AnomalyAround) -> None:
    assert answer.marks == ["model: version 2 after 1, 8.00 s before"]


def test_other_series_are_told_as_before_together_and_after(answer: AnomalyAround) -> None:
    found = {each.name: each.when for each in answer.moved if each.name != "requests"}
    assert found == {"db.connections": "before", "memory.used": "after"}
    assert [each.offset_ns for each in answer.moved] == sorted(each.offset_ns for each in answer.moved)


def test_traces_to_look_into_and_evidence_are_there(answer: AnomalyAround, store: Path) -> None:
    assert {each.why for each in answer.exemplars} == {"failed", "slowest"}
    assert trace_id(1002) in {each.trace_id for each in answer.exemplars}
    with connect(store) as connection:
        assert connection.execute(answer.evidence.sql[0]).fetchall()


def test_a_quiet_moment_has_nothing_unusual(store: Path) -> None:
    with connect(store) as connection:
        quiet = anomaly_around(connection, "queue.size", Moment(T0 + 3000 * SECOND, 200 * SECOND))
    assert quiet.began is None
    assert (quiet.errors, quiet.templates, quiet.marks, quiet.failed_traces) == ([], [], [], 0)


def test_a_metric_that_is_not_there_is_answered_with_its_neighbours(store: Path) -> None:
    with connect(store) as connection, pytest.raises(AnalysisError, match=r"did you mean queue\.size"):
        anomaly_around(connection, "queue.sice", Moment(T0 + AT * SECOND, 300 * SECOND))


def test_requests_are_a_metric_too(store: Path) -> None:
    with connect(store) as connection:
        found = anomaly_around(connection, "requests", Moment(T0 + AT * SECOND, 300 * SECOND), service="model")
        assert {"rate", "error_share"} <= {series.reading for series in found.series}
        assert connection.execute(found.evidence.sql[0]).fetchall()


def test_the_command_prints_it(store: Path, run: Any) -> None:
    asked = ("anomaly", "queue.size", "--at", "2025-10-09T10:00:00Z", "--store", store)
    assert run(*asked).json["errors"][0]["type"] == "QueueFull"
    text = run(*asked, "--format", "table").out
    for said in ("queue.size around 2025-10-09 10:00:00", "Top errors", "rejecting request *", "version 2 after 1"):
        assert said in text
    assert run("anomaly", "queue.size", "--store", store).code == 2


def test_the_examples_of_the_page_work(
    store: Path, run: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = Path(__file__).parents[3] / "analysis" / "docs" / "anomaly.md"
    recorded = "2025-10-09T10:00:00Z"
    for command in examples(page, "sh")[0].splitlines():
        words = shlex.split(command.replace("2026-03-01T14:00:00Z", recorded).replace("sentiment", "model"))[1:]
        assert run(*words, "--store", store).json["errors"], command
    (tmp_path / "infersight-store").symlink_to(store)
    monkeypatch.chdir(tmp_path)
    (code,) = examples(page, "python")
    exec(code.replace("2026-03-01T14:00:00Z", recorded), {})
    assert capsys.readouterr().out.startswith("2025-10-09T10:00:0")


def test_with_too_few_points_what_is_usual_is_unknown(tmp_path: Path) -> None:
    recording = Recording()
    gauge(recording, "queue.size", MODEL, [(0, 1.0), (60, 90.0)])
    with connect(recording.write(tmp_path / "store")) as connection:
        found = anomaly_around(connection, "queue.size", Moment(T0 + 60 * SECOND, 300 * SECOND))
    (series,) = found.series
    assert (series.median, series.usual, series.deviations, found.began) == (None, None, None, None)
    assert [value for _, value in series.values] == [1, 90]
    assert found.notes == ["too few points before the window to know what is usual"]
