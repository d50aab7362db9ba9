"""The decoder against google.protobuf on generated requests: the same values, however the wire puts them."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infersight_collector.decode import check, decode, decode_all
from infersight_collector.signals import Signal
from infersight_collector.store.schema import COLUMNS


@pytest.mark.parametrize("signal", list(Signal))
@settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(rng=st.randoms(use_true_random=False))
def test_every_value_is_that_of_google_protobuf(
    signal: Signal,
    rng: random.Random,
    random_request: Callable[[Signal, random.Random], bytes],
    reference: Callable[..., Any],
    rows_of: Callable[..., Any],
) -> None:
    request = random_request(signal, rng)
    tables = decode(signal, request)
    assert rows_of(tables) == reference(signal, request)
    assert check(signal, request) == next(iter(tables.values())).num_rows


def test_concatenated_requests_are_one_request(
    random_request: Callable[[Signal, random.Random], bytes], reference: Callable[..., Any], rows_of: Callable[..., Any]
) -> None:
    rng = random.Random(7)
    for signal in Signal:
        requests = [random_request(signal, rng) for _ in range(20)]
        together = b"".join(requests)
        assert check(signal, together) == sum(check(signal, request) for request in requests)
        assert rows_of(decode(signal, together)) == reference(signal, together)


def test_requests_decoded_in_pieces_are_the_same_rows(
    random_request: Callable[[Signal, random.Random], bytes],
    reference: Callable[..., Any],
    rows_of: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("infersight_collector.decode.PIECE_BYTES", 2_000)
    rng = random.Random(8)
    for signal in Signal:
        requests = [random_request(signal, rng) for _ in range(20)]
        pieces = rows_of(decode_all(signal, requests))
        whole = reference(signal, b"".join(requests))
        for table, rows in whole.items():
            # Where pieces disagree about a key's type, its values are beside the STRUCT; all else is the same.
            fixed = [name for name in COLUMNS[table].names if not name.endswith("_other")]
            assert [[row.get(name) for name in fixed] for row in pieces[table]] == [
                [row.get(name) for name in fixed] for row in rows
            ]
    assert {name: table.num_rows for name, table in decode_all(Signal.LOGS, []).items()} == {"logs": 0}
