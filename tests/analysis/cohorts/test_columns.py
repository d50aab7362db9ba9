"""Columns as arrays: which values are frequent, and which row has which."""

import duckdb
import numpy as np
import numpy.typing as npt
import pytest

from infersight_analysis.cohorts.columns import NO_VALUE, codes_of, frequent, hash_of

RNG = np.random.default_rng(5)


def hashes(rows: int, distinct: int) -> npt.NDArray[np.uint64]:
    """Hashes of values, the first of which are the most frequent."""
    known = RNG.integers(1, 1 << 63, distinct, np.uint64)
    chosen = (distinct * RNG.random(rows) ** 3).astype(np.int64)
    return known[chosen]


COLUMNS = {
    "few values": hashes(5_000, 12),
    "more values than a table tells apart": hashes(60_000, 20_000),
    "identifiers": RNG.integers(1, 1 << 63, 30_000, np.uint64),
    "identifiers beside a few values": np.concatenate([hashes(5_000, 30), RNG.integers(1, 1 << 63, 9_000, np.uint64)]),
    "small numbers": RNG.integers(1, 9, 4_000).astype(np.uint64),
    "both zeros": np.tile([0.0, -0.0, 1.5, -2.0], 50),
    "one value": np.full(10, 7, np.uint64),
    "nothing": np.zeros(0, np.uint64),
}


@pytest.mark.parametrize("least", [1, 3, 40])
@pytest.mark.parametrize("name", COLUMNS)
def test_the_frequent_values_are_those_that_occur_often_enough(name: str, least: int) -> None:
    values = COLUMNS[name]
    distinct, counts = np.unique(values, return_counts=True)
    often = distinct[counts >= least]
    rows, codes, found = frequent(values, least)
    assert found.tolist() == often.tolist()
    assert np.arange(len(values))[rows].tolist() == np.flatnonzero(np.isin(values, often)).tolist()
    assert found[codes].tolist() == values[rows].tolist()


@pytest.mark.parametrize("name", COLUMNS)
def test_codes_stand_for_the_values_of_all_rows(name: str) -> None:
    values = np.repeat(COLUMNS[name], 2)
    codes, distinct = codes_of(values)
    assert distinct.tolist() == np.unique(values).tolist()
    assert distinct[codes].tolist() == values.tolist()


def test_no_value_is_the_hash_of_null_and_of_nothing_else_that_is_common() -> None:
    types = ("varchar", "bigint", "boolean", "double", "varchar[]", "json")
    nulls = ", ".join(f"{hash_of(f'null::{kind}')}" for kind in types)
    values = ", ".join(hash_of(text) for text in ("0", "1", "-1", "false", "true", "''", "0.0", "'[]'::json"))
    with duckdb.connect() as connection:
        assert set(connection.execute(f"select {nulls}").fetchall()[0]) == {int(NO_VALUE)}
        assert int(NO_VALUE) not in connection.execute(f"select {values}").fetchall()[0]
