"""The order of rows is Arrow's, whatever way it is found."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

import random
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from infersight_collector.store.order import sort

START_NS = 1_772_359_200 * 10**9
KEYS = ("trace_id", "start_time_ns")

KIND = pa.struct([("a", pa.int64())])

Ids = Callable[[random.Random], str | None]

IDS: dict[str, Ids] = {
    "of traces": lambda chance: f"{chance.randrange(40) * 0x9E3779B97F4A7C15F39CC0605CEDC834 % 2**128:032x}",
    "all different": lambda chance: f"{chance.getrandbits(128):032x}",
    "that begin alike": lambda chance: f"{7:016x}{chance.randrange(5):016x}",
    "in capitals": lambda chance: f"{chance.getrandbits(128):032X}",
    "of other lengths": lambda chance: f"{chance.getrandbits(16):0{chance.choice([31, 32, 33])}x}",
    "of other letters": lambda chance: "".join(chance.choices("az0é", k=32)),
    "some absent": lambda chance: chance.choice([None, f"{chance.getrandbits(100) << 28:032x}"]),
    "all absent": lambda _chance: None,
    "names": lambda chance: chance.choice([None, "http.server.duration", "gpu.memory", "", "é", "http.server"]),
}
TIMES: dict[str, Callable[[random.Random], int | None]] = {
    "of an hour": lambda chance: START_NS + chance.randrange(3_600) * 10**9,
    "the same": lambda _chance: START_NS,
    "far apart": lambda chance: chance.choice([-(2**63), 0, START_NS, 2**63 - 1]),
    "some absent": lambda chance: chance.choice([None, START_NS]),
}


@pytest.mark.parametrize("ids", IDS)
@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("count", [0, 1, 300])
def test_rows_are_in_the_order_of_their_keys_and_equal_ones_in_their_own(ids: str, times: str, count: int) -> None:
    chance = random.Random(f"{ids} {times}")
    columns = {
        "trace_id": pa.array([IDS[ids](chance) for _ in range(count)], pa.string()),
        "start_time_ns": pa.array([TIMES[times](chance) for _ in range(count)], pa.int64()),
        "place": pa.array(range(count), pa.int64()),
        "nowhere": pa.nulls(count, pa.string()),
        "here and there": pa.array([chance.choice([None, {"a": number}]) for number in range(count)], KIND),
    }
    rows = pa.table(columns)
    expected = rows.take(pc.sort_indices(rows, sort_keys=[(key, "ascending") for key in KEYS]))
    assert sort(rows, KEYS).equals(expected)
    pieces = pa.concat_tables([rows.slice(0, count // 3), rows.slice(count // 3)])
    assert sort(pieces, KEYS).equals(expected)
    assert sort(rows.slice(count // 3), KEYS)["place"].to_pylist() == [
        place for place in expected["place"].to_pylist() if place >= count // 3
    ]
