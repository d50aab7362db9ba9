"""Values that keep the type in which they are written."""

from dataclasses import dataclass

import pytest

from infersight_collector.config import ConfigError
from infersight_collector.config.binding import Binder
from infersight_collector.config.values import Scalar


@dataclass
class Typed:
    value: Scalar
    other: Scalar | None = None


def bound(text: str, **environment: str) -> Scalar:
    binder = Binder("file.yaml", environment)
    typed: Typed = binder.bind(binder.compose(f"value: {text}"), Typed)
    assert typed.other is None
    return typed.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("prod", "prod"),
        ("5", 5),
        ("-7", -7),
        ("9223372036854775807", 2**63 - 1),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("false", False),
        ("'5'", "5"),
        ('"true"', "true"),
        ("yes", "yes"),
        ("1.2.3", "1.2.3"),
        ("2026-01-02", "2026-01-02"),
        ("${env:N}", 12),
        ("'${env:N}'", "12"),
        ("''", ""),
    ],
)
def test_a_value_has_the_type_in_which_it_is_written(text: str, value: Scalar) -> None:
    found = bound(text, N="12")
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("text", "message"),
    [("9223372036854775808", "does not fit 64 bits"), ("[1]", "expected a single value"), ("", "a single value")],
)
def test_what_is_no_single_value_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        bound(text)
