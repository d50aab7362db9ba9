"""Experiments out of a store: who got what, and what became of it, by every way in which that is recorded."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingTypeStubs=false
# (pyarrow publishes no types)

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from tests.analysis.experiments.populations import named
from tests.analysis.experiments.served import BEGAN, USERS, evaluate, serve
from tests.analysis.recording import API, MS, SECOND, T0, Recording, Source, trace_id

import infersight
from infersight import testing
from infersight_analysis import connect
from infersight_analysis.errors import AnalysisError
from infersight_analysis.experiments.metrics import Metric
from infersight_analysis.experiments.question import Question
from infersight_analysis.findings import MetricEffect
from infersight_analysis.options import Window
from infersight_analysis.verbs.abtest.check import check
from infersight_analysis.verbs.abtest.results import results
from infersight_collector.decode import decode
from infersight_collector.signals import Signal
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    serve(recording, with_twin=True)
    return recording.write(tmp_path_factory.mktemp("abtest") / "store")


@pytest.fixture
def connection(store: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(store) as opened:
        yield opened


def asked(variant: str, *metrics: str, **options: Any) -> Question:
    return Question(variant, tuple(map(Metric.of, metrics)), **options)


def only(effects: list[MetricEffect], metric: str) -> MetricEffect:
    (found,) = [effect for effect in effects if effect.metric == metric]
    return found


def test_a_flag_its_users_and_what_became_of_their_requests(connection: duckdb.DuckDBPyConnection) -> None:
    found = results(
        connection, asked("ranker", "duration,mean", "accuracy", "errors", "confidence", "label=cat", "app.items")
    )
    assert [arm.name for arm in found.arms] == ["control", "b"]
    assert (found.unit, found.exposures) == ("feature_flag.context.id", 2_000)
    assert sum(arm.units for arm in found.arms) <= USERS
    duration = only(found.effects, "duration mean")
    assert duration.judgement == "better"
    assert duration.relative == pytest.approx(-0.3, abs=0.05)
    assert duration.unit == "ns"
    accuracy = only(found.effects, "accuracy")
    assert accuracy.difference.value == pytest.approx(0.15, abs=0.08)
    assert sum(accuracy.records) == 1_000  # where a label has arrived
    assert only(found.effects, "errors").judgement == "unknown"
    assert only(found.effects, "label=cat").values == [1.0, 1.0]
    assert only(found.effects, "app.items mean").values[0] == pytest.approx(5, abs=0.3)


def test_evidence_are_requests_of_both_arms_and_a_query_that_lists_all(connection: duckdb.DuckDBPyConnection) -> None:
    found = check(connection, asked("ranker", "errors"))
    assert len(found.evidence.trace_ids) == 6
    (sql,) = found.evidence.sql
    listed = connection.execute(sql).fetchall()
    assert len(listed) == found.exposures
    assert set(found.evidence.trace_ids) <= {row[0] for row in listed}


def test_a_flag_that_goes_with_this_one_is_found_and_an_independent_one_is_not(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    found = check(connection, asked("ranker", "errors"))
    by_other = {each.numbers["other"]: each.status for each in found.checks if each.name == "other tests"}
    assert by_other == {"same": "failed", "colour": "ok"}
    assert found.summary == "do not trust this test: " + next(
        each.statement for each in found.checks if each.status == "failed"
    )


def test_segments_are_the_attributes_of_few_values_without_outcomes_and_users(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    assert "the arms are alike in app.plan" in named(check(connection, asked("ranker", "errors")), "segments").statement


def test_what_users_did_before_narrows_the_interval(connection: duckdb.DuckDBPyConnection) -> None:
    plain = only(results(connection, asked("ranker", "duration,mean")).effects, "duration mean")
    question = asked("ranker", "duration,mean", pre_period_ns=BEGAN * SECOND)
    found = results(connection, question)
    adjusted = only(found.effects, "duration mean")
    assert (adjusted.variance_removed or 0) > 0.5
    assert named(found, "pre-period").status == "ok"
    width = [(each.always.high or 0) - (each.always.low or 0) for each in (plain, adjusted)]
    assert width[1] < width[0]


def test_a_window_leaves_what_began_in_it(connection: duckdb.DuckDBPyConnection) -> None:
    window = Window(T0 + (BEGAN + 1_000) * SECOND, T0 + (BEGAN + 1_500) * SECOND)
    assert check(connection, asked("ranker", window=window)).exposures == 500
    with pytest.raises(AnalysisError, match="no exposures to ranker"):
        check(connection, asked("ranker", window=Window(None, T0 + 1_000 * SECOND)))


def test_filters_leave_their_requests(connection: duckdb.DuckDBPyConnection) -> None:
    question = asked("ranker", "errors", route="/predict", service="api")
    assert check(connection, question).exposures == 2_000
    with pytest.raises(AnalysisError, match="no exposures"):
        check(connection, replace(question, route="/other"))


def test_an_unknown_flag_or_metric_says_what_there_is(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(AnalysisError, match="flags in this store: colour, ranker, same"):
        check(connection, asked("rankr"))
    with pytest.raises(AnalysisError, match="nothing here has 'conversion'"):
        results(connection, asked("ranker", "conversion"))
    with pytest.raises(AnalysisError, match=r"called 'app\.team'"):
        results(connection, asked("ranker", "errors", unit="app.team"))


def test_any_attribute_or_column_may_be_the_variant(connection: duckdb.DuckDBPyConnection) -> None:
    found = check(connection, asked("app.plan", "errors", unit="user.id"))
    assert [arm.name for arm in found.arms] == ["free", "pro"]
    assert (found.exposures, found.unit) == (4_000, "user.id")
    with pytest.raises(AnalysisError, match=r"there is only '1\.0' here"):
        check(connection, asked("service_version"))


def small(variant: int) -> tuple[Source, dict[str, Any]]:
    return ("api", "api-1", f"{variant}.0"), {"infersight.variant.layout": "AB"[variant], "user.id": f"u{variant}"}


def test_versions_span_attributes_and_span_events_say_the_variant_too(tmp_path: Path) -> None:
    recording = Recording()
    for number in range(1, 401):
        source, attributes = small(number % 2)
        event = (number * SECOND, "feature_flag", {"feature_flag.key": "old", "feature_flag.variant": "xy"[number % 2]})
        recording.span(
            number,
            1,
            "GET /",
            number * SECOND,
            5 * MS,
            kind="SERVER",
            source=source,
            attributes=attributes,
            events=[event],
        )
    with connect(recording.write(tmp_path / "store")) as opened:
        for variant, arms in (("service_version", ["0.0", "1.0"]), ("layout", ["A", "B"]), ("old", ["x", "y"])):
            found = check(opened, asked(variant, "errors", unit="trace"))
            assert [(arm.name, arm.units) for arm in found.arms] == [(arms[0], 200), (arms[1], 200)]
            # What goes with the arms by definition is no mixture that explains them.
            assert {each.kind for each in results(opened, asked("layout", "duration", unit="trace")).segments} == {
                "same"
            }


def test_what_the_variant_may_work_through_is_noted_and_refused_where_it_was_there_before(tmp_path: Path) -> None:
    recording = Recording()
    random = Random(6)
    for number in range(1, 4_001):
        variant = random.choice("ab")
        is_hit = random.random() < (0.9 if variant == "b" else 0.4)  # B caches more, and is faster only by that
        facts = {"arm": variant, "app.cache": "hit" if is_hit else "miss", "user.id": f"u{number}"}
        duration = int((random.uniform(1, 9) if is_hit else random.uniform(50, 90)) * MS)
        recording.span(number, 1, "GET /", number * SECOND, duration, kind="SERVER", attributes=facts)
    with connect(recording.write(tmp_path / "store")) as opened:
        worked = results(opened, asked("arm", "duration,mean"))
        assert (worked.verdict, worked.arm) == ("ship", "b")
        assert named(worked, "mixtures").status == "noted"
        assert "only because of app.cache" in named(worked, "mixtures").statement
        before = results(opened, asked("arm", "duration,mean", segments=("app.cache",)))
        assert before.verdict == "do not trust this test"
        left_out = results(opened, asked("arm", "duration,mean", after=("app.cache",)))
        assert named(left_out, "mixtures").status == "ok"
        assert "app.cache" not in {each.segment for each in left_out.segments}


def test_a_trace_with_two_variants_is_in_neither_arm(tmp_path: Path) -> None:
    recording = Recording()
    for number in range(1, 201):
        recording.span(number, 1, "GET /", number * SECOND, MS, kind="SERVER", source=API)
        evaluate(recording, number, "f", "ab"[number % 2], f"u{number}")
        if number > 150:
            evaluate(recording, number, "f", "ba"[number % 2], f"u{number}")
    with connect(recording.write(tmp_path / "store")) as opened:
        unstable = named(check(opened, asked("f", "errors")), "assignment stability")
    assert (unstable.status, unstable.numbers) == ("failed", {"mixed": 50, "units": 200})


def test_requests_without_a_user_count_as_one_each_and_that_is_said(tmp_path: Path) -> None:
    recording = Recording()
    for number in range(1, 101):
        attributes = {"user.id": f"u{number % 10}"} if number <= 80 else {}
        recording.span(
            number, 1, "GET /", number * SECOND, MS, kind="SERVER", attributes=attributes | {"arm": "ab"[number % 2]}
        )
    with connect(recording.write(tmp_path / "store")) as opened:
        found = check(opened, asked("arm", "errors"))
    assert found.unit == "user.id"
    assert sum(arm.units for arm in found.arms) == 30
    assert found.notes == ["20 of 100 requests name no user.id; each counts as one of its own"]


def test_what_the_sdk_records_is_found(tmp_path: Path) -> None:
    with testing.capture() as captured:
        for number in range(240):
            user, variant = f"u{number % 120}", "ab"[number % 2]
            with infersight.stage("request"):
                infersight.variant("prompt", variant, context_id=user)
                made = infersight.prediction(label="yes", confidence=0.9)
            infersight.feedback(prediction_id=made, label="yes" if variant == "b" or number % 8 == 0 else "no")
    store = Store.open(tmp_path / "store")
    logs, spans = encode_logs(captured.logs), encode_spans(captured.spans)
    store.write(decode(Signal.LOGS, bytes(logs.SerializeToString())), Origin("test", 1))
    store.write(decode(Signal.TRACES, bytes(spans.SerializeToString())), Origin("test", 2))
    with connect(tmp_path / "store") as opened:
        found = results(opened, asked("prompt", "accuracy", "duration"))
    assert found.unit == "feature_flag.context.id"
    assert [(arm.name, arm.units) for arm in found.arms] == [("a", 60), ("b", 60)]
    assert (found.verdict, found.arm) == ("ship", "b")
    assert only(found.effects, "accuracy").values[1] == 1.0


def test_ids_of_traces_are_those_of_the_requests(connection: duckdb.DuckDBPyConnection) -> None:
    assert trace_id(BEGAN + 1) in check(connection, asked("ranker", "errors")).evidence.trace_ids
