"""Requests that become too large as rows: the largest resources in them are left out, so that the others are kept.

A gateway sends what many programs said in one request; one of them that sends too much must not cost the others theirs.
"""

from typing import Final, NamedTuple

import numpy as np

from infersight_collector.decode import Examined, examine
from infersight_collector.decode.wire import fields_of
from infersight_collector.errors import TooManyCopies
from infersight_collector.signals import Signal

_MAX_RESOURCES: Final = 1000
"""Resources that are looked at one by one: half a second. A request with more is refused as a whole."""

_RESOURCES: Final = 1  # the field resource_spans, resource_logs or resource_metrics


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
    """The resources of a valid request, each a valid request of its own, unless there are too many.

    Fields that OTLP does not know are left out.
    """
    fields = fields_of(np.frombuffer(request, np.uint8)).tolist()
    bounds = [0, *(end for _, _, _, end in fields)]
    found = [position for position, (number, _, _, _) in enumerate(fields) if number == _RESOURCES]
    return [request[bounds[each] : bounds[each + 1]] for each in found] if len(found) <= _MAX_RESOURCES else []
