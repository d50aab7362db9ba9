"""OTLP/JSON against google.protobuf's own mapping."""

# pyright: reportUnknownVariableType=false
# What isinstance says of lists and dicts is not what is in them.

import base64
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from infersight_collector.decode.layout import REQUESTS
from infersight_collector.exporters.otlp_json import json_line
from infersight_collector.signals import Signal


def with_hex_ids(value: Any) -> Any:
    """What OTLP wants where protobuf's mapping has base64."""
    match value:
        case list():
            items: list[Any] = value
            return [with_hex_ids(item) for item in items]
        case dict():
            members: dict[str, Any] = value
            ids = {name: member for name, member in members.items() if name in ("traceId", "spanId", "parentSpanId")}
            rest = {name: with_hex_ids(member) for name, member in members.items() if name not in ids}
            return rest | {name: base64.b64decode(member).hex() for name, member in ids.items()}
        case _:
            return value


@pytest.mark.parametrize("signal", list(Signal))
def test_every_field_is_as_protobuf_maps_it_but_ids(
    signal: Signal, random_request: Callable[[Signal, random.Random], bytes]
) -> None:
    rng = random.Random(13)
    for _ in range(50):
        request = random_request(signal, rng)
        line = json_line(signal, request)
        assert line.count(b"\n") == 1
        expected = MessageToDict(REQUESTS[signal].FromString(request), use_integers_for_enums=True)
        assert json.loads(line) == with_hex_ids(expected)
