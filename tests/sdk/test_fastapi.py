"""`instrument_fastapi` on applications in this process."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import fastapi
import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

import infersight
from infersight import testing
from infersight._eventloop import monitor_of_running_loop


def application() -> fastapi.FastAPI:
    app = fastapi.FastAPI()
    infersight.instrument_fastapi(app)

    @app.get("/items/{number}")
    async def item(number: int) -> int:
        with infersight.stage("look up"):
            return number

    return app


def get(
    make: Callable[[], fastapi.FastAPI], *paths: str, headers: Mapping[bytes, bytes] | None = None
) -> tuple[list[ReadableSpan], list[int]]:
    """The server spans and status codes of concurrent GET requests."""

    async def requests(app: fastapi.FastAPI) -> list[int]:
        transport = httpx.ASGITransport(app)  # pyright: ignore[reportArgumentType] - httpx types ASGI more narrowly
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            answers = await asyncio.gather(*(client.get(path, headers=headers) for path in paths))
        assert monitor_of_running_loop().in_flight == 0
        monitor_of_running_loop().stop()
        return [answer.status_code for answer in answers]

    with testing.capture() as captured:
        codes = asyncio.run(requests(make()))
    return [span for span in captured.spans if span.kind is SpanKind.SERVER], codes


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_a_server_span_has_the_stable_conventions_and_our_measurements() -> None:
    (span,), codes = get(application, "/items/5", headers={b"x-request-id": b"order-17"})
    assert codes == [200]
    assert span.name == "GET /items/{number}"
    found = attributes(span)
    assert (found["http.route"], found["http.response.status_code"]) == ("/items/{number}", 200)
    assert found["infersight.request.id"] == "order-17"
    assert found["infersight.requests.in_flight"] == 1
    assert 0 <= found["infersight.event_loop.lag"] < 60


def test_there_is_no_span_for_each_asgi_message() -> None:
    async def run(app: fastapi.FastAPI) -> None:
        transport = httpx.ASGITransport(app)  # pyright: ignore[reportArgumentType] - httpx types ASGI more narrowly
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await client.get("/items/1")
        monitor_of_running_loop().stop()

    with testing.capture() as captured:
        asyncio.run(run(application()))
    assert [span.name for span in captured.spans] == ["look up", "GET /items/{number}"]
    assert captured.spans[0].parent == captured.spans[1].context


@pytest.mark.parametrize(
    ("header", "expected"),
    [(b"a" * 500, "a" * 128), (b"tab\tand caf\xe9", "taband caf"), (b"  ", None), (b"plain", "plain")],
)
def test_a_request_id_is_printable_and_of_limited_length(header: bytes, expected: str | None) -> None:
    (span,), _ = get(application, "/items/1", headers={b"x-request-id": header})
    assert attributes(span).get("infersight.request.id") == expected


def test_instrumenting_twice_is_once() -> None:
    def twice() -> fastapi.FastAPI:
        app = application()
        infersight.instrument_fastapi(app)
        return app

    spans, _ = get(twice, "/items/1")
    assert len(spans) == 1


def test_concurrent_requests_know_of_each_other() -> None:
    def waiting() -> fastapi.FastAPI:
        app = fastapi.FastAPI()
        infersight.instrument_fastapi(app)
        both = asyncio.Barrier(2)

        @app.get("/meet")
        async def meet() -> None:
            await both.wait()

        return app

    spans, codes = get(waiting, "/meet", "/meet")
    assert codes == [200, 200]
    assert sorted(attributes(span)["infersight.requests.in_flight"] for span in spans) == [1, 2]


def test_requests_that_fail_by_one_exception_are_not_mixed_up() -> None:
    """As the requests of a batch do: each one's log record is its own, whichever of them it left last."""

    async def serve(app: fastapi.FastAPI, number: int) -> None:
        scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/fail", "query_string": b""}
        scope["headers"] = [(b"x-request-id", str(number).encode())]
        try:
            await app(scope, nothing, ignore)
        except LookupError:
            await both_left.wait()
            logging.getLogger("server").exception("request %d", number)

    async def nothing() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def ignore(_message: object) -> None:
        return None

    async def run(app: fastapi.FastAPI) -> None:
        await asyncio.gather(*(serve(app, number) for number in range(2)))
        monitor_of_running_loop().stop()

    both_left = asyncio.Barrier(2)
    with testing.capture() as captured:
        app, shared = application(), LookupError("batch")

        @app.get("/fail")
        async def fail() -> None:
            raise shared

        asyncio.run(run(app))
    records = [log.log_record for log in captured.logs if str(log.log_record.body).startswith("request ")]
    requests = {attributes(span)["infersight.request.id"]: span.context for span in captured.spans}
    assert len(records) == len(requests) == 2
    for record in records:
        context = requests[str(record.body).removeprefix("request ")]
        assert context is not None
        assert record.trace_id == context.trace_id


def test_an_application_that_is_instrumented_already_keeps_its_one_server_span() -> None:
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    def instrumented() -> fastapi.FastAPI:
        app = fastapi.FastAPI()
        FastAPIInstrumentor.instrument_app(app)
        infersight.instrument_fastapi(app)
        return app

    (span,), codes = get(instrumented, "/none")
    assert codes == [404]
    assert "infersight.event_loop.lag" in attributes(span)
