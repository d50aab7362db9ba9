"""The examples of the page about `infersight rootcause`, run."""

import json
import re
import shlex
from pathlib import Path

import pytest
from tests.analysis.conftest import Run
from tests.analysis.rootcause.incidents import CALLS, Shop, fails
from tests.support.pages import examples

from infersight_analysis.findings import RootCause, Sign, Suspect

PAGE = Path(__file__).parents[3] / "analysis" / "docs" / "rootcause.md"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The incident of the page."""
    shop = Shop(fails("payments")).requests(240, 60)
    for service in CALLS:
        shop.gauge(service, "process.cpu.utilization", 0.2, 0.2)
    directory = tmp_path_factory.mktemp("page")
    (directory / "graph.json").write_text(json.dumps({"edges": [["gateway", "orders"]]}))
    return shop.write(directory / "infersight-store")


def test_the_commands_are_understood(store: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(store.parent)
    commands = examples(PAGE, "sh")[0].splitlines()
    assert len(commands) == 4
    for command in commands:
        outcome = run(*shlex.split(command)[1:])
        assert outcome.code in {0, 3}, outcome.err


def test_the_output_is_as_shown(store: Path, run: Run) -> None:
    times = shlex.split(examples(PAGE, "sh")[0].splitlines()[1])[1:]
    out = run(*times, "--store", store, "--format", "table").out
    (shown,) = re.findall(r"```\n(it began.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    lines = [" ".join(line.split()) for line in out.splitlines()]
    for line in filter(None, shown.splitlines()):
        assert " ".join(line.split()) in lines


def test_the_python_example_prints_the_suspects(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(store.parent)
    exec(compile(examples(PAGE, "python")[0], str(PAGE), "exec"), {})
    assert capsys.readouterr().out.startswith("payments ")


def test_the_keys_are_those_of_the_finding() -> None:
    part = PAGE.read_text("utf-8").partition("## JSON")[2]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", part, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(RootCause.__dataclass_fields__)
    for kind in (Suspect, Sign):
        assert set(kind.__dataclass_fields__) <= set(re.findall(r"`(\w+)`", part))
