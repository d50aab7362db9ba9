"""Values as OTLP can carry them. One bad value must not cost the whole batch in which it would be encoded."""

import traceback
from collections.abc import Mapping
from typing import Final, TypeAlias, cast

from infersight import _attributes as names

AttributeValue: TypeAlias = "str | bool | int | float | bytes | list[AttributeValue] | dict[str, AttributeValue] | None"
"""What an attribute or a log body can hold (OTLP's AnyValue)."""

_INT64_MIN: Final = -(2**63)
_INT64_MAX: Final = 2**63 - 1
_DEPTH: Final = 8
"""Nesting that is kept; deeper parts become text (a self-containing list has no end)."""


def carriable(value: object, depth: int = _DEPTH) -> AttributeValue:
    """Return the value, or the nearest thing to it that encodes: text for what OTLP has no type for."""
    if value is None or isinstance(value, bool | float | bytes):
        return value
    if isinstance(value, str):
        return text(value)
    if isinstance(value, int):
        return value if _INT64_MIN <= value <= _INT64_MAX else str(value)
    if depth > 0 and isinstance(value, list | tuple | set | frozenset):
        return [carriable(item, depth - 1) for item in cast("list[object]", value)]
    if depth > 0 and isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {safe_str(key): carriable(item, depth - 1) for key, item in items}
    return safe_str(value)


def text(value: str) -> str:
    """Return the text with lone surrogates, which UTF-8 cannot say, replaced by question marks."""
    if value.isascii():
        return value
    return value.encode("utf-8", "replace").decode()


def safe_str(value: object) -> str:
    """`str(value)`, also for objects whose `__str__` raises."""
    try:
        return text(str(value))
    except Exception:  # noqa: BLE001 - a user's __str__ may raise anything
        return f"<{type(value).__name__} whose str() failed>"


def qualified_name(kind: type) -> str:
    """Name of a class as `exception.type` and `error.type` have it: with its module, unless it is a builtin."""
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def exception_attributes(error: BaseException) -> dict[str, AttributeValue]:
    """The `exception.*` attributes (semantic conventions) of an exception, with its causes in the stack trace."""
    return {
        names.EXCEPTION_TYPE: qualified_name(type(error)),
        names.EXCEPTION_MESSAGE: safe_str(error),
        names.EXCEPTION_STACKTRACE: text("".join(traceback.format_exception(error))),
    }
