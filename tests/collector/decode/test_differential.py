"""The decoder against google.protobuf on generated requests: the same are accepted, and with the same values."""

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infersight_collector.decode import check, decode
from infersight_collector.decode.layout import REQUESTS
from infersight_collector.signals import Signal

KEYS = ["a", "b", "infersight.model.name", "service.name", "service.version", "", "schlüssel", "x" * 200]

TEXT = st.text(max_size=20) | st.sampled_from(["", "\0", '"\\\n\x1f', "𝕦ñï", "y" * 130])

SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_STRING: TEXT,
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=20) | st.just(bytes(16)) | st.binary(min_size=16, max_size=16),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_DOUBLE: st.floats(),
    FieldDescriptor.TYPE_ENUM: st.integers(0, 6) | st.sampled_from([-1, 2**31 - 1]),
    FieldDescriptor.TYPE_FIXED64: st.integers(0, 2**64 - 1),
    FieldDescriptor.TYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SINT32: st.integers(-(2**31), 2**31 - 1),
}


def fill(draw: Callable[[Any], Any], message: Any, depth: int) -> None:
    """Set some of the fields of a message, deeper ones less often."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type is None:
            if field.name == "key" and draw(st.booleans()):
                message.key = draw(st.sampled_from(KEYS))
            elif field.is_repeated:
                getattr(message, field.name).extend(draw(st.lists(SCALARS[field.type], max_size=3)))
            elif draw(st.booleans()):
                setattr(message, field.name, draw(SCALARS[field.type]))
        elif field.is_repeated:
            for _ in range(draw(st.integers(0, 3 if depth < 4 else 2 if depth < 8 else 0))):
                fill(draw, getattr(message, field.name).add(), depth + 1)
        elif draw(st.integers(0, 2)):
            getattr(message, field.name).SetInParent()
            fill(draw, getattr(message, field.name), depth + 1)


@st.composite
def messages(draw: Callable[[Any], Any], signal: Signal) -> Message:
    message = REQUESTS[signal]()
    fill(draw, message, 0)
    return message


@pytest.mark.parametrize("signal", list(Signal))
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_every_value_is_that_of_google_protobuf(
    signal: Signal, data: st.DataObject, reference: Callable[..., Any], rows_of: Callable[..., Any]
) -> None:
    request = data.draw(messages(signal)).SerializeToString()
    tables = decode(signal, request)
    assert rows_of(tables) == reference(signal, request)
    assert check(signal, request) == tables[next(iter(tables))].num_rows
