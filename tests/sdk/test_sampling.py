"""One decision for everything that a request leaves behind, and how much what is kept stands for."""

import logging
import random
from typing import TYPE_CHECKING

import pytest
from opentelemetry._logs import NoOpLoggerProvider
from opentelemetry.context import Context
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, DEFAULT_ON, ParentBased, Sampler
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
    use_span,
)

import infersight
from infersight import testing
from infersight._config import Options
from infersight._sampling import RatioSampler, sampler_of, weight_of
from infersight._telemetry import Telemetry

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Serve

REQUESTS = 60


def parent(trace_id: int, state: str = "", *, sampled: bool = False) -> Context:
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    members = TraceState([("ot", state)] if state else [])
    return set_span_in_context(
        NonRecordingSpan(SpanContext(trace_id, 1, is_remote=True, trace_flags=flags, trace_state=members))
    )


def test_a_ratio_keeps_that_share_and_says_so() -> None:
    sampler = RatioSampler(0.1)
    ids = random.Random(1)
    results = [sampler.should_sample(None, ids.getrandbits(128), "x") for _ in range(10_000)]
    kept = [result for result in results if result.decision.is_sampled()]
    assert 900 < len(kept) < 1_100
    assert {str(result.trace_state["ot"]) for result in kept if result.trace_state} == {"th:e6666666666666"}
    assert weight_of(kept[0].trace_state) == pytest.approx(10)


@pytest.mark.parametrize(("ratio", "member"), [(1.0, "th:0"), (0.5, "th:8"), (0.25, "th:c")])
def test_thresholds_are_written_without_trailing_zeros(ratio: float, member: str) -> None:
    result = RatioSampler(ratio).should_sample(None, 2**56 - 1, "x")
    assert result.trace_state is not None
    assert result.trace_state["ot"] == member
    assert weight_of(result.trace_state) == 1 / ratio


def test_ratio_0_keeps_nothing() -> None:
    assert not RatioSampler(0.0).should_sample(None, 2**128 - 1, "x").decision.is_recording()


def test_an_explicit_randomness_decides_in_place_of_the_trace_id_and_stays() -> None:
    sampler = RatioSampler(0.5)
    kept = sampler.should_sample(parent(0, "rv:80000000000000;x:1;th:c"), 0, "x")
    assert kept.trace_state is not None
    assert kept.trace_state["ot"] == "th:8;rv:80000000000000;x:1"
    dropped = sampler.should_sample(parent(2**56 - 1, "rv:7fffffffffffff"), 2**56 - 1, "x")
    assert not dropped.decision.is_recording()


@pytest.mark.parametrize(
    ("variables", "options", "description"),
    [
        ({}, Options(), None),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, Options(trace_secret="s"), None),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.5"}, Options(), "RatioSampler{0.5}"),
        ({"OTEL_TRACES_SAMPLER": "parentbased_traceidratio"}, Options(), "root:RatioSampler{1.0}"),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, Options(sample_ratio=0.2), "root:RatioSampler{0.2}"),
        ({}, Options(trace_secret="s"), "root:AlwaysOnSampler"),
    ],
)
def test_the_option_wins_over_opentelemetrys_variables(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], options: Options, description: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    sampler = sampler_of(options)
    assert (sampler is None) == (description is None)
    assert sampler is None or (description or "") in sampler.get_description()


def test_a_faulty_ratio_is_one_warning_and_samples_everything(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "often")
    with caplog.at_level(logging.WARNING):
        sampler = sampler_of(Options())
    assert sampler is not None
    assert sampler.get_description() == "RatioSampler{1.0}"
    assert len(caplog.records) == 1


def test_a_parents_decision_and_weight_are_handed_on() -> None:
    exporter = InMemorySpanExporter()
    sampler = sampler_of(Options(sample_ratio=0.0))
    assert isinstance(sampler, ParentBased)
    provider = TracerProvider(sampler, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    tracer.start_span("refused", parent(1)).end()
    with tracer.start_as_current_span("kept", parent(2, "th:c", sampled=True)):
        tracer.start_span("child").end()
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["child", "kept"]
    assert [weight_of(span.context.trace_state) for span in spans if span.context] == [4.0, 4.0]


@infersight.observe(model="doubler")
def double(numbers: list[int]) -> Span:
    """The current span, or an error for no numbers."""
    if not numbers:
        raise ValueError("empty")
    return get_current_span()


def test_below_an_unsampled_span_nothing_begins_and_metrics_count_on() -> None:
    with testing.capture() as captured:
        unsampled = NonRecordingSpan(SpanContext(1, 1, is_remote=False))
        with use_span(unsampled):
            with infersight.stage("preprocess"):
                assert double([1]) is unsampled
            with pytest.raises(ValueError, match="empty"):
                double([])
            assert get_current_span() is unsampled
        assert double([1]) is not unsampled
    assert [span.name for span in captured.spans] == ["inference doubler"]
    assert sum(point.count for point in captured.points("infersight.inference.duration")) == 3


@pytest.mark.parametrize(("sampler", "left_out"), [(ALWAYS_ON, False), (DEFAULT_ON, True), (RatioSampler(0.5), False)])
def test_a_sampler_that_follows_no_parent_is_asked_each_time(sampler: Sampler, left_out: bool) -> None:
    provider = TracerProvider(sampler, shutdown_on_exit=False)
    telemetry = Telemetry(provider, NoOpMeterProvider(), NoOpLoggerProvider())
    assert telemetry.is_left_out(NonRecordingSpan(SpanContext(1, 1, is_remote=False))) is left_out


@pytest.mark.parametrize(
    "variables",
    [
        {"INFERSIGHT_SAMPLE_RATIO": "0.25"},
        {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"},
    ],
    ids=["option", "variables"],
)
def test_spans_logs_predictions_and_exemplars_are_of_the_same_requests(
    receiver: "Receiver", serve: "Serve", variables: dict[str, str]
) -> None:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint, "OTEL_METRIC_EXPORT_INTERVAL": "200"}
    excluded = {"OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": "health"}
    with serve(module="sampled_application", **environment, **excluded, **variables) as server:
        for _ in range(REQUESTS):
            server.get("/double")
        server.stop()

    sampled = {span.trace_id for span in receiver.spans}
    assert 0 < len(sampled) < REQUESTS // 2
    assert {span.record.trace_state for span in receiver.spans} == {"ot=th:c"}
    assert len(receiver.spans) == 3 * len(sampled)

    said = [row for row in receiver.logs if row.record.body.string_value == "doubled"]
    predicted = [row for row in receiver.logs if row.name == "infersight.prediction"]
    warned = [row for row in receiver.logs if row.record.body.string_value == "look out"]
    for rows in (said, predicted):
        assert sorted(row.trace_id for row in rows) == sorted(sampled)
        assert {row.attributes["infersight.sample.weight"] for row in rows} == {4.0}
    assert len({row.trace_id for row in warned}) == REQUESTS
    assert not any("infersight.sample.weight" in row.attributes for row in warned)
    assert {row.trace_id for row in receiver.exemplars} <= sampled
    assert receiver.exemplars
