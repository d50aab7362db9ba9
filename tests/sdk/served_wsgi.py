"""A WSGI application that the tests serve with gunicorn's threads; it has no event loop."""

import logging
import os
from collections.abc import Callable, Iterable
from typing import Any

from opentelemetry import propagate, trace

import infersight

infersight.configure(service_name="served", service_version="1.2.3")
log = logging.getLogger("served")
tracer = trace.get_tracer("served")


@infersight.observe(model="doubler", version="2")
def double(numbers: list[int]) -> list[int]:
    return [2 * number for number in numbers]


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    start_response("200 OK", [("content-type", "text/plain")])
    if path == "/health":
        return [b""]
    parent = propagate.extract({"traceparent": environ.get("HTTP_TRACEPARENT", "")})
    with tracer.start_as_current_span(f"GET {path}", parent):
        double([1, 2, 3])
        log.info("doubled", extra={"items": 3})
    return [str(os.getpid()).encode()]
