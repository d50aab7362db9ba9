"""Hands the decoder's reference to the tests."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false

import random
from collections.abc import Callable

import pyarrow as pa
import pytest
from tests.support.otlp_reference import Row, decoded_rows, expected_rows, fill

from infersight_collector.decode.layout import REQUESTS
from infersight_collector.signals import Signal


@pytest.fixture(scope="session")
def random_request() -> Callable[[Signal, random.Random], bytes]:
    """A request with some of all fields set, protobuf bytes."""
    return lambda signal, rng: bytes(fill(REQUESTS[signal](), rng).SerializeToString())


@pytest.fixture(scope="session")
def reference() -> Callable[[Signal, bytes], dict[str, list[Row]]]:
    return expected_rows


@pytest.fixture(scope="session")
def rows_of() -> Callable[[dict[str, pa.Table]], dict[str, list[Row]]]:
    return decoded_rows
