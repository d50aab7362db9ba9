"""`validate_input`: every violation, as a value and in one event, and no exception."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from opentelemetry._logs import SeverityNumber
from opentelemetry.trace import SpanContext

import infersight
from infersight import testing


def context_of(captured: testing.Captured, name: str) -> SpanContext:
    context: SpanContext | None = captured.span(name).context
    assert context is not None
    return context


def broken(value: object, **rules: Any) -> list[str]:
    with testing.capture():
        return [violation.check for violation in infersight.validate_input(value, **rules)]


@pytest.mark.parametrize(
    ("value", "rules"),
    [
        ("text", {"type": str, "max_length": 4, "non_empty": True}),
        (b"", {"type": (str, bytes)}),
        ([0.0, 1.0], {"range": (0, 1), "finite": True}),
        ([[0.0], [1.0]], {"range": (None, 1)}),
        (7, {"range": (0, None)}),
        (np.zeros((8, 3)), {"shape": (None, 3), "dtype": "float64", "max_length": 8, "finite": True}),
        (torch.ones(2, 2, dtype=torch.bfloat16), {"shape": (2, 2), "range": (0, 1), "dtype": "bfloat16"}),
        ({"age": 0, "name": "a"}, {"fields": ("age", "name"), "type": dict}),
        ([], {"range": (0, 1)}),
    ],
)
def test_a_good_input_has_no_violation_and_gives_no_event(value: object, rules: dict[str, Any]) -> None:
    with testing.capture() as captured:
        assert infersight.validate_input(value, **rules) == []
    assert captured.logs == ()


@pytest.mark.parametrize(
    ("value", "rules", "checks"),
    [
        (5, {"type": str}, ["type"]),
        (" \n", {"non_empty": True}, ["non_empty"]),
        (None, {"non_empty": True}, ["non_empty"]),
        ([], {"non_empty": True}, ["non_empty"]),
        (torch.zeros(0, 3), {"non_empty": True, "shape": (None, 3)}, ["non_empty"]),
        ("too long", {"max_length": 7}, ["max_length"]),
        (np.zeros((9, 3)), {"shape": (None, 4), "max_length": 8, "dtype": "int64"}, ["dtype", "shape", "max_length"]),
        ([1], {"shape": (1,)}, ["shape"]),
        ([0.5, 2.0, math.nan], {"range": (0, 1), "finite": True}, ["range", "finite"]),
        (np.array([0.5, 2.0, np.nan]), {"range": (0, 1), "finite": True}, ["range", "finite"]),
        (torch.tensor([math.nan]), {"range": (0, 1), "finite": True}, ["finite"]),
        (torch.tensor([math.inf]), {"finite": True}, ["finite"]),
        ("12", {"range": (0, 20)}, ["range"]),
        (np.array(["a"]), {"finite": True}, ["finite"]),
        ({"age": None}, {"fields": ("age", "name")}, ["fields"]),
        ("no mapping", {"fields": ("age",)}, ["fields"]),
    ],
)
def test_every_violation_is_found(value: object, rules: dict[str, Any], checks: list[str]) -> None:
    assert broken(value, **rules) == checks


def test_the_violations_are_one_event_in_the_trace_without_the_input() -> None:
    secret = "4929-secret"
    with testing.capture() as captured, infersight.stage("validate"):
        violations = infersight.validate_input(secret, name="text", type=bytes, max_length=4)
    (event,) = captured.logs
    record = event.log_record
    assert record.event_name == "infersight.input.invalid"
    assert record.severity_number is SeverityNumber.WARN
    assert record.trace_id == context_of(captured, "validate").trace_id
    attributes: dict[str, Any] = dict(record.attributes or {})
    assert attributes["infersight.input.name"] == "text"
    assert attributes["infersight.input.length"] == len(secret)
    assert list(attributes["infersight.input.violations"]) == [str(violation) for violation in violations]
    assert str(violations[1]) == "max_length: expected at most 4, found 11"
    assert secret not in str(record.body) + str(attributes)


def test_elements_on_an_accelerator_are_not_looked_at() -> None:
    class OnAccelerator:
        shape = (2,)
        dtype = "torch.float32"
        device = "cuda:0"

        def min(self) -> float:
            raise AssertionError("would synchronise")

    assert broken(OnAccelerator(), range=(0, 1), finite=True, shape=(2,)) == []


def test_an_input_that_fails_when_it_is_looked_at_harms_nobody() -> None:
    class Hostile(list[int]):
        def __len__(self) -> int:
            raise RuntimeError("no")

    with testing.capture(faults_raise=False):
        assert infersight.validate_input(Hostile([1]), max_length=1) == []


def test_violations_are_returned_without_configure() -> None:
    assert [violation.check for violation in infersight.validate_input(1, type=str)] == ["type"]
