"""`infersight rollback check`, out of a store."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.recording import SECOND, T0, trace_id
from tests.analysis.releases.stores import Release, recorded
from tests.support.pages import examples

from infersight_analysis import connect
from infersight_analysis.findings import ReleaseCheck, ReleaseMeasure
from infersight_analysis.options import Window
from infersight_analysis.releases.check import compare_sides, rollback_check
from infersight_analysis.releases.times import Side
from infersight_analysis.report.output import to_json

BASELINE, CANDIDATE = 1, 100_000
GOOD = Release("1.8.0", BASELINE)
NAMES: dict[str, Any] = {"service": "sentiment", "baseline": "1.8.0", "candidate": "1.9.0"}
COMMAND = ("rollback", "check", "--service", "sentiment", "--baseline", "1.8.0", "--candidate", "1.9.0")


def check(path: Path, *releases: Release, **arguments: Any) -> ReleaseCheck:
    with connect(recorded(*releases).write(path / "store")) as connection:
        return rollback_check(connection, **{**NAMES, **arguments})


def of(found: ReleaseCheck, name: str) -> ReleaseMeasure:
    return next(each for each in found.measures if each.name == name)


def test_a_canary_that_is_as_good_is_kept_and_compared_while_both_served(tmp_path: Path) -> None:
    before = Release("1.8.0", BASELINE, between_s=(0, 1200), count=2_400)
    found = check(tmp_path, before, Release("1.9.0", CANDIDATE, between_s=(600, 1200)))
    assert (found.verdict, found.side_by_side, found.notes) == ("keep", True, [])
    assert (found.baseline.requests, found.candidate.requests) == (1_200, 1_200)
    assert found.investigate == []
    assert of(found, "throughput").standing == "no limit"


def test_a_canary_that_is_slow_on_one_route_is_rolled_back_for_that_route(tmp_path: Path) -> None:
    found = check(tmp_path, GOOD, Release("1.9.0", CANDIDATE, slow_explain=2.0))
    assert found.verdict == "roll back"
    assert any(reason.startswith("/explain (") for reason in found.reasons)
    assert found.routes[0].route == "/explain"
    assert found.routes[0].standing == "over"
    with connect(tmp_path / "store") as connection:
        ids = found.evidence.trace_ids
        slow = "select distinct service_version from spans where trace_id in (select unnest($ids::varchar[]))"
        assert connection.execute(slow, {"ids": ids}).fetchall() == [("1.9.0",)]
        counted = connection.execute(found.evidence.sql[0]).fetchall()
        assert {(version, route) for version, route, *_ in counted} == {
            (version, route) for version in ("1.8.0", "1.9.0") for route in ("/explain", "/predict")
        }
        assert connection.execute(found.evidence.sql[1]).fetchall() == []


def test_versions_that_ran_one_after_the_other_are_compared_with_what_that_leaves_open(tmp_path: Path) -> None:
    found = check(tmp_path, GOOD, Release("1.9.0", CANDIDATE, between_s=(600, 900)))
    assert (found.verdict, found.side_by_side) == ("keep", False)
    assert "ran before 1.9.0, not beside it" in found.notes[0]
    assert found.notes[1] == "the load was another one: 4 requests/s instead of 2"
    assert of(found, "throughput").standing == "within"


def test_a_short_overlap_of_a_rollout_does_not_make_them_side_by_side(tmp_path: Path) -> None:
    found = check(tmp_path, GOOD, Release("1.9.0", CANDIDATE, between_s=(550, 1150)))
    assert not found.side_by_side
    assert (found.baseline.requests, found.candidate.requests) == (1_200, 1_200)


def test_only_the_latest_hour_before_the_candidate_is_its_baseline(tmp_path: Path) -> None:
    long = Release("1.8.0", BASELINE, between_s=(0, 7_200), count=3_600)
    found = check(tmp_path, long, Release("1.9.0", CANDIDATE, between_s=(7_200, 7_800)))
    assert found.baseline.requests == pytest.approx(1_800, abs=1)


def test_callers_that_begin_to_fail_with_it_are_a_cascade_and_rolled_back(tmp_path: Path) -> None:
    """The candidate's own error rate is the baseline's: what it breaks is elsewhere."""
    base = Release("1.8.0", BASELINE, caller_errors=0.002)
    found = check(tmp_path, base, Release("1.9.0", CANDIDATE, caller_errors=0.05))
    assert found.verdict == "roll back"
    assert found.reasons[0].startswith("failures of other services 4.")
    assert of(found, "error rate").trend == "none shown"


def test_an_error_that_is_new_is_investigated_and_named_with_its_counts(tmp_path: Path) -> None:
    found = check(tmp_path, GOOD, Release("1.9.0", CANDIDATE, errors=0.01, fault="no such label"))
    assert found.verdict == "keep"
    (fault,) = found.faults
    assert (fault.state, fault.type, fault.message, fault.baseline_count) == ("new", "ValueError", "no such label", 0)
    assert fault.reason == f"{fault.count:.6g} in 1,200 requests with 1.9.0, 0 in 1,200 with 1.8.0"
    assert any(line.startswith("new: ValueError: no such label") for line in found.investigate)
    assert set(fault.examples) <= set(found.evidence.trace_ids)


def test_an_error_that_both_have_is_no_new_one(tmp_path: Path) -> None:
    found = check(tmp_path, Release("1.8.0", BASELINE, errors=0.01), Release("1.9.0", CANDIDATE, errors=0.01))
    assert (found.verdict, found.faults, found.investigate) == ("keep", [], [])


def test_other_predictions_and_confidence_are_investigated(tmp_path: Path) -> None:
    base = Release("1.8.0", BASELINE, positive=0.5)
    found = check(tmp_path, base, Release("1.9.0", CANDIDATE, positive=0.75, confidence=0.95))
    assert found.verdict == "keep"
    assert [of(found, name).standing for name in ("predicts positive", "mean confidence")] == ["over", "over"]
    assert any(line.startswith("predicts positive 7") for line in found.investigate)


def test_labels_that_say_that_it_is_wrong_more_often_roll_it_back(tmp_path: Path) -> None:
    base = Release("1.8.0", BASELINE, positive=0.5, right=0.95)
    found = check(tmp_path, base, Release("1.9.0", CANDIDATE, positive=0.5, right=0.75))
    assert found.verdict == "roll back"
    assert found.reasons[0].startswith("accuracy 7")
    assert "beyond the limit of -10pp" in found.reasons[0]


def test_more_cpu_and_memory_are_investigated_and_rolled_back_where_a_limit_was_set(tmp_path: Path) -> None:
    hungry = Release("1.9.0", CANDIDATE, cpu_ms=40, memory_mb=600)
    found = check(tmp_path, GOOD, hungry)
    assert found.verdict == "keep"
    cpu, memory = of(found, "CPU a request"), of(found, "process memory")
    assert [cpu.baseline, cpu.candidate] == pytest.approx([0.02, 0.04], rel=0.1)
    assert memory.standing == "over"
    assert memory.change == pytest.approx(1, abs=0.05)
    assert len([line for line in found.investigate if line.endswith(": investigate")]) == 2


def test_the_same_use_of_cpu_and_memory_is_within_its_limits(tmp_path: Path) -> None:
    found = check(tmp_path, GOOD, Release("1.9.0", CANDIDATE, count=600))
    assert [of(found, name).standing for name in ("CPU a request", "process memory")] == ["within", "within"]


def test_one_version_before_and_after_is_compared_by_its_times(tmp_path: Path) -> None:
    """As it is verified that a rollback brought the figures back."""
    with connect(
        recorded(Release("1.8.0", BASELINE, between_s=(0, 1200), count=2_400)).write(tmp_path / "store")
    ) as store:
        before, after = Side("1.8.0", (T0, T0 + 600 * SECOND)), Side("1.8.0", (T0 + 600 * SECOND, T0 + 1200 * SECOND))
        found = compare_sides(store, "sentiment", before, after)
    assert found.verdict == "keep"
    assert (found.baseline.requests, found.candidate.requests) == (1_200, 1_200)


def test_a_candidate_that_has_served_nothing_yet_is_waited_for(tmp_path: Path) -> None:
    recording = recorded(GOOD)
    recording.log(590 * SECOND, "started", source=("sentiment", "sentiment-1.9.0", "1.9.0"))
    with connect(recording.write(tmp_path / "store")) as connection:
        found = rollback_check(connection, **NAMES)
    assert found.verdict == "need more data"
    assert found.reasons == ["the candidate has 0 requests: 50 are the least"]
    assert (found.candidate.start, found.candidate.per_second, found.more_seconds) == (None, None, None)
    assert json.loads(to_json(found))["candidate"]["requests"] == 0


def test_a_window_narrows_what_is_compared(tmp_path: Path) -> None:
    found = check(tmp_path, GOOD, Release("1.9.0", CANDIDATE), window=Window(T0, T0 + 300 * SECOND))
    assert found.baseline.requests == pytest.approx(600, abs=1)


def test_a_store_of_another_time_of_the_candidate_counts_only_its_latest_run(tmp_path: Path) -> None:
    first_try = Release("1.9.0", 200_000, between_s=(600, 900), slow=5.0)
    back = Release("1.8.0", 300_000, between_s=(900, 1500))
    again = Release("1.9.0", CANDIDATE, between_s=(1500, 2100))
    found = check(tmp_path, GOOD, first_try, back, again)
    assert (found.verdict, found.candidate.requests) == ("keep", 1_200)


@pytest.mark.parametrize(
    ("candidate", "code", "verdict"),
    [
        (Release("1.9.0", CANDIDATE), 0, "KEEP: sentiment 1.9.0"),
        (Release("1.9.0", CANDIDATE, errors=0.2), 1, "ROLL BACK: sentiment 1.9.0"),
        (Release("1.9.0", CANDIDATE, count=20), 3, "NEED MORE DATA: sentiment 1.9.0, about 14 minutes more"),
    ],
)
def test_the_exit_code_says_the_verdict(tmp_path: Path, run: Any, candidate: Release, code: int, verdict: str) -> None:
    store = recorded(GOOD, candidate).write(tmp_path / "store")
    table = run(*COMMAND, "--store", store, "--format", "table")
    assert table.code == code
    assert table.out.startswith(verdict)
    answer = run(*COMMAND, "--store", store)
    assert answer.code == code
    assert answer.json["evidence"]["sql"]


def test_a_version_that_was_not_seen_is_one_line_with_those_that_were(tmp_path: Path, run: Any) -> None:
    store = recorded(GOOD).write(tmp_path / "store")
    outcome = run(*COMMAND, "--store", store)
    assert (outcome.code, outcome.err) == (
        2,
        "version '1.9.0' of service 'sentiment' was not seen in this time: there is 1.8.0\n",
    )
    outcome = run(*COMMAND, "--store", store, "--limit", "speed=2")
    assert outcome.code == 2
    assert outcome.err.startswith("there is no limit 'speed'")


def test_the_page_shows_the_verdict_and_nothing_that_telemetry_made_markup(tmp_path: Path, run: Any) -> None:
    hostile = "<script>alert(1)</script>"
    base = Release("1.8.0", BASELINE, positive=0.5)
    candidate = Release("1.9.0", CANDIDATE, errors=0.1, fault=hostile, positive=0.5)
    store, page = recorded(base, candidate).write(tmp_path / "store"), tmp_path / "check.html"
    assert run(*COMMAND, "--store", store, "--output", page).code == 1
    text = page.read_text()
    assert "ROLL BACK: sentiment 1.9.0" in text
    assert text.count("<figure>") == 2
    assert hostile not in text
    assert "&lt;script&gt;alert(1)" in text


def test_examples_are_requests_of_the_candidate_that_failed(tmp_path: Path) -> None:
    found = check(tmp_path, GOOD, Release("1.9.0", CANDIDATE, errors=0.2))
    numbers = {trace_id(CANDIDATE + place) for place in range(1_200)}
    assert found.evidence.trace_ids
    assert set(found.evidence.trace_ids) <= numbers


def test_the_examples_of_the_page_work(
    tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Path(__file__).parents[3] / "analysis" / "docs" / "rollback.md"
    candidate = Release("1.9.0", CANDIDATE, slow_explain=1.8, errors=0.015, fault="no such label")
    recorded(Release("1.8.0", BASELINE, count=1_500), candidate).write(tmp_path / "infersight-store")
    monkeypatch.chdir(tmp_path)
    for command in examples(page, "sh")[0].splitlines():
        assert run(*shlex.split(command)[1:]).code == 1, command
    printed = run(*COMMAND, "--format", "table").out
    shown = page.read_text().split("```\nROLL BACK", 1)[1].split("```", 1)[0]
    assert " ".join(shown.split()) in " ".join(printed.split())
    for code in examples(page, "python"):
        exec(code, {})
    assert capsys.readouterr().out == "roll back 2\nroll back error rate 12.3%\n"
