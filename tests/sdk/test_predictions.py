"""Predictions: an event in the request's trace, joined to the label that arrives later."""

import asyncio
import json
import math
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanContext, use_span

import infersight
from infersight import testing
from infersight._configure import state

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Script


def context_of(captured: testing.Captured, name: str) -> SpanContext:
    context: SpanContext | None = captured.span(name).context
    assert context is not None
    return context


def events(captured: testing.Captured, name: str = "infersight.prediction") -> list[Any]:
    return [log.log_record for log in captured.logs if log.log_record.event_name == name]


def the_event(captured: testing.Captured) -> dict[str, Any]:
    (event,) = events(captured)
    return dict(event.attributes)


@contextmanager
def capturing_inputs(**options: Any) -> Generator[testing.Captured]:
    """`testing.capture` as under `configure(**options)`."""
    with testing.capture() as captured:
        assert state.options is not None
        state.options = replace(state.options, **options)
        yield captured


@infersight.observe(model="sentiment", version="1.4.0")
def classify(texts: list[str]) -> dict[str, float]:  # noqa: ARG001 - what is observed
    return {"positive": 0.7, "negative": 0.2, "neutral": 0.1}


def test_a_prediction_is_an_event_in_the_trace_with_model_classes_and_input() -> None:
    with testing.capture() as captured, infersight.stage("request"):
        prediction_id = infersight.prediction(input="A good day", probabilities=classify(["A good day"]), top_k=2)
    (event,) = events(captured)
    assert event.trace_id == context_of(captured, "request").trace_id
    assert event.span_id == context_of(captured, "request").span_id
    attributes = dict(event.attributes)
    characterised = {key for key in attributes if key.startswith("infersight.input.")}
    assert "infersight.input.hash" in characterised
    assert "infersight.input.value" not in characterised
    assert {key: value for key, value in attributes.items() if key not in characterised} == {
        "infersight.prediction.id": prediction_id,
        "infersight.model.name": "sentiment",
        "infersight.model.version": "1.4.0",
        "infersight.prediction.label": "positive",
        "infersight.prediction.confidence": 0.7,
        "infersight.prediction.top_k.labels": ("positive", "negative"),
        "infersight.prediction.top_k.probabilities": (0.7, 0.2),
        "infersight.prediction.entropy": pytest.approx(-sum(p * math.log(p) for p in (0.7, 0.2, 0.1))),
    }
    assert event.body == "sentiment predicted 'positive' (0.7)"


def test_inside_an_inference_its_model_is_the_one() -> None:
    @infersight.observe(model="outer")
    def outer() -> None:
        classify([])
        infersight.prediction(label="x")

    with testing.capture() as captured:
        outer()
    assert the_event(captured)["infersight.model.name"] == "outer"
    assert "infersight.model.version" not in the_event(captured)


def test_a_model_of_another_trace_is_not_taken() -> None:
    with testing.capture() as captured:
        with infersight.stage("one request"):
            classify([])
        with infersight.stage("another, in the same thread"):
            infersight.prediction(label="x")
    assert "infersight.model.name" not in the_event(captured)


def test_concurrent_tasks_keep_their_models() -> None:
    @infersight.observe(model="a")
    async def a() -> None:
        await asyncio.sleep(0)

    @infersight.observe(model="b")
    async def b() -> None:
        await asyncio.sleep(0)

    async def task(call: Any, label: str) -> None:
        await call()
        await asyncio.sleep(0)
        infersight.prediction(label=label)

    async def both() -> None:
        with infersight.stage("request"):
            await asyncio.gather(task(a, "a"), task(b, "b"))

    with testing.capture() as captured:
        asyncio.run(both())
    found = [dict(event.attributes) for event in events(captured)]
    assert [(each["infersight.model.name"], each["infersight.prediction.label"]) for each in found] == [
        ("a", "a"),
        ("b", "b"),
    ]


@pytest.mark.parametrize("probabilities", [np.array([0.25, 0.75]), torch.tensor([[0.25, 0.75]]), [0.25, 0.75]])
def test_the_classes_of_an_array_are_its_positions(probabilities: Any) -> None:
    with testing.capture() as captured:
        infersight.prediction(label=np.int64(1), probabilities=probabilities)
    found = the_event(captured)
    assert found["infersight.prediction.label"] == "1"
    assert found["infersight.prediction.confidence"] == 0.75
    assert found["infersight.prediction.top_k.labels"] == ("1", "0")


def test_logits_have_a_top_k_and_no_entropy() -> None:
    with testing.capture() as captured:
        infersight.prediction(probabilities=[4.0, -2.0])
    assert "infersight.prediction.entropy" not in the_event(captured)
    assert the_event(captured)["infersight.prediction.top_k.probabilities"] == (4.0, -2.0)


def test_of_an_accelerator_nothing_is_read() -> None:
    class OnAccelerator:
        shape = ()
        device = "cuda:0"

        def item(self) -> float:
            raise AssertionError("would synchronise")

        tolist = __float__ = item

    with testing.capture() as captured:
        infersight.prediction(label="x", confidence=OnAccelerator(), probabilities=OnAccelerator())
    assert set(the_event(captured)) == {"infersight.prediction.id", "infersight.prediction.label"}


