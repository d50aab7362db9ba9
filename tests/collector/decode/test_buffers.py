"""Arrow arrays of what a walk has found."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyarrow publishes no types.

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from infersight_collector.decode.buffers import double_array, int_array


@pytest.mark.parametrize("rows", [0, 1, 2, 100])
@pytest.mark.parametrize("build", [int_array, double_array])
def test_an_array_does_not_keep_the_walk_alive_that_it_was_taken_from(
    build: Callable[[Any, Any], Any], rows: int
) -> None:
    slots = np.arange(1000 * rows)
    array = build(slots.reshape(rows, 1000)[:, 7], np.ones(rows, np.bool_))
    watched = weakref.ref(slots)
    del slots
    assert watched() is None
    assert len(array) == rows
