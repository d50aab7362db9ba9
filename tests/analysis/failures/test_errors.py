from collections.abc import Generator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.analysis.recording import MS, SECOND, T0, Recording, trace_id

from infersight_analysis import connect
from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import CommonFrame, ErrorGroups, Touched
from infersight_analysis.options import Window
from infersight_analysis.verbs.errors import errors

STACK = """Traceback (most recent call last):
  File "/srv/app/server.py", line {line}, in predict
    return model(tokens)
           ^^^^^^^^^^^^^
  File "/usr/lib/python3.11/site-packages/torch/nn/functional.py", line 2551, in embedding
    return torch.embedding(weight, input)
IndexError: index out of range in self
"""
OUTER = 'Traceback (most recent call last):\n  File "/srv/app/main.py", line 3, in handle\n    predict()\n'


def exception(kind: str, message: str, stack: str | None) -> dict[str, str]:
    facts = {"exception.type": kind, "exception.message": message}
    return facts if stack is None else {**facts, "exception.stacktrace": stack}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    for number in range(1, 4):  # the same exception passes two spans and is logged further out, from moving lines
        at = number * SECOND
        inner = exception("IndexError", "index out of range in self", STACK.format(line=number))
        outer = exception(
            "builtins.IndexError", "index out of range in self", OUTER + STACK.format(line=number).partition("\n")[2]
        )
        route = {"http.route": "/predict", "error.type": "500"}
        recording.span(number, 1, "POST /predict", at, 9 * MS, kind="SERVER", error="", attributes=route)
        recording.span(
            number, 2, "inference", at, 5 * MS, parent=1, error="index", events=[(at + MS, "exception", inner)]
        )
        recording.log(at + 2 * MS, "Exception in ASGI application", trace=number, severity=17, attributes=outer)
    for number in range(10, 12):  # a failed span without an exception, with values in its message
        recording.span(number, 1, "GET /user", number * SECOND, MS, kind="SERVER", error=f"user {number} not found")
    recording.log(50 * SECOND, "cannot open '/data/7.bin' at 0x7f00: retry 3", severity=17)
    recording.log(51 * SECOND, "cannot open '/data/8.bin' at 0x7fff: retry 11", severity=17)
    recording.log(52 * SECOND, "all is well", severity=9)
    return recording.write(tmp_path_factory.mktemp("errors") / "store")


@pytest.fixture
def database(store: Path) -> Generator[duckdb.DuckDBPyConnection]:
    with connect(store) as connection:
        yield connection


def test_an_exception_is_counted_once_a_trace_however_often_it_was_recorded(
    database: duckdb.DuckDBPyConnection,
) -> None:
    group = errors(database).errors[0]
    assert (group.type, group.count) == ("IndexError", 3)
    assert group.sources == {"span event": 3, "log": 3, "span status": 6}
    assert group.location == "predict (app/server.py)"
    assert (group.services, group.versions, group.routes) == (["api"], ["1.0"], ["/predict"])
    assert group.first_seen == "2025-10-09T08:53:21.001000000Z"
    assert group.examples == [trace_id(3), trace_id(2), trace_id(1)]


def test_values_in_messages_do_not_split_a_group(database: duckdb.DuckDBPyConnection) -> None:
    groups = {group.template: group.count for group in errors(database).errors}
    assert groups == {"index out of range in self": 3, "user * not found": 2, "cannot open * at *: retry *": 2}


def test_a_window_and_a_service_narrow_what_is_counted(database: duckdb.DuckDBPyConnection) -> None:
    late = errors(database, window=Window(T0 + 40 * SECOND, None)).errors
    assert [group.count for group in late] == [2]
    assert errors(database, service="other").errors == []


def test_the_evidence_can_be_queried(database: duckdb.DuckDBPyConnection) -> None:
    evidence = errors(database).evidence
    assert trace_id(3) in evidence.trace_ids
    assert database.execute(evidence.sql[0]).fetchall()


