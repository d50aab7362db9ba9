# pyright: reportUnknownMemberType=false
# (pytest leaves an argument untyped)
"""Models with planted weaknesses: what is found, what is chance, what failed, and what is left after an interrupt."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from tests.support.collectors import wait_until
from tests.support.model_endpoint import served

from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import Robustness, VariationResult
from infersight_analysis.models.model import Model
from infersight_analysis.robustness.robustness import measured_robustness
from infersight_analysis.stats.proportions import wilson

INFERSIGHT = str(Path(sys.executable).with_name("infersight"))
TEXTS = [
    f"{adjective} {noun} today"
    for adjective in ("good", "bad", "slow", "fine")
    for noun in ("service", "answer", "trip")
]


def classify(text: str) -> dict[str, Any]:
    """Right on usual text, wrong and sure of it on capitals."""
    if text.isupper():
        return {"label": "positive", "confidence": 0.99}
    is_negative = any(word in text.lower() for word in ("bad", "slow"))
    return {"label": "negative" if is_negative else "positive", "confidence": 0.8}


def measured(model: Callable[[Any], Any], inputs: list[Any], batch_size: int | None = None, **asked: Any) -> Robustness:
    return measured_robustness(Model(model, "m", batch_size=batch_size), inputs, **asked)[0]


def result(found: Robustness, name: str) -> VariationResult:
    return next(each for each in found.variations if each.variation == name)


def test_the_planted_weakness_is_first_with_its_pairs_and_the_rest_is_consistent() -> None:
    found = measured(classify, TEXTS, variations=["case", "whitespace", "punctuation", "batch"])
    worst = found.variations[0]
    assert (worst.variation, worst.inputs, worst.same) == ("case.upper", 12, 6)
    assert (worst.low, worst.high) == wilson(6, 12)
    first = worst.examples[0]
    assert (first.input, first.varied) == ("bad service today", "BAD SERVICE TODAY")
    assert (first.label, first.score, first.varied_label, first.varied_score) == ("negative", 0.8, "positive", 0.99)
    assert all(each.rate == 1 for each in found.variations[1:])
    assert found.statement == "1 of 7 variations change answers, case.upper most: 6 of 12"
    assert found.not_varied == ["case.lower", "whitespace.collapsed", "punctuation.removed", "punctuation.typographic"]


def test_the_same_seed_gives_the_same_finding() -> None:
    assert measured(classify, TEXTS, seed=3) == measured(classify, TEXTS, seed=3)
    typos = ["typos.swapped"]
    one, other = (measured(lambda text: text, TEXTS, seed=seed, variations=typos).variations[0] for seed in (1, 2))
    assert [each.varied for each in one.examples] != [each.varied for each in other.examples]


def test_a_model_that_answers_by_chance_is_nondeterministic_and_not_fragile() -> None:
    chance = random.Random(1)
    found = measured(lambda _: chance.choice("ab"), TEXTS, times=8)
    assert found.repeated.differing == 12
    assert found.repeated.examples[0].label != found.repeated.examples[0].varied_label
    assert found.variations == []
    assert found.not_varied == []
    assert "12 of 12 inputs got different answers when asked again" in found.statement


def test_rare_chance_is_unsure_and_does_not_count_against_a_variation() -> None:
    """One call in thirty is wrong: what differs is asked again, so nearly nothing is held against the variations."""
    chance = random.Random(5)
    found = measured(lambda _: chance.random() < 1 / 30, [f"text {number}" for number in range(150)], times=2)
    differing = sum(each.inputs - each.same for each in found.variations)
    unsure = sum(each.unsure for each in found.variations)
    assert unsure > 60
    assert differing < unsure / 20


def test_scores_that_jitter_are_the_same_answer() -> None:
    chance = random.Random(1)
    found = measured(lambda _: {"label": "a", "score": 0.5 + chance.random() / 1e6}, TEXTS[:2])
    assert found.repeated.differing == 0


def test_numbers_need_a_tolerance_and_are_judged_by_it() -> None:
    rows = [{"x": 1.0 + number / 10, "kind": "a"} for number in range(10)]
    with pytest.raises(AnalysisError, match="--tolerance"):
        measured(lambda row: 2 * row["x"], rows)
    found = measured(lambda row: 2 * row["x"], rows, tolerance=0.15, variations=["scale.up", "noise"])
    assert result(found, "scale.up").same == 5  # a twentieth of twice 1.0 to 1.5 is 0.15 at most
    assert result(found, "noise").same == 10


def test_arrays_are_varied_in_value_and_type() -> None:
    images = [np.full((2, 2), value, np.float32) for value in (0.1, 0.5, 0.96)]
    found = measured(lambda image: int(image.mean() > 1.0), images, variations=["scale", "dtype", "missing"])
    assert (result(found, "scale.up").inputs, result(found, "scale.up").same) == (3, 2)
    assert result(found, "dtype.float16").same == 3
    assert result(found, "dtype.list").failures == {"AttributeError": 3}
    assert result(found, "dtype.list").rate is None
    assert result(found, "missing.nan").same == 3  # NaN is above nothing


def test_what_fails_is_counted_apart_with_its_reason() -> None:
    def strict(row: dict[str, Any]) -> str:
        return "old" if row["age"] > 40 else "young"

    found = measured(strict, [{"age": 41}, {"age": 20}], variations=["missing", "dtype.text"])
    absent = result(found, "missing.absent")
    assert (absent.inputs, absent.failed, absent.rate, absent.failures) == (0, 2, None, {"KeyError": 2})
    assert result(found, "dtype.text").failures == {"TypeError": 2}
    assert "6 calls failed" in found.statement


def test_answers_that_depend_on_the_batch_are_found() -> None:
    def normalised(batch: list[float]) -> list[str]:
        """As a batch norm in training mode does: judged by the others."""
        mean = sum(batch) / len(batch)
        return ["high" if value > mean else "low" for value in batch]

    found = measured(normalised, [float(number % 7) for number in range(12)], batch_size=2, variations=["batch"])
    assert found.repeated.differing == 0
    alone = result(found, "batch.alone")
    assert (alone.inputs, alone.same) == (12, 6)  # alone, nothing is above the mean
    assert result(found, "batch.order").same < 12


def test_a_model_that_remembers_is_found_by_another_order() -> None:
    calls: list[str] = []

    def every_twelfth(text: str) -> bool:
        calls.append(text)
        return len(calls) % len(TEXTS) == 0

    assert result(measured(every_twelfth, TEXTS, variations=["batch.order"]), "batch.order").same == 10


def test_what_a_model_prints_stays_out_of_the_report(tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "chatty_model.py").write_text("def classify(text):\n    print('predicting')\n    return text\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    outcome = run("model", "robustness", "chatty_model:classify", "--input", "a text", "--variation", "case")
    assert outcome.json["repeated"]["inputs"] == 1
    assert "predicting" in outcome.err


def test_no_answer_at_all_is_one_line() -> None:
    def broken(_: str) -> str:
        raise RuntimeError("no weights")

    with pytest.raises(AnalysisError, match="no input got an answer, of 36 calls: RuntimeError: no weights"):
        measured(broken, TEXTS)


class Body(BaseModel):
    text: str


@pytest.fixture(scope="module")
def address() -> Generator[str]:
    app = FastAPI()

    @app.post("/predict")
    def predict(body: Body) -> dict[str, Any]:
        if body.text.startswith(" "):
            raise HTTPException(503, "overloaded")
        return classify(body.text)

    with served(app) as found:
        yield found


def ask(run: Any, address: str, *more: str) -> Any:
    asked = ["--input-at", "text", "--input", "bad service", "--input", "good trip"]
    return run("model", "robustness", f"{address}/predict", *asked, *more)


def test_an_endpoint_s_failures_are_counted_by_status_and_its_traces_are_evidence(run: Any, address: str) -> None:
    answer = ask(run, address, "--variation", "case", "--variation", "whitespace").json
    upper = answer["variations"][1]
    assert (upper["variation"], upper["same"], upper["inputs"]) == ("case.upper", 1, 2)
    traces = upper["examples"][0]["trace_ids"]
    assert len(traces) == 2
    assert all(len(trace) == 32 for trace in traces)
    assert answer["evidence"]["trace_ids"] == traces
    assert traces[0] in answer["evidence"]["sql"][0]
    around = answer["variations"][0]
    assert (around["variation"], around["failed"], around["failures"]) == ("whitespace.around", 2, {"HTTP 503": 2})


def test_the_exit_code_says_whether_enough_is_consistent_and_answered(run: Any, address: str) -> None:
    assert ask(run, address, "--variation", "case").code == 0
    assert ask(run, address, "--variation", "case", "--fail-under", "0.5").code == 0
    outcome = ask(run, address, "--variation", "case", "--fail-under", "0.6")
    assert (outcome.code, outcome.err) == (1, "less than 0.6 under case.upper\n")
    assert ask(run, address, "--variation", "whitespace.around", "--fail-under", "0.5").code == 1
    assert ask(run, address, "--variation", "whitespace.doubled", "--fail-under", "1").code == 0


def test_an_endpoint_that_is_asked_wrongly_says_what_it_said(run: Any, address: str) -> None:
    outcome = run("model", "robustness", f"{address}/predict", "--input", "bad service")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("no input got an answer, of 3 calls: HTTP 422:")
    assert outcome.err.count("\n") == 1


def test_variants_with_another_answer_become_a_regression_set(run: Any, address: str, tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    ask(run, address, "--variation", "case", "--write-regressions", str(file))
    (line,) = map(json.loads, file.read_text().splitlines())
    trace = line.pop("trace_id")
    assert len(trace) == 32
    assert line == {
        "input": "BAD SERVICE",
        "label_true": "negative",
        "label": "positive",
        "confidence": 0.99,
        "prediction_id": None,
        "slice": "case.upper",
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["classify"], "neither module:callable"),
        (["http://127.0.0.1:9/x", "--request", "{"], "--request is no JSON"),
        (["http://127.0.0.1:9/x", "--header", "token"], "'NAME: VALUE'"),
        (["http://127.0.0.1:9/x", "--input-at", "a["], "is no path"),
        (["http://127.0.0.1:9/x", "--variation", "x"], "no variation 'x'"),
        (["http://127.0.0.1:9/x"], "no input got an answer, of 3 calls: unreachable"),
        (["http://127.0.0.1:9/x", "--input", "missing.csv"], "there is no file missing.csv"),
    ],
)
def test_a_mistake_is_one_line(run: Any, arguments: list[str], says: str) -> None:
    outcome = run("model", "robustness", *arguments, "--input", "x")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    assert says in outcome.err


def test_an_interrupt_keeps_what_was_measured(tmp_path: Path) -> None:
    """The model stops answering in the middle; Ctrl-C is heard although it hangs."""
    (tmp_path / "slow_model.py").write_text(
        "import pathlib, time\n"
        "def classify(text):\n"
        "    if text.startswith('  '):\n"
        "        pathlib.Path('hangs').touch()\n"
        "        time.sleep(60)\n"
        "    return text.lower()\n"
    )
    (tmp_path / "texts.txt").write_text("one two\nthree four\n")
    command = [INFERSIGHT, "model", "robustness", "slow_model:classify", "--input", "texts.txt", "--timeout", "1m"]
    # Where tests run in the background, children are told to ignore the signal.
    process = subprocess.Popen(
        [*command, "--variation", "case", "--variation", "whitespace"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,  # noqa: PLW1509
    )
    wait_until((tmp_path / "hangs").exists, 60)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    answer = json.loads(out)
    assert answer["stopped"] == "interrupted"
    assert {each["variation"] for each in answer["variations"]} == {"case.upper", "case.title", "whitespace.doubled"}
    assert (answer["repeated"]["inputs"], answer["repeated"]["times"]) == (2, 3)


def test_a_model_that_goes_away_ends_it_with_what_was_measured() -> None:
    over = threading.Event()

    def until_a_stop(text: str) -> str:
        if text.endswith("."):
            over.wait(30)
        return "a"

    model = Model(until_a_stop, "m", timeout_s=0.5)
    found, _ = measured_robustness(model, TEXTS, variations=["case.upper", "punctuation", "truncation"])
    over.set()
    assert found.stopped == "5 calls in a row without an answer: timed out: no answer within 0.5 s"
    assert [each.variation for each in found.variations] == ["punctuation.final_stop", "case.upper"]
    assert found.variations[0].failures == {"timed out": 4}
    assert found.variations[1].same == 12