def test_a_failed_prediction_says_why() -> None:
    with testing.capture() as captured:
        infersight.prediction(model="sentiment", input="text", error=ValueError("secret"))
    (event,) = events(captured)
    assert event.attributes["error.type"] == "ValueError"
    assert event.body == "sentiment failed to predict: ValueError"


def test_an_input_that_cannot_be_described_leaves_the_prediction() -> None:
    class Hostile(dict[str, int]):
        def items(self) -> Any:
            raise RuntimeError("no")

    with testing.capture(faults_raise=False) as captured:
        infersight.prediction(label="x", input=Hostile(a=1))
    assert the_event(captured)["infersight.prediction.label"] == "x"


def test_nothing_is_recorded_in_a_request_that_is_not_sampled() -> None:
    unsampled = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False).get_tracer("test").start_span("request")
    with testing.capture() as captured, use_span(unsampled):
        assert len(infersight.prediction(label="x")) == 32
    assert captured.logs == ()


def test_without_configure_there_is_still_an_id() -> None:
    assert infersight.prediction(label="x") != infersight.prediction(label="x")
    infersight.feedback(label="x", prediction_id="0")


def test_feedback_carries_the_id_and_what_was_right() -> None:
    with testing.capture() as captured:
        prediction_id = infersight.prediction(label="positive")
        infersight.feedback(label="negative", prediction_id=prediction_id)
        infersight.feedback(label=np.int64(3), trace_id="A" * 32)
    by_id, by_trace = events(captured, "infersight.feedback")
    assert dict(by_id.attributes) == {
        "infersight.prediction.id": prediction_id,
        "infersight.feedback.label": "negative",
    }
    assert dict(by_trace.attributes) == {"infersight.feedback.trace_id": "a" * 32, "infersight.feedback.label": "3"}


def test_feedback_is_not_lost_with_the_request_that_brings_it() -> None:
    unsampled = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False).get_tracer("test").start_span("request")
    with testing.capture() as captured, use_span(unsampled):
        infersight.feedback(label="x", prediction_id="1")
    (event,) = events(captured, "infersight.feedback")
    assert event.trace_id == 0


def test_feedback_needs_exactly_one_id() -> None:
    with pytest.raises(TypeError, match="either prediction_id or trace_id"):
        infersight.feedback(label="x")
    with pytest.raises(TypeError, match="either prediction_id or trace_id"):
        infersight.feedback(label="x", prediction_id="1", trace_id="2")


def test_a_captured_input_has_no_secrets() -> None:
    applicant = {"age": 41, "password": "hunter2", "notes": ["mail ann@example.com", {"api_key": "k-123"}]}
    with capturing_inputs(capture_inputs=1.0) as captured:
        infersight.prediction(label="x", input=applicant)
        infersight.prediction(label="x", input="ann@example.com is my address")
        infersight.prediction(label="x", input=np.array([[1.5, 2.0]]))
    values = [dict(event.attributes)["infersight.input.value"] for event in events(captured)]
    assert json.loads(values[0]) == {
        "age": 41,
        "password": "[redacted:secret]",
        "notes": ["mail [redacted:email]", {"api_key": "[redacted:secret]"}],
    }
    assert values[1:] == ["[redacted:email] is my address", "[[1.5, 2.0]]"]


@pytest.mark.parametrize("given", [b"raw", np.zeros(5000), [[0.0] * 5000]], ids=["bytes", "array", "list"])
def test_what_is_no_text_or_too_large_is_not_captured(given: object) -> None:
    with capturing_inputs(capture_inputs=1.0) as captured:
        infersight.prediction(label="x", input=given)
    assert "infersight.input.value" not in the_event(captured)
    assert "infersight.input.hash" in the_event(captured)


def test_capture_can_be_limited_to_uncertain_and_failed_predictions() -> None:
    with capturing_inputs(capture_inputs=1.0, capture_confidence=0.6) as captured:
        infersight.prediction(label="sure", confidence=0.9, input="sure")
        infersight.prediction(label="unknown", input="unknown")
        infersight.prediction(label="unsure", confidence=0.6, input="unsure")
        infersight.prediction(error=ValueError(), input="failed")
    values = [dict(event.attributes).get("infersight.input.value") for event in events(captured)]
    assert values == [None, None, "unsure", "failed"]


def test_a_share_of_the_inputs_is_captured() -> None:
    ids = [f"{number << 28:032x}" for number in range(16)]
    with capturing_inputs(capture_inputs=0.25) as captured:
        assert state.telemetry is not None
        state.telemetry.new_id = iter(ids).__next__
        for _ in ids:
            infersight.prediction(label="x", input="text")
    found = [dict(event.attributes) for event in events(captured)]
    with_input = [each["infersight.prediction.id"] for each in found if "infersight.input.value" in each]
    assert with_input == ids[:4]


def test_of_an_unsampled_request_only_feedback_and_invalid_input_leave_the_process(
    receiver: "Receiver", script: "Script"
) -> None:
    code = """
import infersight
infersight.configure()
with infersight.stage("request"):
    infersight.prediction(label="x", input="text")
    infersight.feedback(prediction_id="0", label="x")
    infersight.validate_input("", non_empty=True)
"""
    result = script(code, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint, OTEL_TRACES_SAMPLER="always_off")
    assert result.returncode == 0, result.stderr
    assert receiver.spans == []
    assert sorted(log.name for log in receiver.logs) == ["infersight.feedback", "infersight.input.invalid"]
