"""The examples of the page about profiles, run."""

import re
import shlex
from pathlib import Path

import pytest
from tests.analysis.conftest import Run
from tests.analysis.profiles.conftest import BUSY, Keep, Start
from tests.analysis.profiles.test_taking import NEEDS_DEBUGGER
from tests.analysis.recording import MS, Recording
from tests.support.pages import examples

from infersight_collector.store.pins import pins

PAGE = Path(__file__).parents[3] / "analysis" / "docs" / "profile.md"
MAIN, WORK = "main (app.py:3)", "work (.../lib/fast.py:9)"
TRACE = 0x0AF7651916CD43DD8448EB211C80319C
TENTH_NS = 1_795_688_100 * 10**9
"""2026-11-26T10:15:00Z, as on the page."""


@pytest.mark.slow
@NEEDS_DEBUGGER
def test_every_command_works(store: Path, busy: Start, keep: Keep, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(store.parent)
    monkeypatch.setenv("INFERSIGHT_STORE", str(store))
    recording = Recording()
    recording.span(TRACE, 1, "POST /predict", 0, MS, kind="SERVER")
    recording.write(store)
    Path("train.py").write_text(f"import sys\nsys.argv[1:] = ['0.2']\n{BUSY.read_text()}")
    Path("app.py").write_text(BUSY.with_name("once.py").read_text().replace("def predict", "def predict_once"))
    keep({(MAIN,): 10}, start_ns=TENTH_NS, pid=4711)
    running = str(busy(100).pid)
    for command in examples(PAGE, "sh")[0].splitlines():
        shorter = re.sub("--duration [0-9a-z]+", "--duration 1s", command).replace("--pid 4711", f"--pid {running}")
        outcome = run(*shlex.split(shorter)[1:])
        assert outcome.code == 0, (command, outcome.err)
    assert all(Path(name).stat().st_size > 1_000 for name in ("profile.html", "difference.html"))


def test_the_tables_are_as_shown(keep: Keep, store: Path, run: Run) -> None:
    table, difference = re.findall(r"\n\n```\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    keep({(MAIN, WORK): 30, (MAIN,): 10}, start_ns=TENTH_NS, pid=4711)
    lines = said(run, "profile", "show", "last", "--store", store)
    for line in table.splitlines()[4:]:
        assert " ".join(line.split()) in lines
    before = keep({("main (a.py:1)", "work (b.py:1)"): 300, ("main (a.py:2)",): 700}, start_ns=10**18)
    after = keep({("main (a.py:1)", "work (b.py:1)"): 160, ("main (a.py:2)",): 40}, start_ns=2 * 10**18)
    lines = said(run, "profile", "diff", before.id, after.id, "--store", store)
    for line in difference.splitlines()[2:]:
        assert " ".join(line.split()) in lines


def test_what_holds_a_profile_works(keep: Keep, store: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERSIGHT_STORE", str(store))
    monkeypatch.setenv("INFERSIGHT_ACTOR", "ada")
    profile = keep({(MAIN,): 10})
    incident = run("incident", "open", "It is slow", "--severity", "low").json["incident"]
    for command in examples(PAGE, "sh")[2].splitlines():
        assert run(*shlex.split(command.replace("INC-2026-001", incident))[1:]).code == 0, command
    assert [made.profiles for made in pins(store)] == [(profile.id,)] * 2


def said(run: Run, *arguments: str | Path) -> set[str]:
    return {" ".join(line.split()) for line in run(*arguments, "--format", "table").out.splitlines()}
