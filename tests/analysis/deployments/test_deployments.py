"""`infersight deployments`: versions over time, and what took the place of what."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint
from tests.analysis.recording import MS, SECOND, T0, Recording
from tests.support.pages import examples

from infersight_analysis import connect
from infersight_analysis.deployments.runs import Run, Sighting, runs
from infersight_analysis.findings import Deployments
from infersight_analysis.options import Window
from infersight_analysis.verbs.deployments import deployments

MINUTE = 60 * SECOND


def served(
    recording: Recording,
    version: str | None,
    from_s: int,
    until_s: int,
    *,
    every_s: int = 1,
    service: str = "api",
    failing: int = 0,
    resource: dict[str, Any] | None = None,
    attributes: dict[str, Any] | None = None,
) -> None:
    """A request every second or so, of which every `failing`th fails."""
    source = (service, f"{service}-{version}", version)
    for number, second in enumerate(range(from_s, until_s, every_s)):
        error = "no" if failing and number % failing == 0 else None
        recording.span(
            1 + second * 10 + int(version or 0) + len(service) * 1_000_000,
            1,
            "GET /",
            second * SECOND,
            MS,
            kind="SERVER",
            source=source,
            error=error,
            attributes=attributes,
            resource=resource,
        )


def found(recording: Recording, path: Path, **arguments: Any) -> Deployments:
    with connect(recording.write(path / "store")) as connection:
        return deployments(connection, **arguments)


def marks(answer: Deployments) -> list[tuple[int, str, str, str | None, str | None]]:
    """Second, kind, what, before and after of each mark."""
    return [(seconds(mark.time), mark.kind, mark.what, mark.before, mark.after) for mark in answer.marks]


def seconds(time: str) -> int:
    minutes, rest = time[14:].split(":")
    return (int(time[11:13]) * 60 + int(minutes)) * 60 + int(rest[:2]) - (8 * 60 + 53) * 60 - 20


def test_versions_are_listed_with_when_they_ran_and_what_they_served(tmp_path: Path) -> None:
    recording = Recording()
    served(recording, "1", 0, 600, failing=10)
    served(recording, "2", 600, 1200)
    recording.log(30 * SECOND, "hello", source=("api", "api-1b", "1"))
    answer = found(recording, tmp_path)
    first, second = answer.versions
    assert (first.service, first.version, first.instances) == ("api", "1", 2)
    assert (first.requests, first.failed, first.records) == (600, 60, {"spans": 600, "logs": 1})
    assert (seconds(second.first_seen), seconds(second.last_seen)) == (600, 1199)
    assert marks(answer) == [(600, "version", "service.version", "1", "2")]
    assert seconds(answer.marks[0].until or "") == 599


def test_a_version_that_ran_before_is_a_rollback(tmp_path: Path) -> None:
    recording = Recording()
    served(recording, "1", 0, 600)
    served(recording, "2", 600, 900)
    served(recording, "1", 900, 1500)
    answer = found(recording, tmp_path)
    assert marks(answer) == [
        (600, "version", "service.version", "1", "2"),
        (900, "rollback", "service.version", "2", "1"),
    ]
    assert len(answer.versions[0].runs) == 2


def test_a_canary_beside_another_version_is_one_run_however_few_requests_it_gets(tmp_path: Path) -> None:
    recording = Recording()
    served(recording, "1", 0, 1800)
    served(recording, "2", 300, 1800, every_s=20)
    answer = found(recording, tmp_path)
    assert marks(answer) == [(300, "version", "service.version", "1", "2")]
    assert [len(version.runs) for version in answer.versions] == [1, 1]
    assert answer.marks[0].until is None


def test_versions_side_by_side_go_on_to_run_while_others_export_many_metrics_at_once(tmp_path: Path) -> None:
    """Forty points of one moment are one sign of a process, not forty in which another one was missed."""
    recording = Recording()
    for version in "123":
        served(recording, version, 0, 60)
    for second in (10, 30, 50):
        points = [NumberDataPoint(time_unix_nano=T0 + second * SECOND + SECOND // 2, as_double=1) for _ in range(40)]
        recording.metric(Metric(name="queue.length", gauge=Gauge(data_points=points)), ("api", "api-3", "3"))
    assert [len(version.runs) for version in found(recording, tmp_path).versions] == [1, 1, 1]


def test_a_batch_of_another_version_s_records_within_a_second_ends_no_run(tmp_path: Path) -> None:
    recording = Recording()
    served(recording, "1", 0, 60)
    served(recording, "2", 0, 60)
    for number in range(60):
        recording.log(30 * SECOND + SECOND // 2 + number * MS, "imported", source=("api", "api-2", "2"))
    assert [len(version.runs) for version in found(recording, tmp_path).versions] == [1, 1]


def test_a_service_without_traffic_for_a_while_goes_on_to_run(tmp_path: Path) -> None:
    recording = Recording()
    served(recording, "1", 0, 300)
    served(recording, "1", 1500, 1800)
    answer = found(recording, tmp_path)
    assert answer.marks == []
    assert len(answer.versions[0].runs) == 1


def test_versions_that_were_there_from_the_beginning_are_no_deployment(tmp_path: Path) -> None:
    recording = Recording()
    served(recording, "1", 0, 60)
    served(recording, "2", 0, 60)
    assert found(recording, tmp_path).marks == []


def test_models_deployments_and_settings_are_marks_and_identities_are_none(tmp_path: Path) -> None:
    recording = Recording()
    for at, model, setting in ((0, "m1", "3.11"), (300, "m2", "3.12")):
        resource = {
            "deployment.id": f"build-{model}",
            "process.runtime.version": setting,
            "feature.batching": "on",
            "host.name": f"host-{at}",
            "process.pid": at,
        }
        facts = {"infersight.model.name": "ranker", "infersight.model.version": model}
        served(recording, "1", at, at + 300, resource=resource, attributes=facts)
    assert marks(found(recording, tmp_path)) == [
        (300, "configuration", "process.runtime.version", "3.11", "3.12"),
        (300, "deployment", "deployment.id", "build-m1", "build-m2"),
        (300, "model", "ranker", "m1", "m2"),
    ]


def test_environments_do_not_replace_each_other(tmp_path: Path) -> None:
    recording = Recording()
    served(recording, "1", 0, 600, resource={"deployment.environment.name": "production"})
    served(recording, "2", 300, 600, resource={"deployment.environment.name": "staging"})
    assert [mark for mark in marks(found(recording, tmp_path)) if mark[1] != "configuration"] == []


def test_a_service_that_only_logs_has_versions_too(tmp_path: Path) -> None:
    recording = Recording()
    for second in range(120):
        recording.log(second * SECOND, "tick", source=("worker", "worker-1", "1" if second < 60 else "2"))
    answer = found(recording, tmp_path)
    assert marks(answer) == [(60, "version", "service.version", "1", "2")]
    assert [version.records for version in answer.versions] == [{"logs": 60}, {"logs": 60}]


def test_a_window_and_a_service_narrow_what_is_listed(tmp_path: Path) -> None:
    recording = Recording()
    served(recording, "1", 0, 600)
    served(recording, "2", 600, 1200)
    served(recording, "1", 0, 600, service="other")
    with connect(recording.write(tmp_path / "store")) as connection:
        late = deployments(connection, window=Window(T0 + 700 * SECOND, None))
        assert [(each.service, each.version) for each in late.versions] == [("api", "2")]
        assert [each.service for each in deployments(connection, service="other").versions] == ["other"]


def test_the_command_prints_versions_and_marks(tmp_path: Path, run: Any) -> None:
    recording = Recording()
    served(recording, "1", 0, 60)
    served(recording, "2", 60, 120)
    store = recording.write(tmp_path / "store")
    answer = run("deployments", "--store", store).json
    assert answer["marks"][0]["statement"] == "api: version 2 after 1"
    assert answer["evidence"]["sql"]
    text = run("deployments", "--store", store, "--format", "table").out
    assert "api: version 2 after 1" in text
    assert "until 2025-10-09 08:54:19" in text
    empty = run("deployments", "--store", store, "--last", "1h", "--format", "table").out
    assert empty == "nothing was recorded in this time\n"


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], [Run(0, 99)]),
        ([Sighting(41, 49, 3)], [Run(0, 99)]),  # too few to tell
        ([Sighting(41, 49, 30)], [Run(0, 40), Run(50, 99)]),
        ([Sighting(0, 39, 600), Sighting(41, 49, 30)], [Run(0, 99)]),  # it has one in ten of all
    ],
)
def test_a_run_ends_where_others_had_what_should_have_been_its_own(others: list[Sighting], expected: list[Run]) -> None:
    seen = [Sighting(0, 40, 30), Sighting(50, 99, 30)]
    assert runs({"one": seen, **({"other": others} if others else {})})["one"] == expected


def test_the_examples_of_the_page_work(
    tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Path(__file__).parents[3] / "analysis" / "docs" / "deployments.md"
    recording = Recording()
    served(recording, "1", 0, 60, service="sentiment")
    served(recording, "2", 60, 120, service="sentiment")
    store = recording.write(tmp_path / "infersight-store")
    for command in examples(page, "sh")[0].splitlines():
        words = [word for word in shlex.split(command)[1:] if word not in {"--last", "1d"}]
        assert len(run(*words, "--store", store).json["marks"]) == 1, command
    monkeypatch.chdir(tmp_path)
    (code,) = examples(page, "python")
    exec(code, {})
    assert capsys.readouterr().out == "2025-10-09T08:54:20.000000000Z sentiment: version 2 after 1\n"
