"""A model in production that is wrong on capitals: found by its mistakes, and by asking it otherwise, until mended."""

import json
from collections.abc import Generator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from tests.support.collectors import RunningCollector, wait_until
from tests.support.reviews import Candidate, load, serving

from infersight_analysis import cli
from infersight_analysis.demo.lexicon import NEGATIVE, POSITIVE

BASELINE = Candidate("1.0.0", seconds=0)
WRONG = Candidate("2.0.0", regressions=("all-caps",), seconds=0, requests=400, explains=0, captures=True)


@dataclass(frozen=True)
class Production:
    """Two versions that serve, and the store of what the wrong one predicted."""

    store: Path
    baseline: str
    wrong: str


def ask(*arguments: str | Path) -> tuple[int, Any]:
    """Exit code and answer of a verb."""
    with redirect_stdout(StringIO()) as printed, redirect_stderr(StringIO()) as said:
        code = cli.run(["model", *map(str, arguments), "--format", "json"])
    assert code in (0, 1, 3), said.getvalue()
    return code, json.loads(printed.getvalue())


@pytest.fixture(scope="module")
def production(collector: RunningCollector, tmp_path_factory: pytest.TempPathFactory) -> Generator[Production]:
    with serving(collector, tmp_path_factory.mktemp("servers"), [BASELINE, WRONG]) as (baseline, wrong):
        load([wrong], [WRONG], 3)

        def is_judged() -> bool:
            _, found = ask("errors", "--service", "reviews", "--store", collector.store)
            return bool(found["wrong"]["of"] == WRONG.requests)

        wait_until(is_judged, 60)
        addresses = (f"http://127.0.0.1:{port}/predict" for port in (baseline, wrong))
        yield Production(collector.store, *addresses)


WORDS = (*POSITIVE[:2], *NEGATIVE[:2])
ASKED = ("--input-at", "text", "--request", '{"user": "a test"}')


def test_mistakes_of_production_are_asked_again_until_they_are_mended(production: Production, tmp_path: Path) -> None:
    file = tmp_path / "mistakes.jsonl"
    ask("errors", "--service", "reviews", "--store", production.store, "--write-regressions", file)
    code, found = ask("regress", file, production.wrong, *ASKED)
    assert (code, found["fixed"], found["without_input"]) == (1, 0, 0)
    assert found["still_wrong"] == found["asked"] > 20
    code, found = ask("regress", file, production.baseline, *ASKED)
    assert (code, found["fixed"]) == (0, found["asked"])


def test_asked_in_capitals_the_model_says_something_else_and_the_traces_show_it(
    production: Production, tmp_path: Path
) -> None:
    texts = tmp_path / "texts.txt"
    texts.write_text("".join(f"the food was {word} and the staff too\n" for word in WORDS))
    code, found = ask("robustness", production.wrong, *ASKED, "--input", texts, "--fail-under", "0.9")
    worst = found["variations"][0]
    assert (code, worst["variation"], worst["same"], worst["inputs"]) == (1, "case.upper", 2, 4)
    assert found["repeated"]["differing"] == 0
    _, of_varied = worst["examples"][0]["trace_ids"]
    query = f"select label, attributes['infersight.input.value'] from predictions where trace_id = '{of_varied}'"

    def seen() -> list[Any]:
        with redirect_stdout(StringIO()) as printed:
            assert cli.run(["sql", query, "--store", str(production.store), "--format", "json"]) == 0
        rows: list[Any] = json.loads(printed.getvalue())
        return rows

    (row,) = wait_until(seen, 60)
    assert list(row.values()) == [worst["examples"][0]["varied_label"], worst["examples"][0]["varied"]]
    code, found = ask("robustness", production.baseline, *ASKED, "--input", texts, "--variation", "case")
    assert all(each["rate"] == 1 for each in found["variations"])


def test_authors_in_capitals_are_a_group_that_is_treated_otherwise(production: Production) -> None:
    asked = ("--service", "reviews", "--model-version", WRONG.version, "--store", production.store)
    code, found = ask("fairness", "--by", "infersight.input.case", "--positive", "positive", *asked)
    assert (code, found["reference"]) == (1, "lower")
    (capitals,) = [
        each for each in found["rates"] if (each["measure"], each["group"]) == ("true_positive_rate", "upper")
    ]
    assert (capitals["verdict"], capitals["count"]) == ("differs", 0)


def test_inputs_of_production_are_held_against_rules_without_reading_them(production: Production) -> None:
    asked = ("--service", "reviews", "--store", production.store)
    code, found = ask("validate", "--type", "str", "--non-empty", "--max-length", "1000", *asked)
    assert (code, {rule["broken"] for rule in found["rules"]}) == (0, {0})
    code, found = ask("validate", "--max-length", "60", *asked)
    assert (code, found["rules"][0]["broken"] > 0) == (1, True)
