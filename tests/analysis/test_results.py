import json

import duckdb
import pytest

from infersight_analysis.results import run


def value(expression: str) -> object:
    with duckdb.connect() as connection:
        (row,) = run(connection, f"select {expression} as x").rows
    return json.loads(json.dumps(row[0], allow_nan=False))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("9223372036854775807", 9223372036854775807),
        ("18446744073709551615::ubigint", 18446744073709551615),
        ("99999999999999999999999999999999999999::hugeint", 99999999999999999999999999999999999999),
        ("sum(1)", 1),
        ("1.50::decimal(10, 2)", 1.5),
        ("0.1234567890123456789::decimal(30, 19)", "0.1234567890123456789"),
        ("0.1::double", 0.1),
        ("'nan'::double", "NaN"),
        ("'-inf'::double", "-Infinity"),
        ("make_timestamp_ns(1700000000123456789)", "2023-11-14T22:13:20.123456789Z"),
        ("timestamp '1969-12-31 23:59:59.5'", "1969-12-31T23:59:59.500000000Z"),
        ("timestamptz '2026-01-01 00:00:00+00'", "2026-01-01T00:00:00.000000000Z"),
        ("date '2026-02-28'", "2026-02-28"),
        ("time '12:34:56.789'", "12:34:56.789"),
        ("'\\xFF\\x00'::blob", "/wA="),
        ("true", True),
        ("null", None),
        ("'naïve 🔥'", "naïve 🔥"),
        ("'a'::enum('a', 'b')", "a"),
        ("'9b2dd0f0-0000-4000-8000-000000000000'::uuid", "9b2dd0f0-0000-4000-8000-000000000000"),
        ("'[1, {\"k\": 12345678901234567890}]'::json", [1, {"k": 12345678901234567890}]),
        ("[1, null, 3]", [1, None, 3]),
        ("[]::integer[]", []),
        ("[1, 2]::integer[2]", [1, 2]),
        ("null::integer[]", None),
        ("{'a.b': 1, 'j': '[1]'::json}", {"a.b": 1, "j": [1]}),
        ("{'t': make_timestamp_ns(1)}", {"t": "1970-01-01T00:00:00.000000001Z"}),
        ("null::struct(a integer)", None),
        ("timestamp 'infinity'", "infinity"),
        ("timestamp '0044-03-15 (BC) 12:00:00'", "0044-03-15 (BC) 12:00:00"),
        ("interval 90 minutes", "01:30:00"),
        ("{'a': [1, 2]}::variant", {"a": [1, 2]}),
        ("[timestamp '2026-01-01 00:00:00', null]", ["2026-01-01T00:00:00.000000000Z", None]),
        ("map {'k': 'inf'::double}", {"k": "Infinity"}),
        ("map {1: [{'a': 1}]}", {"1": [{"a": 1}]}),
        ("[{'e': [1, 2]}, null]", [{"e": [1, 2]}, None]),
    ],
)  # fmt: skip
def test_each_type_of_value_is_said_exactly(expression: str, expected: object) -> None:
    assert value(expression) == expected


def test_nested_values_of_many_rows_stay_with_their_rows() -> None:
    query = (
        "select i, case when i % 3 > 0 then [i, i + 1] end as l, case when i % 2 > 0 then map {i: i} end as m, "
        "case when i % 5 > 0 then {'a': i} end as s from range(25000) t(i)"
    )
    with duckdb.connect() as connection:
        rows = list(run(connection, query).rows)
    assert len(rows) == 25_000
    for i, numbers, mapping, struct in rows:
        assert numbers == ([i, i + 1] if i % 3 else None)
        assert mapping == ({str(i): i} if i % 2 else None)
        assert struct == ({"a": i} if i % 5 else None)


def test_columns_of_one_name_are_told_apart() -> None:
    with duckdb.connect() as connection:
        result = run(connection, "select 1 as a, 2 as a_1, 3 as a, 4 as a")
        assert list(result.objects()) == [{"a": 1, "a_1": 2, "a_2": 3, "a_3": 4}]


def test_an_explanation_is_a_result_too() -> None:
    with duckdb.connect() as connection:
        assert "Projection" in str(list(run(connection, "explain select 1").rows))
