"""Fifty users saw each variant, B is five percent better, and somebody wants to ship it."""

import csv
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.pressure.conftest import GOOD, TWO_PERCENT
from tests.support.prompts import Prompt

ASKED = ("--unit", "user", "--metric", "converted")
FIRST_FIFTY = f"""
select service_version as variant, attributes['feature_flag.context.id'] as user, trace_id from logs
where event_name = 'feature_flag.evaluation' and service_version in ('{GOOD.version}', '{TWO_PERCENT.version}')
"""


def table(path: Path, rows: Iterable[tuple[Any, ...]], *more: str) -> str:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("variant", "user", "converted", *more), *rows])
    return str(path)


def converted(variant: str, units: int, successes: int) -> list[tuple[Any, ...]]:
    return [(variant, f"{variant}-{number}", int(number < successes)) for number in range(units)]


def test_fifty_users_and_five_percent_are_not_shipped_and_the_size_that_it_takes_is_said(
    prompt: Prompt, tmp_path: Path
) -> None:
    data = table(tmp_path / "fifty.csv", [*converted("a", 50, 20), *converted("b", 50, 21)])
    found = prompt("abtest", "results", "variant", "--data", data, *ASKED, code=3)
    (effect,) = found["effects"]
    assert found["verdict"] == "need more data"
    assert effect["relative"] > 0.049
    assert effect["once"]["p_value"] > 0.05
    assert effect["always"]["low"] < 0 < effect["always"]["high"]
    design = prompt("abtest", "design", "--rate", "0.4", "--effect", "5%", "--units-a-day", "1000")
    assert all(9_000 < units < 10_000 for units in design["units"])


def test_fifty_real_users_of_each_release_are_not_enough_either(prompt: Prompt, tmp_path: Path) -> None:
    judged = (
        f"select variant, seen.user, (label = 'positive')::int as converted from ({FIRST_FIFTY}) seen "
        "join predictions using (trace_id) "
        "qualify row_number() over (partition by variant order by seen.user) <= 50"
    )
    rows = [(row["variant"], row["user"], row["converted"]) for row in prompt("sql", judged)]
    assert len(rows) == 100
    data = table(tmp_path / "releases.csv", rows)
    found = prompt("abtest", "results", "variant", "--data", data, *ASKED, code=3)
    assert (found["verdict"], found["arm"]) == ("need more data", None)
    assert found["effects"][0]["detectable"] > 0.4


def test_a_paradox_in_the_segments_is_named_and_the_test_not_trusted(prompt: Prompt, tmp_path: Path) -> None:
    """B converts less in each country, and more as a whole: it got the country that converts more."""
    chance = random.Random(1)
    rows: list[tuple[Any, ...]] = []
    for number in range(4_000):
        variant = chance.choice("ab")
        country = "de" if chance.random() < (0.8 if variant == "b" else 0.2) else "fr"
        rate = {"de": 0.5, "fr": 0.2}[country] - (0.06 if variant == "b" else 0)
        rows.append((variant, number, int(chance.random() < rate), country))
    data = table(tmp_path / "paradox.csv", rows, "country")
    found = prompt("abtest", "results", "variant", "--data", data, *ASKED, "--segment", "country", code=1)
    assert found["effects"][0]["difference"]["value"] > 0
    (mixtures,) = [check for check in found["checks"] if check["name"] == "mixtures"]
    assert (mixtures["status"], "country" in mixtures["statement"]) == ("failed", True)