def test_the_command_prints_json_and_text(store: Path, run: Any) -> None:
    answer = run("errors", "--store", store, "--limit", "1").json
    assert answer["errors"][0]["count"] == 3
    text = run("errors", "--store", store, "--format", "table").out
    assert "3 x IndexError" in text
    assert f"infersight investigate {trace_id(3)}" in text
    assert run("errors", "--store", store, "--last", "1h", "--format", "table").out == "no errors in this time\n"


def test_a_failure_is_counted_as_often_as_its_lightest_record_says(tmp_path: Path) -> None:
    """Of 40 failing requests four were sampled and weigh ten; users are then known of those four only."""
    recording = Recording()
    for number in range(1, 41):
        failed = exception("KeyError", "'a'", STACK.format(line=1))
        if number % 10:
            recording.log(number * SECOND, "failed", trace=number, severity=17, attributes=failed)
            continue
        facts = {"infersight.sample.weight": 10.0, "user.id": f"u{number}", "session.id": "s"}
        event = (number * SECOND, "exception", failed)
        recording.span(
            number, 1, "POST", number * SECOND, SECOND, kind="SERVER", error="", attributes=facts, events=[event]
        )
    (group,) = found(recording, tmp_path).errors
    assert (group.count, group.seen) == (76, 40)  # 36 logs that weigh 1, 4 spans that weigh 10
    assert group.touched["users"] == Touched(4, 40, {"u10": 10, "u20": 10, "u30": 10, "u40": 10})
    assert group.touched["sessions"].count == 1


def found(recording: Recording, path: Path, **arguments: Any) -> ErrorGroups:
    with connect(recording.write(path / "store")) as connection:
        return errors(connection, **arguments)


def test_what_followed_from_another_failure_is_listed_with_that_one(tmp_path: Path) -> None:
    """An out of memory below fails the call of the gateway and the gateway's request; a recovered error does not."""
    recording = Recording()
    for number in range(1, 6):
        at = number * SECOND
        gateway, model = ("gateway", "gateway-1", "3"), ("model", "model-1", "7")
        call = [(at + 8 * MS, "exception", exception("httpx.HTTPStatusError", "Server error 500", None))]
        memory = [(at + 4 * MS, "exception", exception("torch.OutOfMemoryError", "CUDA out of memory", None))]
        cache = [(at + 2 * MS, "exception", exception("redis.TimeoutError", "Timeout reading from socket", None))]
        recording.span(number, 1, "POST /rank", at, 10 * MS, kind="SERVER", source=gateway, error="")
        recording.span(number, 2, "POST", at, 9 * MS, parent=1, kind="CLIENT", source=gateway, error="", events=call)
        recording.span(number, 3, "POST /infer", at, 8 * MS, parent=2, kind="SERVER", source=model, error="")
        recording.span(number, 4, "cached", at, 3 * MS, parent=3, source=model)
        recording.span(number, 5, "GET", at, 2 * MS, parent=4, kind="CLIENT", source=model, error="", events=cache)
        recording.span(number, 6, "forward", at, 4 * MS, parent=3, source=model, error="", events=memory)
    answer = found(recording, tmp_path)
    assert {group.type: (group.count, group.followed) for group in answer.errors} == {
        "torch.OutOfMemoryError": (5, 0),
        "redis.TimeoutError": (5, 0),
    }
    led_to = {group.type: [(each.type, each.services, each.count) for each in group.led_to] for group in answer.errors}
    assert led_to["torch.OutOfMemoryError"] == [("httpx.HTTPStatusError", ["gateway"], 5)]
    assert led_to["redis.TimeoutError"] == []
    assert [group.type for group in answer.consequences] == ["httpx.HTTPStatusError"]


