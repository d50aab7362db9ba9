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

from infersight_collector.decode import check, decode
from infersight_collector.signals import Signal


@pytest.mark.parametrize("signal", list(Signal))
@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
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
