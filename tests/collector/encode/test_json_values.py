"""JSON to OTLP values against a plain reference: Python's json and google.protobuf."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

import base64
import binascii
import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from infersight_collector.encode.fields import Column, written
from infersight_collector.encode.values import member_fields, value_fields

CASES = int(os.environ.get("INFERSIGHT_JSON_CASES", "3000"))

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["bytesValue", "AAE=", "AAEC", "A===", "NaN", "-Infinity"])
)
keys = st.text() | st.sampled_from(["bytesValue", "doubleValue"])
documents = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20)


class Members(list[tuple[str, Any]]):
    """A JSON object: its members in order, repeated keys too."""


def parsed(text: str) -> Any:
    return json.loads(text, object_pairs_hook=Members, strict=False)


def any_value(value: Any, *, keep_map: bool = False) -> AnyValue:  # noqa: PLR0911 - one for each kind of value
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int() if -(2**63) <= value < 2**63:
            return AnyValue(int_value=value)
        case int() | float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=valid(value))
        case Members():
            scalar = None if keep_map else unwrapped(value)
            pairs = [KeyValue(key=valid(key), value=any_value(member)) for key, member in value]
            return AnyValue(kvlist_value=KeyValueList(values=pairs)) if scalar is None else scalar
        case _:
            return AnyValue(array_value=ArrayValue(values=[any_value(item) for item in value]))


def unwrapped(value: Members) -> AnyValue | None:
    match value:
        case [("bytesValue", str(text))]:
            try:
                return AnyValue(bytes_value=base64.b64decode(text, validate=True))
            except (binascii.Error, ValueError):
                return None
        case [("doubleValue", "NaN" | "Infinity" | "-Infinity" as name)]:
            return AnyValue(double_value=float(name))
        case _:
            return None


def valid(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def rows(column: Column) -> list[bytes]:
    return [bytes(each) for each in written(column).arrow().to_pylist()]


def comparable(message: Any) -> str:
    """As text, in which NaN equals itself."""
    return str(message)


@settings(max_examples=300)
@given(values=st.lists(documents, min_size=1, max_size=5), indent=st.sampled_from([None, 1]), ascii_only=st.booleans())
def test_any_json_becomes_its_value(values: list[Any], indent: int | None, ascii_only: bool) -> None:
    texts = [json.dumps(value, indent=indent, ensure_ascii=ascii_only) for value in values]
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    array = pa.array([None, *texts, None])
    for keep_maps in (False, True):
        none, *found, last = rows(value_fields(array, keep_maps=keep_maps))
        assert (none, last) == (b"", b"")
        for text, content in zip(texts, found, strict=True):
            expected = any_value(parsed(text), keep_map=keep_maps)
            assert comparable(AnyValue.FromString(content)) == comparable(expected)


@settings(max_examples=100)
@given(members=st.lists(st.tuples(keys, documents), max_size=5))
def test_members_become_pairs_repeated_keys_too(members: list[tuple[str, Any]]) -> None:
    text = "{" + ",".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in members) + "}"
    (content,) = rows(member_fields(1, pa.array([text])))
    expected = KeyValueList(values=[KeyValue(key=valid(key), value=any_value(value)) for key, value in parsed(text)])
    assert comparable(KeyValueList.FromString(content)) == comparable(expected)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-9223372036854775808", AnyValue(int_value=-(2**63))),
        ("9223372036854775807", AnyValue(int_value=2**63 - 1)),
        ("9223372036854775808", AnyValue(double_value=2.0**63)),
        ("-0", AnyValue(int_value=0)),
        ("-0.0", AnyValue(double_value=-0.0)),
        ("1e400", AnyValue(double_value=math.inf)),
        ("5e-324", AnyValue(double_value=5e-324)),
        (r'"\ud83d\ude00\ud83d"', AnyValue(string_value="😀?")),
        (r'"\u0000\"\\\/\b\f\n\r\t"', AnyValue(string_value='\0"\\/\b\f\n\r\t')),
        (" [ ] ", AnyValue(array_value=ArrayValue())),
        (
            '[{"bytesValue":"AA=="},null]',
            AnyValue(array_value=ArrayValue(values=[AnyValue(bytes_value=b"\0"), AnyValue()])),
        ),
    ],
)
def test_the_edges_of_json(text: str, value: AnyValue) -> None:
    (content,) = rows(value_fields(pa.array([text])))
    assert AnyValue.FromString(content) == value


NO_JSON = ["", " ", "[", "]", "[1,]", "[,1]", "[1 2]", "{", "}", '{"a"}', '{"a":}', '{"a":1,}', "{1:2}", '["a":1]']
NO_VALUES = [
    '"',
    '"\\',
    '"\\x"',
    '"\\u12"',
    "tru",
    "nul",
    "NaN",
    "-",
    "--1",
    "1-2",
    "1e",
    "1.2.3",
    "[}",
    "{]",
    "1 2",
    "\0",
]


@pytest.mark.parametrize("text", [*NO_JSON, *NO_VALUES, "\0"])
def test_what_is_no_json_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no JSON|Failed to parse"):
        value_fields(pa.array(["1", text]))


def test_members_come_of_objects_only() -> None:
    with pytest.raises(ValueError, match="has to hold JSON objects"):
        member_fields(1, pa.array(['{"a":1}', "[1]"]))


def mutated(text: str, rng: random.Random) -> str:
    changed = list(text)
    for _ in range(rng.choice([0, 1, 1, 2, 4])):
        at = rng.randrange(len(changed) + 1)
        match rng.randrange(3):
            case 0 if at < len(changed):
                del changed[at : at + rng.choice([1, 1, 5])]
            case 1 if at < len(changed):
                changed[at] = rng.choice('{}[],:"\\u0123456789abcdefDd8-+.eE ntfé')
            case _:
                changed[at:at] = rng.choice(['"', "\\", "{", "}", "[", "]", ",", ":", "1", "\\ud8", '{"bytesValue":"'])
    return "".join(changed)


def test_mutated_json_is_read_as_python_does_or_refused() -> None:
    rng = random.Random(1)
    base = '{"a":[1,-2.5e-3,true,null,{"bytesValue":"AAEC"},{"doubleValue":"NaN"}],'
    base += '"b\\u00e9\\n":{"":"x","y":"\\ud83d\\ude00"}}'
    refused = 0
    for _ in range(CASES):
        text = mutated(base, rng)
        try:
            expected = any_value(parsed(text), keep_map=True)
        except (ValueError, RecursionError):
            expected = None
        try:
            (content,) = rows(value_fields(pa.array([text])))
        except ValueError:
            refused += 1
            assert expected is None, text
            continue
        if expected is not None:
            assert comparable(AnyValue.FromString(content)) == comparable(expected), text
    assert CASES / 10 < refused < CASES


@pytest.mark.slow
def test_the_kernels_read_nothing_beyond_their_arrays(tmp_path: Path) -> None:
    """The same cases, fewer, with every index of the kernels checked; numba compiles them anew for it."""
    environment = os.environ | {
        "NUMBA_BOUNDSCHECK": "1",
        "NUMBA_CACHE_DIR": str(tmp_path),
        "INFERSIGHT_JSON_CASES": "600",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "mutated or edges", __file__]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:]
