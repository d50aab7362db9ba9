"""What detail, redaction and sampling cost, each beside what it spares.

A detail that is kept and not sent is measured beside the stage or the log record that would have been sent; redaction,
which runs on the exporting thread, per span and record, beside their encoding.
"""

import logging
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import get_current_span

import infersight
from infersight import testing
from infersight._configure import state
from infersight._redact import Redactor
from infersight._request import Request, current_request
from infersight._sampling import RatioSampler
from infersight.export.redacting import TelemetryRedactor

ROUNDS: Final = 15
CALLS: Final = 400

log = logging.getLogger("bench")


def debug() -> None:
    """A log call below its logger's level."""
    log.debug("token %d of %s", 7, "request")


def info() -> None:
    """One at its level."""
    log.info("token %d of %s", 7, "request")


def detail() -> None:
    """A detail with an attribute."""
    with infersight.detail("tokenize", length=7):
        pass


def stage() -> None:
    """The same as a stage."""
    with infersight.stage("tokenize", length=7):
        pass


def request() -> None:
    """What a request pays to be recorded."""
    recorder = state.running and state.running.recorder
    assert recorder
    recording = recorder.begin(get_current_span(), "", forced=False)
    assert recording is not None
    recorder.end(recording, "GET /bench", failed=False)


def server_span(provider: TracerProvider) -> ReadableSpan:
    """As opentelemetry-instrumentation-fastapi makes it, with the SDK's attributes."""
    attributes: dict[str, Any] = {
        "http.request.method": "GET", "http.route": "/classify", "url.scheme": "http", "url.path": "/classify",
        "url.query": "text=a+good+day", "server.address": "127.0.0.1", "server.port": 8000,
        "network.protocol.version": "1.1", "client.address": "10.1.2.3", "client.port": 51234,
        "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "http.response.status_code": 200, "infersight.request.id": "0af7651916cd43dd8448eb211c80319c",
        "infersight.requests.in_flight": 3, "infersight.event_loop.lag": 0.0004,
    }  # fmt: skip
    span = provider.get_tracer("bench").start_span("GET /classify", attributes=attributes)
    span.end()
    assert isinstance(span, ReadableSpan)
    return span


def medians(cases: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Microseconds of one call of each, the rounds alternating."""
    rounds: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, call in cases.items():
            began = time.perf_counter()
            for _ in range(CALLS):
                call()
            rounds[name].append((time.perf_counter() - began) / CALLS * 1e6)
    return {name: statistics.median(values) for name, values in rounds.items()}


def main() -> None:
    """Measure and print."""
    log.setLevel(logging.INFO)
    cost = medians({"debug call, SDK off": debug})
    with testing.capture() as captured:
        cost |= medians({"debug call, no request": debug})
        with infersight.stage("root"):
            shared = Request(get_current_span())
            recorder = state.running and state.running.recorder
            assert recorder
            cost |= medians({"request begins and ends": request})
            for _ in range(ROUNDS):  # a fresh ring each time, as each request has
                shared.recording = recorder.begin(shared.span, "", forced=False)
                current_request.set(shared)
            cost |= medians(
                {"debug call, kept": debug, "info call, sent": info, "detail, kept": detail, "stage": stage}
            )
        redactor, span = TelemetryRedactor(Redactor()), server_span(captured.tracer_provider)
        cost |= medians(
            {"redact a server span": lambda: redactor.spans([span]), "encode it": lambda: encode_spans([span])}
        )
    sampler, off = RatioSampler(0.0), ALWAYS_OFF
    cost |= medians(
        {
            "refuse by ratio": lambda: sampler.should_sample(None, 1, "x"),
            "refuse always": lambda: off.should_sample(None, 1, "x"),
        }
    )
    for name, value in cost.items():
        print(f"{name:28} {value:8.2f} us")
    print(f"{'debug kept / info sent':28} {cost['debug call, kept'] / cost['info call, sent']:8.2f}")
    print(f"{'detail kept / stage':28} {cost['detail, kept'] / cost['stage']:8.2f}")
    print(f"{'redact / encode':28} {cost['redact a server span'] / cost['encode it']:8.2f}")


if __name__ == "__main__":
    main()
