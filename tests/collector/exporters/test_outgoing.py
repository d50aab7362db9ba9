"""What of batches is sent on as it came, and what anew."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import random
from collections.abc import Callable

import pyarrow as pa
import pytest
from tests.support.otlp_requests import request_of, spans_request

from infersight_collector.component import Batch
from infersight_collector.decode import decode
from infersight_collector.exporters.outgoing import Gathered
from infersight_collector.signals import Signal


def sent(*batches: Batch, max_bytes: int = 2**22) -> list[tuple[Signal, bytes]]:
    gathered = Gathered(max_bytes)
    for batch in batches:
        gathered.add(batch)
    return list(gathered.requests())


def test_small_requests_are_joined_and_keep_their_order() -> None:
    requests = [spans_request(str(number)) for number in range(30)]
    limit = 3 * len(requests[0]) + 10
    found = sent(Batch(Signal.TRACES, {}, requests), max_bytes=limit)
    assert b"".join(request for _, request in found) == b"".join(requests)
    assert all(len(request) <= limit for _, request in found)
    assert len(found) == 10


def test_a_request_that_is_too_large_is_encoded_anew_in_pieces() -> None:
    request = spans_request(*(str(number) * 10 for number in range(100)))
    found = sent(Batch(Signal.TRACES, decode(Signal.TRACES, request), [request]), max_bytes=1_000)
    assert max(len(piece) for _, piece in found) <= 1_000
    together = b"".join(piece for _, piece in found)
    assert decode(Signal.TRACES, together)["spans"].equals(decode(Signal.TRACES, request)["spans"])


def test_rows_of_another_signal_go_as_that_signal() -> None:
    spans = decode(Signal.TRACES, spans_request("a"))
    metrics = decode(Signal.METRICS, request_of(Signal.METRICS, "made"))
    found = sent(Batch(Signal.TRACES, {**spans, **metrics}))
    assert [signal for signal, _ in found] == [Signal.TRACES, Signal.METRICS]
    assert decode(Signal.METRICS, found[1][1])["metrics"].equals(metrics["metrics"])


def test_exemplars_find_their_data_points_in_another_part_of_the_batch(
    random_request: Callable[[Signal, random.Random], bytes],
) -> None:
    rng = random.Random(4)
    tables = decode(Signal.METRICS, b"".join(random_request(Signal.METRICS, rng) for _ in range(40)))
    longest = max(rows.num_rows for rows in tables.values())
    parts = [
        Batch(Signal.METRICS, {name: rows.slice(start, 7) for name, rows in tables.items()})
        for start in range(0, longest, 7)
    ]
    again = decode(Signal.METRICS, b"".join(request for _, request in sent(*parts)))
    assert tables["exemplars"].num_rows > 30
    assert {name: rows.num_rows for name, rows in again.items()} == {
        name: rows.num_rows for name, rows in tables.items()
    }


def test_what_otlp_cannot_say_comes_out_when_requests_are_made() -> None:
    rows = decode(Signal.METRICS, request_of(Signal.METRICS, "a"))["metrics"]
    index = rows.schema.get_field_index("type")
    gathered = Gathered()
    gathered.add(Batch(Signal.METRICS, {"metrics": rows.set_column(index, "type", pa.array(["dial"]))}))
    with pytest.raises(ValueError, match="'dial' is no type of a metric"):
        list(gathered.requests())
