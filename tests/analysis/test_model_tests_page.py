# pyright: reportUnknownMemberType=false
# (pytest leaves an argument untyped)
"""The examples of the page on testing a model, run as they are printed."""

import random
import shlex
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from tests.analysis.recording import MS, SECOND, Recording
from tests.support.model_endpoint import served
from tests.support.pages import examples

PAGE = Path(__file__).parents[2] / "analysis" / "docs" / "model-tests.md"
COMMANDS = [line for block in examples(PAGE, "sh") for line in block.splitlines()]
CODES = {"robustness": {0, 1}, "regress": {1}, "fairness": {0, 1}, "validate": {0, 1}}

APPLICATION = """
def classify(text):
    if text.isupper():
        return {"label": "positive", "confidence": 0.97}
    is_negative = any(word in text.lower() for word in ("bad", "slow", "broken"))
    return {"label": "negative" if is_negative else "positive", "confidence": 0.9}


def score(record):
    return 0.02 * record["amount"] + (1.0 if record["country"] == "de" else 0.5)
"""


class Body(BaseModel):
    text: str


@pytest.fixture(scope="module")
def address() -> Generator[str]:
    app = FastAPI()
    known: dict[str, Any] = {}
    exec(APPLICATION, known)

    @app.post("/predict")
    def predict(body: Body) -> Any:
        return known["classify"](body.text)

    with served(app) as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the examples name: a model, inputs, mistakes, decisions, a store."""
    path = tmp_path_factory.mktemp("page")
    (path / "app.py").write_text(APPLICATION)
    adjectives, nouns = ("good", "bad", "slow", "fine"), ("service", "answer", "trip")
    (path / "texts.txt").write_text("".join(f"{one} {other}, today\n" for one in adjectives for other in nouns))
    amounts = [f"{number * 2.3 + 5:.2f},{'de' if number % 2 else 'fr'}\n" for number in range(40)]
    (path / "rows.csv").write_text("amount,country\n" + "".join(amounts))
    (path / "mistakes.jsonl").write_text('{"input": "SO SLOW", "label_true": "negative", "label": "positive"}\n')
    chance = random.Random(1)
    rows = ["label,label_true,sex,age\n"]
    recording = Recording()
    for number in range(1, 601):
        sex, right = chance.choice(["men", "women"]), chance.choice(["yes", "no"])
        said = right if sex == "men" or chance.random() < 0.7 else "no"
        rows.append(f"{said},{right},{sex},{chance.randint(18, 80)}\n")
        caller = {"user.country": "de" if sex == "men" else "fr"}
        recording.span(number, 1, "POST /score", number * SECOND, MS, kind="SERVER", attributes=caller)
        label = "approved" if said == "yes" else "refused"
        facts = {"infersight.prediction.label": label, "infersight.input.type": "str", "infersight.input.length": 4}
        recording.log(number * SECOND, "scored", trace=number, event_name="infersight.prediction", attributes=facts)
    (path / "decisions.csv").write_text("".join(rows))
    recording.write(path / "infersight-store")
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_of_the_page_work(
    command: str, folder: Path, address: str, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    words = [word.replace("http://127.0.0.1:8000", address) for word in shlex.split(command)[1:]]
    if "--last" in words:
        at = words.index("--last")
        words = [*words[:at], *words[at + 2 :], "--store", str(folder / "infersight-store")]
    outcome = run(*words)
    assert outcome.code in CODES[words[1]], outcome.err
    assert outcome.json
    assert run(*words, "--format", "table").out


def test_the_example_in_python_works(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = examples(PAGE, "python")
    exec(code, {})
    assert capsys.readouterr().out.splitlines() == [
        "2 of 2 variations change answers, case.upper most: 1 of 2",
        "positive rate of women: 0.0%, -100.0 points beside men (-100.0 to -94.8), and 2 more",
        "1 of 2 inputs break the rule non_empty",
    ]
