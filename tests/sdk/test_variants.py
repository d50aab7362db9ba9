"""Variants: the standard event, and an attribute on the spans of the request that got it."""

import asyncio

import httpx
from fastapi import FastAPI
from opentelemetry.trace import SpanContext
from starlette.concurrency import run_in_threadpool

import infersight
from infersight import testing

NAME = "infersight.variant.ranker"


def context_of(captured: testing.Captured, name: str) -> SpanContext:
    context: SpanContext | None = captured.span(name).context
    assert context is not None
    return context


def test_the_event_has_the_names_of_the_convention() -> None:
    with testing.capture() as captured, infersight.stage("request"):
        infersight.variant("ranker", "B", context_id="user 1", provider="flags", reason="split")
    (event,) = captured.logs
    assert event.log_record.event_name == "feature_flag.evaluation"
    assert event.log_record.trace_id == context_of(captured, "request").trace_id
    assert dict(event.log_record.attributes or {}) == {
        "feature_flag.key": "ranker",
        "feature_flag.result.variant": "B",
        "feature_flag.context.id": "user 1",
        "feature_flag.provider.name": "flags",
        "feature_flag.result.reason": "split",
    }


def test_the_server_span_and_what_begins_later_carry_it_also_in_threads_and_tasks() -> None:
    with testing.capture() as captured:
        app = FastAPI()

        @app.get("/")
        async def answer(variant: str) -> None:  # pyright: ignore[reportUnusedFunction] - called by the route
            def in_thread() -> None:
                with infersight.stage("assign"):
                    infersight.variant("ranker", variant)

            with infersight.stage("before"):
                await asyncio.sleep(0)
            await run_in_threadpool(in_thread)
            with infersight.stage(f"after {variant}"):
                await asyncio.sleep(0)

        infersight.instrument_fastapi(app)
        asyncio.run(_get_both(app))
    variant_of = {
        (span.name, span.context.trace_id): dict(span.attributes or {}).get(NAME)
        for span in captured.spans
        if span.context is not None
    }
    traces = {variant: trace for (name, trace), variant in variant_of.items() if name.startswith("after")}
    assert set(traces) == {"A", "B"}
    for variant, trace in traces.items():
        assert variant_of["GET /", trace] == variant_of["assign", trace] == variant
        assert variant_of["before", trace] is None
        assert (f"after {variant}", trace) in variant_of


async def _get_both(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        responses = await asyncio.gather(*(client.get("/", params={"variant": variant}) for variant in "AB"))
    assert [response.status_code for response in responses] == [200, 200]


def test_without_an_application_it_ends_with_its_trace() -> None:
    with testing.capture() as captured:
        with infersight.stage("request"):
            infersight.variant("ranker", "B")
            with infersight.query("SELECT documents"):
                pass
        with infersight.stage("next request in this thread"):
            pass
    assert (captured.span("request").attributes or {})[NAME] == "B"
    assert (captured.span("SELECT documents").attributes or {})[NAME] == "B"
    assert NAME not in (captured.span("next request in this thread").attributes or {})


def test_outside_of_every_span_it_is_only_an_event() -> None:
    with testing.capture() as captured:
        infersight.variant("ranker", "B")
        with infersight.stage("later"):
            pass
    assert len(captured.logs) == 1
    assert NAME not in (captured.span("later").attributes or {})


def test_without_configure_nothing_happens() -> None:
    infersight.variant("ranker", "B")