def test_the_cause_that_a_stack_trace_names_is_what_a_failure_followed_from(tmp_path: Path) -> None:
    recording = Recording()
    inner, outer = exception("KeyError", "'a'", None), exception("RankingError", "cannot rank a", CHAINED)
    recording.span(1, 1, "POST", 0, 9 * MS, kind="SERVER", error="", events=[(8 * MS, "exception", outer)])
    recording.span(1, 2, "load", 0, 2 * MS, parent=9, error="", events=[(MS, "exception", inner)])  # 9 was lost
    answer = found(recording, tmp_path)
    assert [(group.type, [each.type for each in group.led_to]) for group in answer.errors] == [
        ("KeyError", ["RankingError"])
    ]


CHAINED = """Traceback (most recent call last):
  File "/srv/app/items.py", line 3, in load
    return {}[key]
KeyError: 'a'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/app/rank.py", line 9, in item
    raise RankingError(f"cannot rank {key}") from error
app.RankingError: cannot rank a
"""


def served(  # noqa: PLR0917
    recording: Recording, count: int, start_s: int, version: str, failing: int, message: str = "no"
) -> None:
    """Requests to one version, of which the first ones fail."""
    source = ("api", "api-1", version)
    for number in range(count):
        trace, at = start_s * 10 + number + 1, (start_s + number // 10) * SECOND
        failed = [(at, "exception", exception("ValueError", message, None))] if number < failing else []
        error = message if failed else None
        recording.span(trace, 1, "GET /", at, MS, kind="SERVER", source=source, error=error, events=failed)


def test_a_fault_is_new_regressed_rarer_or_ongoing_by_its_share_of_the_requests(tmp_path: Path) -> None:
    recording = Recording()
    served(recording, 2000, 0, "1", 0)
    served(recording, 2000, 300, "2", 0)
    for version, at, failing in (("1", 600, (20, 60, 0, 30)), ("2", 3000, (60, 20, 20, 30))):
        for place, (message, count) in enumerate(
            zip(("more", "fewer", "first seen", "the same"), failing, strict=True)
        ):
            served(recording, 500, at + 100 * place, version, count, message)
    states = {group.message: group.state for group in found(recording, tmp_path, since="2").errors}
    assert states == {"more": "regressed", "fewer": "rarer", "first seen": "new", "the same": "ongoing"}
    with connect(tmp_path / "store") as connection:
        # By then version 2 had served 2 000 requests without a failure.
        by_time = errors(connection, since="2025-10-09T09:38:20Z")
        assert {group.message: group.state for group in by_time.errors} == {
            "more": "regressed",
            "fewer": "regressed",  # as often as before, but not since version 2 had come
            "first seen": "new",
            "the same": "regressed",
        }
        with pytest.raises(AnalysisError, match="neither a time nor a version"):
            errors(connection, since="9.9")


def test_a_fault_that_is_back_after_it_was_away_is_regressed(tmp_path: Path) -> None:
    """Ten in the first of four thousand requests, none in two thousand, ten in the last one."""
    recording = Recording()
    for start, failing in ((0, 10), (200, 0), (400, 0), (600, 10)):
        served(recording, 1000, start, "1", failing)
    (group,) = found(recording, tmp_path, since="2025-10-09T09:03:20Z").errors
    assert group.state == "regressed"
    assert group.state_reason is not None
    assert group.state_reason.endswith("10 in 3,000 before; none in the last 2,990 of those")


def test_a_fault_is_not_called_new_where_too_few_requests_were_before_it(tmp_path: Path) -> None:
    recording = Recording()
    served(recording, 20, 0, "1", 0)
    served(recording, 2000, 100, "2", 4)
    (group,) = found(recording, tmp_path, since="2").errors
    assert group.state == "unknown"
    assert group.state_reason == "4 in 2,000 requests since version 2, 0 in 20 before, too few to tell"


def test_a_failure_of_the_week_before_the_window_makes_a_fault_known(tmp_path: Path, run: Any) -> None:
    recording = Recording()
    served(recording, 1000, 0, "1", 10)
    served(recording, 1000, 3600, "1", 10)
    store = recording.write(tmp_path / "store")
    (group,) = run("errors", "--store", store, "--start", "2025-10-09T09:50:00Z").json["errors"]
    assert (group["state"], group["count"]) == ("regressed", 10)  # known, and away for 990 requests
    assert group["first_seen"] == "2025-10-09T08:53:20.000000000Z"


def test_words_that_vary_are_values_once_three_of_them_were_seen(tmp_path: Path) -> None:
    recording = Recording()
    for number, user in enumerate(("alice", "bob", "carol")):
        recording.log(number * SECOND, f"no such user: {user}", severity=17)
    for number, state in enumerate(("closed", "locked")):
        recording.log(number * SECOND, f"the account is {state}", severity=17)
    templates = {group.template: group.count for group in found(recording, tmp_path).errors}
    assert templates == {"no such user: *": 3, "the account is closed": 1, "the account is locked": 1}


def test_a_stack_trace_in_the_text_of_a_log_record_is_read(tmp_path: Path) -> None:
    recording = Recording()
    recording.log(SECOND, f"Exception in ASGI application\n{CHAINED}", severity=17)
    (group,) = found(recording, tmp_path).errors
    assert (group.type, group.message) == ("app.RankingError", "cannot rank a")
    assert (group.location, group.chain) == ("load (app/items.py)", ["RankingError", "KeyError"])


def test_a_frame_is_common_when_half_of_the_failures_have_it_each_counted_once(tmp_path: Path) -> None:
    """A recursion has the same frame many times in one stack."""
    frame = '  File "/srv/app/{name}.py", line {line}, in {name}\n    {name}()\n'
    recording = Recording()
    for number in range(4):
        middle = frame.format(name="walk", line=4) * 5 if number == 0 else ""
        outer = frame.format(name="main", line=number + 1)
        stack = f"Traceback (most recent call last):\n{outer}{middle}{frame.format(name='leaf', line=9)}ValueError: x"
        recording.log(number * SECOND, "x", severity=17, attributes=exception("ValueError", "x", stack))
    (group,) = found(recording, tmp_path).errors
    assert {(each.frame, each.share) for each in group.common_frames} == {
        ("leaf (app/leaf.py)", 1.0),
        ("main (app/main.py)", 1.0),
    }


def test_the_rate_and_the_trend_are_of_the_window(tmp_path: Path) -> None:
    recording = Recording()
    served(recording, 1200, 0, "1", 60)  # within the first six of 120 s
    (group,) = found(recording, tmp_path, window=Window(T0, T0 + 120 * SECOND)).errors
    assert group.per_minute == pytest.approx(30, rel=0.01)
    assert group.share_of_requests == 0.05
    assert group.trend == [50, 10, *[0] * 22]


@pytest.mark.parametrize("users", [1, 5])
def test_ten_errors_of_every_tenth_request_are_one_fault_of_invalid_input(users: int, tmp_path: Path) -> None:
    """Every tenth of a hundred requests fails; by its number modulo five that is one user, by turns it is five."""
    recording = Recording()
    stack = 'File "model.py", line 42, in predict\n    result = self.model(input_tensor)'
    message = "Invalid input shape: expected (batch, 512), got (batch, 256)"
    for number in range(100):
        facts = {"http.route": "/api/predict", "user.id": f"user_{number // 10 % users}"}
        failed = [(number * SECOND, "exception", exception("ValueError", message, stack))] if number % 10 == 0 else []
        error = message if failed else None
        recording.span(
            number + 1, 1, "POST /api/predict", number * SECOND, MS,
            kind="SERVER", error=error, attributes=facts, events=failed,
        )  # fmt: skip
    answer = found(recording, tmp_path)
    (group,) = answer.errors
    assert (group.type, group.count, group.category) == ("ValueError", 10, "input_validation")
    assert answer.categories == {"input_validation": 10}
    assert group.touched["users"].count == users
    assert group.touched["endpoints"].most == {"/api/predict": 10}
    assert group.location == "predict (model.py)"
    assert group.common_frames == [CommonFrame("predict (model.py)", 1.0)]
    assert group.share_of_requests == 0.1
    assert "contract" in group.hypothesis
    assert len(group.actions) == 3
