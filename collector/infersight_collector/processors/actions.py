"""One change of an attribute, as the OpenTelemetry Collector's processors `attributes` and `resource` name it."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

import hashlib
import struct
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.config.values import Scalar
from infersight_collector.processors.edited import EditedAttributes

_SETTING = ("insert", "update", "upsert")


@dataclass(frozen=True)
class Action:
    """One change of an attribute.

    Attributes:
        key: the attribute.
        action: `insert` where it is absent, `update` where it is there, `upsert` everywhere, `delete`, `hash` (SHA-256
            in hex), `extract` (the named groups of a pattern become attributes).
        value: what is inserted or updated, in the type in which it is written.
        from_attribute: the attribute whose value is taken instead; nothing happens where that is absent.
        pattern: a regular expression (RE2) for `extract`.
    """

    key: str
    action: Literal["insert", "update", "upsert", "delete", "hash", "extract"]
    value: Scalar | None = None
    from_attribute: str = ""
    pattern: str = ""

    def __post_init__(self) -> None:
        if not self.key:
            raise ValueError("the key is empty: write the name of an attribute")
        sources = (self.value is not None) + bool(self.from_attribute)
        if sources != (self.action in _SETTING):
            wanted = "either value or from_attribute" if self.action in _SETTING else "neither value nor from_attribute"
            raise ValueError(f"'{self.action}' of '{self.key}' takes {wanted}")
        if bool(self.pattern) != (self.action == "extract"):
            raise ValueError(f"pattern is for 'extract', which needs one, as in ^/users/(?P<user>[0-9]+): '{self.key}'")
        if self.pattern:
            _check_pattern(self.pattern)

    @property
    def changed_keys(self) -> list[str]:
        """The attributes that it may change."""
        return _groups(self.pattern) if self.action == "extract" else [self.key]

    def apply(self, attributes: EditedAttributes, rows: int) -> None:
        """Makes the change in all rows."""
        match self.action:
            case "delete":
                attributes.remove(self.key)
            case "hash":
                attributes.replace(self.key, _hash)
            case "extract":
                self._extract(attributes)
            case _:
                self._set(attributes, rows)

    def _set(self, attributes: EditedAttributes, rows: int) -> None:
        where = np.ones(rows, bool)
        if self.action != "upsert":
            held = attributes.holds(self.key)
            where = held if self.action == "update" else ~held
        if self.value is None:
            attributes.copy(self.from_attribute, self.key, where)
        else:
            attributes.assign(self.key, pa.repeat(pa.scalar(self.value), rows), where)

    def _extract(self, attributes: EditedAttributes) -> None:
        matches = pc.extract_regex(attributes.strings(self.key), self.pattern)
        where = matches.is_valid().to_numpy(zero_copy_only=False)
        for field, values in zip(matches.type, matches.flatten(), strict=True):
            attributes.assign(field.name, values, where)


def _check_pattern(pattern: str) -> None:
    try:
        groups = _groups(pattern)
    except pa.ArrowInvalid as error:
        raise ValueError(f"'{pattern}' is no pattern: {error}") from error
    if not groups:
        raise ValueError(f"'{pattern}' has no named group: write (?P<NAME>...) around what is to be extracted")


def _groups(pattern: str) -> list[str]:
    names: list[str] = [field.name for field in pc.extract_regex(pa.array([""]), pattern).type]
    return names


def _hash(value: Any) -> str:
    """SHA-256 of what the OpenTelemetry Collector hashes; of arrays and maps, which it empties, their JSON."""
    match value:
        case str():
            hashed = value.encode()
        case bytes():
            hashed = value
        case bool():
            hashed = bytes([value])
        case int():
            hashed = struct.pack("<q", value)
        case _:
            hashed = struct.pack("<d", value)
    return hashlib.sha256(hashed).hexdigest()
