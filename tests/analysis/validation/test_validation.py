# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# (duckdb and pyarrow publish no types)
"""Inputs held against rules: those of a file as the SDK does it, those of a store by what it knows, with one result."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs

import infersight
from infersight import testing
from infersight_analysis import connect
from infersight_analysis.findings import Validation
from infersight_analysis.quality.reading import Chosen
from infersight_analysis.validation.given import validate_given
from infersight_analysis.validation.rules import InputRules
from infersight_analysis.validation.stored import validate_stored
from infersight_collector.decode import decode
from infersight_collector.signals import Signal
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

INPUTS: list[Any] = [
    "fine",
    "",
    "   ",
    "x" * 50,
    np.ones((1, 3), np.float32),
    np.array([[0.5, float("nan"), 0.5]]),
    np.array([[0.5, float("inf"), 0.5]]),
    np.array([[-2.0, 0.0, 7.0]]),
    np.zeros((0, 3)),
    [0.25, 0.5],
    [],
    {"age": 41, "name": "a"},
    {"age": None, "name": "a"},
    {"name": ""},
]

RULES = {
    "type": InputRules(types=("str", "dict")),
    "dtype": InputRules(dtype="float32"),
    "shape": InputRules(shape=(None, 3)),
    "range": InputRules(range=(0.0, 1.0)),
    "max_length": InputRules(max_length=10),
    "non_empty": InputRules(non_empty=True),
    "finite": InputRules(finite=True),
    "fields": InputRules(fields=("age", "name")),
}


def stored(path: Path, record: Callable[[], None]) -> Path:
    """A store of what is recorded, by the way that it takes through a collector."""
    with testing.capture() as captured:
        record()
    request = bytes(encode_logs(captured.logs).SerializeToString())
    Store.open(path).write(decode(Signal.LOGS, request), Origin("test", 1))
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def record() -> None:
        for place, value in enumerate(INPUTS):
            infersight.prediction(label=str(place), input=value, model="m")
        infersight.prediction(label="of nothing", model="other")
        with infersight.stage("request"):
            infersight.validate_input("x" * 30, name="comment", max_length=10, range=(0, 1))
        infersight.validate_input("x" * 20, name="comment", max_length=10)

    return stored(tmp_path_factory.mktemp("validation") / "store", record)


def validated(store: Path, rules: InputRules, chosen: Chosen = Chosen()) -> Validation:  # noqa: B008 - immutable
    with connect(store) as connection:
        return validate_stored(connection, rules, chosen)


@pytest.mark.parametrize("check", RULES)
def test_a_store_and_the_sdk_find_the_same_wherever_the_store_can_tell(check: str, store: Path) -> None:
    rules = RULES[check]
    (of_store,) = validated(store, rules).rules
    of_inputs = {place for place, value in enumerate(INPUTS) if validate_given([value], rules, "x").rules[0].broken}
    assert of_store.check == check
    assert of_store.judged + of_store.unknown == len(INPUTS)
    with connect(store) as connection:
        relation = connection.execute("select label::int from predictions where label <> 'of nothing'").fetchall()
        assert len(relation) == len(INPUTS)
        examples = [example.prediction_id for example in of_store.examples]
        found = {
            label
            for (label,) in connection.execute(
                "select label::int from predictions where list_contains($ids, prediction_id)", {"ids": examples}
            ).fetchall()
        }
    assert of_store.broken >= len(found) > 0
    assert found <= of_inputs
    if not of_store.unknown:
        assert of_store.broken == len(of_inputs)
    assert of_store.broken <= len(of_inputs)


def test_what_is_not_known_is_unknown_and_never_a_violation(store: Path) -> None:
    (finite,) = validated(store, RULES["finite"]).rules
    # texts, records and empty arrays have no numbers that were counted
    assert (finite.judged, finite.broken) == (6, 2)
    assert finite.unknown == len(INPUTS) - 6


def test_examples_say_what_was_found_and_their_sql_shows_them(store: Path) -> None:
    found = validated(store, InputRules(max_length=10, fields=("age",)))
    length = next(rule for rule in found.rules if rule.check == "max_length")
    assert [example.found for example in length.examples] == ["50"]
    with connect(store) as connection:
        rows = connection.execute(found.evidence.sql[0]).fetchall()
    assert rows[0][0] == length.examples[0].prediction_id


def test_what_services_reported_themselves_is_listed(store: Path) -> None:
    reported = validated(store, InputRules(non_empty=True)).reported
    said = [(each.input, each.check, each.expected, each.count, each.found) for each in reported]
    assert said == [("comment", "max_length", "at most 10", 2, "20"), ("comment", "range", "numbers", 1, "str")]
    assert [len(trace) for trace in reported[0].trace_ids] == [32]


def test_predictions_are_chosen_by_model(store: Path) -> None:
    assert validated(store, InputRules(non_empty=True), Chosen(model="m")).inputs == len(INPUTS)
    assert validated(store, InputRules(non_empty=True), Chosen(model="other")).inputs == 0


def test_of_large_inputs_it_is_said_that_a_sample_was_looked_at(tmp_path: Path) -> None:
    def record() -> None:
        infersight.prediction(input=np.zeros(100_000))

    path = stored(tmp_path / "store", record)
    found = validated(path, InputRules(range=(0.0, 1.0)))
    assert (found.inputs, found.sampled) == (1, 1)


def test_a_store_without_predictions_needs_more_data(tmp_path: Path, run: Any) -> None:
    Store.open(tmp_path / "store")
    outcome = run("model", "validate", "--store", tmp_path / "store")
    assert (outcome.code, outcome.json["inputs"]) == (3, 0)
    assert outcome.err == "need more data: of no input is enough known to judge it\n"


def test_the_command_judges_a_store_with_the_default_rules(store: Path, run: Any) -> None:
    outcome = run("model", "validate", "--store", store)
    assert outcome.code == 1
    broken = {rule["check"]: rule["broken"] for rule in outcome.json["rules"]}
    assert broken == {"non_empty": 4, "finite": 2}
    text = run("model", "validate", "--store", store, "--format", "table").out
    assert "4 of 14 inputs break the rule non_empty, 1 more of 2 rules by others" in text
    assert "reported by the services" in text


def test_the_command_judges_files(tmp_path: Path, run: Any) -> None:
    (tmp_path / "texts.txt").write_text("one\n\nthree\n")
    (tmp_path / "rows.csv").write_text("age,name\n41,a\n200,b\n,c\n")
    outcome = run("model", "validate", tmp_path / "texts.txt")
    assert outcome.code == 1
    (rule,) = outcome.json["rules"]
    assert (rule["check"], rule["broken"], rule["examples"][0]["place"]) == ("non_empty", 1, 2)
    assert run("model", "validate", tmp_path / "texts.txt", "--max-length", "5").code == 0
    ages = run("model", "validate", tmp_path / "rows.csv", "--column", "age", "--range", "0,120").json
    assert [(each["place"], each["found"]) for each in ages["rules"][0]["examples"]] == [
        (2, "200 to 200"),
        (3, "NoneType"),
    ]
    rows = run("model", "validate", tmp_path / "rows.csv", "--fields", "age,name", "--type", "dict").json
    assert {rule["check"]: rule["broken"] for rule in rows["rules"]} == {"fields": 1, "type": 0}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--range", "low,high"], "none such as 0,1"),
        (["--range", "1"], "none such as 0,1"),
        (["--shape", "x"], "any,3,224,224"),
        (["missing.txt"], "there is no file missing.txt"),
        (["missing.txt", "--service", "api"], "choose from a store"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], says: str, run: Any, tmp_path: Path) -> None:
    Store.open(tmp_path / "store")
    outcome = run("model", "validate", *arguments, "--store", tmp_path / "store")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    assert says in outcome.err


def test_nothing_is_reported_by_checking_a_file() -> None:
    with testing.capture() as captured:
        assert validate_given([""], InputRules(non_empty=True), "x").rules[0].broken == 1
    assert not captured.logs
