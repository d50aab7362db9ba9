"""What kind of trouble a failure is: by type, system code, span, library, and last by words."""

import dataclasses
from typing import Any

import pytest

from infersight_analysis.failures.category import ADVICE, category_of
from infersight_analysis.failures.failures import Failure, Record
from infersight_analysis.failures.spans import FailingSpan

NOTHING: dict[str, Any] = dict.fromkeys((field.name for field in dataclasses.fields(FailingSpan)), None)
FAILED = dataclasses.replace(FailingSpan(**NOTHING), has_failed=True)


def decided(raised: str, message: str, stack: str | None = None, **span: Any) -> tuple[str, str]:
    record = Record("span event", None, None, 0, "api", "1", raised, message, stack)
    on = dataclasses.replace(FAILED, **span) if span else None
    return category_of(Failure(record, [record]), on, frozenset({"api", "features"}))


@pytest.mark.parametrize(
    ("kind", "message", "category"),
    [
        ("ValueError", "Invalid input shape: expected (batch, 512), got (batch, 256)", "input_validation"),
        ("Exception", "Request failed schema validation", "input_validation"),
        ("RuntimeError", "model returned no prediction", "model_inference"),
        ("Exception", "Inference failed", "model_inference"),
        ("Exception", "Database connection timeout", "infrastructure"),
        ("Exception", "connection to 10.0.0.7 lost", "infrastructure"),
        ("Exception", "memory limit exceeded", "resource_exhaustion"),
        ("Exception", "CPU quota used up", "resource_exhaustion"),
        ("Exception", "External API returned an error", "third_party"),
        ("Exception", "the pricing service refused", "third_party"),
        ("Exception", "No instances available for seat-service", "infrastructure"),
        ("Exception", "request of seat-service went wrong in Servlet.service()", "unknown"),
        ("Exception", "something happened", "unknown"),
    ],
)
def test_words_decide_where_nothing_else_was_recorded(kind: str, message: str, category: str) -> None:
    assert decided(kind, message)[0] == category


@pytest.mark.parametrize(
    ("kind", "message", "category"),
    [
        ("pydantic_core.ValidationError", "2 errors: connection must be set", "input_validation"),
        ("torch.OutOfMemoryError", "model api failed", "resource_exhaustion"),
        ("psycopg.OperationalError", "invalid message format", "infrastructure"),
        ("java.net.SocketTimeoutException", "Read timed out", "infrastructure"),
        ("asyncio.TimeoutError", "", "infrastructure"),
        ("RuntimeError", "CUDA out of memory. Tried to allocate 2.50 GiB", "resource_exhaustion"),
        ("OSError", "[Errno 28] No space left on device: 'model.bin'", "resource_exhaustion"),
        ("Error", "connect ECONNREFUSED 10.0.0.7:5432", "infrastructure"),
    ],
)
def test_the_type_and_the_systems_codes_come_before_words(kind: str, message: str, category: str) -> None:
    assert decided(kind, message)[0] == category


def test_the_first_cause_says_more_than_what_was_raised_for_it() -> None:
    stack = (
        'Traceback (most recent call last):\n  File "/srv/a.py", line 1, in f\n    g()\nConnectionRefusedError: x\n\n'
        "The above exception was the direct cause of the following exception:\n\n"
        'Traceback (most recent call last):\n  File "/srv/a.py", line 3, in f\n    raise\nValidationError: invalid\n'
    )
    assert decided("ValidationError", "invalid", stack) == (
        "infrastructure",
        "its type is ConnectionRefusedError",
    )


@pytest.mark.parametrize(
    ("span", "category"),
    [
        ({"kind": "SERVER", "http_status": 422}, "input_validation"),
        ({"kind": "SERVER", "http_status": 503}, "infrastructure"),
        ({"kind": "SERVER", "http_status": 429}, "resource_exhaustion"),
        ({"kind": "SERVER", "rpc_status": "8"}, "resource_exhaustion"),
        ({"kind": "INTERNAL", "operation": "forward"}, "model_inference"),
        ({"kind": "CLIENT", "database": "postgresql"}, "infrastructure"),
        ({"kind": "CLIENT", "provider": "openai", "http_status": 500}, "third_party"),
        ({"kind": "CLIENT", "server": "api.vendor.example"}, "third_party"),
        ({"kind": "CLIENT", "server": "features"}, "infrastructure"),
        ({"kind": "CLIENT", "server": "features.prod.svc.cluster.local"}, "infrastructure"),
        ({"kind": "CLIENT", "server": "10.0.0.7"}, "unknown"),
    ],
)
def test_status_and_kind_of_the_span_decide_where_the_type_does_not(span: dict[str, Any], category: str) -> None:
    assert decided("Exception", "it failed", **span)[0] == category


def test_a_time_out_of_a_call_to_someone_else_is_theirs() -> None:
    assert decided("TimeoutError", "", kind="CLIENT", server="api.vendor.example")[0] == "third_party"
    assert decided("TimeoutError", "", kind="CLIENT", database="redis")[0] == "infrastructure"


def test_the_library_that_raised_it_decides_before_words() -> None:
    stack = (
        'Traceback (most recent call last):\n  File "/srv/a.py", line 1, in f\n    model(x)\n'
        '  File "/usr/lib/python3.11/site-packages/torch/nn/functional.py", line 2, in embedding\n    return 1\n'
        "IndexError: index out of range in database\n"
    )
    assert decided("IndexError", "index out of range in database", stack) == (
        "model_inference",
        "it was raised in torch",
    )


def test_every_category_has_a_hypothesis_and_actions() -> None:
    for advice in ADVICE.values():
        assert advice.hypothesis
        assert len(advice.actions) >= 2
