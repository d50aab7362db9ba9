"""For each cause a request where it is right, and one that looks alike where it is not."""

from collections.abc import Generator
from typing import Final

import duckdb
import pytest
from tests.analysis.cause_scenes import ANSWERS, OTHERS, SCENES, Stage
from tests.analysis.recording import MS, Recording, trace_id

from infersight_analysis import connect
from infersight_analysis.findings import Hypothesis, Investigation
from infersight_analysis.verbs.investigate import investigate

SURE: Final = 0.5


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Generator[duckdb.DuckDBPyConnection]:
    recording = Recording()
    for stage, play in zip(stages(recording), SCENES.values(), strict=True):
        play(stage)
    with connect(recording.write(tmp_path_factory.mktemp("causes") / "store")) as connection:
        yield connection


def stages(recording: Recording) -> list[Stage]:
    return [Stage(recording, 1_000 * (number + 1)) for number in range(len(SCENES))]


def found_in(name: str, database: duckdb.DuckDBPyConnection) -> Investigation:
    target = stages(Recording())[list(SCENES).index(name)].target
    return investigate(database, trace_id(target))


def named(found: Investigation, cause: str) -> Hypothesis | None:
    return next((hypothesis for hypothesis in found.hypotheses if hypothesis.cause == cause), None)


@pytest.mark.parametrize("name", [name for name, (_, is_right) in ANSWERS.items() if is_right])
def test_the_right_cause_comes_first(name: str, database: duckdb.DuckDBPyConnection) -> None:
    found = found_in(name, database)
    cause = ANSWERS[name][0]
    assert found.hypotheses[0].cause == cause, found.hypotheses
    assert (found.hypotheses[0].confidence >= SURE) == (cause != "unknown")


@pytest.mark.parametrize("name", [name for name, (_, is_right) in ANSWERS.items() if not is_right])
def test_what_looks_alike_is_not_named_with_confidence(name: str, database: duckdb.DuckDBPyConnection) -> None:
    found = found_in(name, database)
    wrong = named(found, ANSWERS[name][0])
    assert wrong is None or wrong.confidence < SURE, wrong
    assert found.hypotheses[0].cause != ANSWERS[name][0]


@pytest.mark.parametrize("name", SCENES)
def test_the_pieces_sum_to_the_request(name: str, database: duckdb.DuckDBPyConnection) -> None:
    found = found_in(name, database)
    assert sum(piece.self_ns for piece in found.breakdown) == found.total_ns


def test_a_request_that_only_waited_is_said_to_have_waited(database: duckdb.DuckDBPyConnection) -> None:
    first = found_in("only_waited_in_the_queue", database).hypotheses[0]
    assert first.statement.startswith(
        "+398 ms of the 398 ms excess is queue wait in the batch (400 ms, normally 2.00 ms)"
    )
    assert first.supporting == ["40 requests in flight on its process, normally 1"]


def test_what_a_cause_leaves_unexplained_speaks_against_it(database: duckdb.DuckDBPyConnection) -> None:
    found = found_in("failed_once_and_was_let_be", database)
    assert found.repeated_calls[0].failed == 1
    both = found_in("both_a_queue_and_a_call", database)
    queueing, call = named(both, "queueing"), named(both, "slow_dependency")
    assert queueing is not None
    assert call is not None
    assert queueing.opposing[-1] == "200 ms of the excess remain"
    assert queueing.confidence + call.confidence < 1


def test_time_that_others_held_the_loop_is_a_piece_of_its_own(database: duckdb.DuckDBPyConnection) -> None:
    found = found_in("another_request_held_the_loop", database)
    (piece,) = [piece for piece in found.breakdown if piece.part == "event_loop"]
    assert piece.self_ns == pytest.approx(400 * MS, abs=5 * MS)
    assert found.unattributed_ns < 10 * MS


def test_the_batch_is_told_with_its_members_and_what_its_model_did(database: duckdb.DuckDBPyConnection) -> None:
    found = found_in("the_model_had_no_processor", database)
    (ride,) = found.batches
    assert (ride.name, ride.release_reason, ride.fill, ride.share) == ("batch ranker", "full", 1.0, 0.75)
    assert (ride.forward_ns, ride.cpu_ns) == (390 * MS, 10 * MS)
    assert [(member.trace_id, member.size) for member in ride.members] == [
        (found.trace_id, 30.0),
        (trace_id(int(found.trace_id, 16) - 1), 10.0),
    ]
    assert "the thread of batch ranker ran for only 10.0 ms of 390 ms" in found.hypotheses[0].supporting


def test_log_lines_of_new_templates_are_marked(database: duckdb.DuckDBPyConnection) -> None:
    found = found_in("only_waited_in_the_queue", database)
    marks = {line.body: (line.before, line.is_rare) for line in found.logs}
    assert marks == {"taken, 3 waiting": (OTHERS, False), "the queue is full": (0, True)}


def test_the_wait_to_be_accepted_is_before_the_request(database: duckdb.DuckDBPyConnection) -> None:
    found = found_in("waited_to_be_accepted", database)
    assert found.accept_wait is not None
    assert (found.accept_wait.self_ns, found.accept_wait.baseline_ns) == (500 * MS, 1 * MS)
    assert "after 500 ms until it was accepted" in found.summary


def test_ordinary_requests_get_no_cause(database: duckdb.DuckDBPyConnection) -> None:
    for stage in stages(Recording())[:5]:
        for number in range(40, 50):
            found = investigate(database, trace_id(stage.first + number))
            assert (found.hypotheses[0].cause, found.hypotheses[0].confidence) == ("unknown", 0.0)
