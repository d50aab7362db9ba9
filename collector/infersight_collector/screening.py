"""Requests that become too large as rows: the largest resources in them are left out, so that the others are kept.

A gateway sends what many programs said in one request; one of them that sends too much must not cost the others theirs.
"""

from typing import Final, NamedTuple

from infersight_collector.decode import Examined, examine, wire
from infersight_collector.errors import TooManyCopies
from infersight_collector.signals import Signal

_MAX_FIELDS: Final = 1000
"""Resources that are looked at one by one, in half a second. A request with more is refused as a whole."""

_RESOURCE: Final = 1 << 3 | wire.LENGTH  # tag of the field resource_spans, resource_logs or resource_metrics


class Screened(NamedTuple):
    """A request of which something was left out.

    Attributes:
        request: what is left.
        examined: what is told of that.
        rejected: records that were left out.
    """

    request: bytes
    examined: Examined
    rejected: int


def screen(signal: Signal, request: bytes, limit: int) -> Screened:
    """Leaves the largest resources of a valid request out until the rest is within the limit.

    Args:
        signal: what the request carries.
        request: a valid request that is beyond the limit.
        limit: most memory that rows and decoding may take, in bytes.

    Raises:
        TooManyCopies: nothing would be left, or there are too many resources to tell which is too large.
    """
    parts = _resources(request)
    whole = examine(signal, request)
    refusal = TooManyCopies(whole.memory, limit)
    sizes = [examine(signal, part) for part in parts]
    kept: list[int] = []
    room = limit
    for index in sorted(range(len(parts)), key=lambda index: sizes[index].memory):
        room -= sizes[index].memory
        if room < 0:
            break
        kept.append(index)
    rest = b"".join(parts[index] for index in sorted(kept))
    examined = examine(signal, rest)
    if not examined.records:
        raise refusal
    return Screened(rest, examined, whole.records - examined.records)


def _resources(request: bytes) -> list[bytes]:
    """The resources of a valid request, each a valid request of its own; none where there are too many fields.

    Fields that OTLP does not know are left out.
    """
    found: list[bytes] = []
    position = 0
    for _ in range(_MAX_FIELDS):
        if position == len(request):
            return found
        start = position
        tag, position = _varint(request, position)
        position = _skipped(request, position, tag & 7)
        if position < 0:
            return []
        if tag == _RESOURCE:
            found.append(request[start:position])
    return []


def _skipped(request: bytes, position: int, wire_type: int) -> int:
    """The end of a field's value, or -1 where that is a group, which nothing of OTLP is."""
    match wire_type:
        case wire.VARINT:
            return _varint(request, position)[1]
        case wire.LENGTH:
            length, position = _varint(request, position)
            return position + length
        case wire.FIXED64:
            return position + 8
        case wire.FIXED32:
            return position + 4
        case _:
            return -1


def _varint(request: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while (byte := request[position]) & 0x80:
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
    return value | byte << shift, position + 1
