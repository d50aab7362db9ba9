"""How the points of metric series are read, wherever they are read."""

import duckdb
import pytest
from tests.analysis.recording import MS, Recording

from infersight_analysis import connect

S = 10**9
Point = tuple[int, int | None, float | None, float | None, int | None]
"""Time and start in seconds, value, sum, count."""


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    recording = Recording()
    recording.span(1, 1, "one", 0, MS)
    return connect(recording.write(tmp_path_factory.mktemp("readings") / "store"))


def reading(
    connection: duckdb.DuckDBPyConnection, kind: str, point: Point, earlier: Point | None, *, is_delta: bool = False
) -> float | None:
    sql = f"select stored.metric_reading('{kind}', {is_delta}, {struct(point)}, {struct(earlier)})"
    ((number,),) = connection.execute(sql).fetchall()
    return None if number is None else float(number)


def struct(point: Point | None) -> str:
    if point is None:
        return f"if(true, null, {struct((0, 0, 0, 0, 0))})"
    time, start, *facts = point
    start_ns = "null" if start is None else start * S
    value, total, count = ("null" if fact is None else fact for fact in facts)
    return (
        f"struct_pack(time_ns := {time * S}::bigint, start_time_ns := {start_ns}::bigint, "
        f"value := {value}::double, sum := {total}::double, count := {count}::bigint)"
    )


@pytest.mark.parametrize(
    ("type_", "is_monotonic", "kind"),
    [
        ("gauge", "null", "value"),
        ("sum", "false", "value"),
        ("sum", "null", "value"),
        ("sum", "true", "rate"),
        ("histogram", "null", "mean"),
        ("exponential_histogram", "null", "mean"),
        ("summary", "null", "mean"),
    ],
)
def test_what_a_metric_is_read_as(
    connection: duckdb.DuckDBPyConnection, type_: str, is_monotonic: str, kind: str
) -> None:
    assert connection.execute(f"select stored.reading_kind('{type_}', {is_monotonic})").fetchall() == [(kind,)]


def test_a_gauge_is_its_value(connection: duckdb.DuckDBPyConnection) -> None:
    assert reading(connection, "value", (10, None, 7, None, None), None) == 7


@pytest.mark.parametrize(
    ("point", "earlier", "rate"),
    [
        ((20, 1, 50, None, None), (10, 1, 30, None, None), 2),
        ((20, None, 50, None, None), (10, None, 30, None, None), 2),
        ((20, 1, 50, None, None), None, None),  # how long that took is not said
        ((20, 1, 30, None, None), (10, 1, 50, None, None), 3),  # it fell: 30 since it was read
        ((20, 15, 50, None, None), (10, 1, 30, None, None), 10),  # it began anew: 50 since then
        ((20, 1, 30, None, None), (20, 1, 30, None, None), None),  # the same point twice
    ],
)
def test_a_cumulative_counter_is_what_came_since_the_point_before(
    connection: duckdb.DuckDBPyConnection, point: Point, earlier: Point | None, rate: float | None
) -> None:
    assert reading(connection, "rate", point, earlier) == rate
    counted: list[Point | None] = [None if one is None else (*one[:2], None, 1.0, one[2]) for one in (point, earlier)]  # type: ignore[misc] # whole numbers
    assert counted[0] is not None
    assert reading(connection, "count", counted[0], counted[1]) == rate


@pytest.mark.parametrize(
    ("point", "earlier", "rate"),
    [
        ((20, 10, 50, None, None), (10, 5, 90, None, None), 5),
        ((20, 10, 50, None, None), None, 5),
        ((20, 0, 50, None, None), (10, 0, 90, None, None), 5),  # 0 is no start
        ((20, None, 50, None, None), None, None),
    ],
)
def test_a_delta_is_over_the_time_that_it_says_or_since_the_point_before(
    connection: duckdb.DuckDBPyConnection, point: Point, earlier: Point | None, rate: float | None
) -> None:
    assert reading(connection, "rate", point, earlier, is_delta=True) == rate


@pytest.mark.parametrize(
    ("point", "earlier", "is_delta", "mean"),
    [
        ((20, 1, None, 90, 30), (10, 1, None, 30, 10), False, 3),
        ((20, 1, None, 90, 30), (10, 1, None, 90, 30), False, None),  # nothing came
        ((20, 1, None, 90, 30), None, False, None),
        ((20, 15, None, 40, 10), (10, 1, None, 90, 30), False, 4),
        ((20, 1, None, 40, 10), (10, 1, None, 90, 30), False, 4),
        ((20, 10, None, 40, 10), (10, 1, None, 90, 30), True, 4),
        ((20, 10, None, 0, 0), None, True, None),
    ],
)
def test_a_histogram_is_the_mean_of_what_came_since_the_point_before(
    connection: duckdb.DuckDBPyConnection, point: Point, earlier: Point | None, *, is_delta: bool, mean: float | None
) -> None:
    assert reading(connection, "mean", point, earlier, is_delta=is_delta) == mean
