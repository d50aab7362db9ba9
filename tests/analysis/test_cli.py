"""The command line as a whole: lazy, one line for each error, documented."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from infersight_analysis.cli import VERBS, root
from infersight_analysis.cli_reference import reference
from infersight_analysis.commands import Verbs
from infersight_collector.store.writer import Store

HEAVY = ("duckdb", "pyarrow", "numpy", "rich", "deltalake", "opentelemetry", "torch")
DOCS = Path(__file__).parents[2] / "analysis" / "docs"


def loaded_by(code: str) -> list[str]:
    report = f"{code}\nimport sys, json; print(json.dumps(sorted(set(sys.modules) & set({HEAVY!r}))), file=sys.stderr)"
    result = subprocess.run([sys.executable, "-c", report], check=True, capture_output=True, text=True)
    names: list[str] = json.loads(result.stderr.splitlines()[-1])
    return names


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], []])
def test_version_and_help_load_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_by(f"from infersight_analysis import cli; cli.run({arguments!r})") == []


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import infersight_analysis") == []


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below a group, by what one types."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_for_itself_and_each_option_and_is_documented(verb: str) -> None:
    assert VERBS[verb].about.endswith(".")
    for path, command in commands(root, "infersight"):
        if path.split()[1] == verb:
            assert command.help
            assert "\\b" not in command.help  # written out, it joins the lines that it should keep
            undocumented = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
            assert undocumented == []
            assert f"## `{path}`" in (DOCS / "cli.md").read_text()


def test_the_reference_is_what_the_help_says() -> None:
    assert (DOCS / "cli.md").read_text() == reference(), "run python -m infersight_analysis.cli_reference"


def test_a_verb_without_its_extra_says_in_one_line_what_to_install(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    for module in [name for name in sys.modules if name.startswith("infersight_analysis.verbs")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delitem(sys.modules, "infersight_analysis.session", raising=False)
    outcome = run("slow")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "infersight slow needs the 'analysis' extra: pip install 'infersight[analysis]'\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["slwo"], "No such command"),
        (["slow", "--limit", "many"], "--limit"),
        (["slow", "--store", "/nowhere"], "no store at /nowhere"),
        (["sql", "selec 1", "--store", "{store}"], "syntax error"),
        (["sql", "select nope from spans", "--store", "{store}"], "nope"),
        (["sql", "drop view spans", "--store", "{store}"], "read-only"),
        (["sql", "select * from read_text('/etc/passwd')", "--store", "{store}"], "disabled"),
        (["investigate", "xyz", "--store", "{store}"], "is no trace id"),
        (["investigate", "abc", "--store", "{store}"], "no trace in this store"),
        (["errors", "--last", "soon", "--store", "{store}"], "is no duration"),
        (["errors", "--start", "2026-01-02", "--end", "2026-01-01", "--store", "{store}"], "before --end"),
        (["slow", "--last", "1h", "--start", "2026-01-01", "--store", "{store}"], "either --last or"),
        (["slow", "--over", "much", "--store", "{store}"], "500ms or p99"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_exit_code_2(
    arguments: list[str], says: str, run: Callable[..., Any], tmp_path: Path
) -> None:
    Store.open(tmp_path / "store")
    outcome = run(*(argument.format(store=tmp_path / "store") for argument in arguments))
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    assert says in outcome.err


def test_a_reader_that_closes_the_pipe_ends_the_command_quietly(tmp_path: Path) -> None:
    Store.open(tmp_path / "store")
    reader, writer = os.pipe()
    os.close(reader)
    query = ["sql", "select * from range(1000000)", "--store", str(tmp_path / "store")]
    process = subprocess.run(
        [sys.executable, "-m", "infersight_analysis", *query], check=False, stdout=writer, stderr=subprocess.PIPE
    )
    os.close(writer)
    assert (process.returncode, process.stderr) == (141, b"")


def test_an_interrupt_ends_with_the_shells_code(monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    @click.command()
    def interrupted() -> None:
        raise KeyboardInterrupt

    def get_command(_group: click.Group, _context: click.Context, _name: str) -> click.Command:
        return interrupted

    monkeypatch.setattr(Verbs, "get_command", get_command)
    assert run("slow").code == 130
