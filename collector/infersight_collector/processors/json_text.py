"""JSON text in the form of `store.layout`: arrays and maps, and what does not fit an attribute STRUCT."""

import base64
import binascii
import json
import math
from typing import Any


class _Repeated(str):
    """A further occurrence of a key in one map; equal to nothing but itself, so that a dict keeps it."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other


def parse(text: str) -> Any:
    """The value that a text says; bytes are bytes, and a map keeps the keys that it has twice."""
    return json.loads(text, object_pairs_hook=_object)


def dump(value: Any) -> str:
    """The text of a value."""
    if isinstance(value, float) and not math.isfinite(value):
        value = {"doubleValue": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_bytes_value)


def named(document: dict[str, Any], key: str) -> list[str]:
    """The keys of a map that have this name, more than one where the map repeats it."""
    return [name for name in document if str.__eq__(name, key)]


def _object(pairs: list[tuple[str, Any]]) -> Any:
    if len(pairs) == 1 and pairs[0][0] == "bytesValue" and isinstance(pairs[0][1], str):
        try:
            return base64.b64decode(pairs[0][1], validate=True)
        except binascii.Error:  # a map of the sender's that only looks like bytes
            return dict(pairs)
    document: dict[str, Any] = {}
    for key, value in pairs:
        document[_Repeated(key) if key in document else key] = value
    return document


def _bytes_value(value: object) -> dict[str, str]:
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value)} is no value of an attribute")
    return {"bytesValue": base64.b64encode(value).decode()}
