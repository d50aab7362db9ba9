"""The page about the scenarios: each has its test, and each command on it is one, with options that it has."""

import re
import shlex
from pathlib import Path

import click
import pytest
from tests.support.pages import examples

from infersight_analysis.cli import root

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "analysis" / "docs" / "pressure.md"
COMMANDS = [line for block in examples(PAGE, "sh") for line in block.splitlines()]


def test_each_scenario_of_the_page_has_a_test_of_its_number() -> None:
    named = re.findall(r"^## (\d+)\. ", PAGE.read_text("utf-8"), re.MULTILINE)
    tested = sorted(int(file.name.split("_")[1]) for file in FOLDER.glob("test_[01]*.py"))
    assert [int(number) for number in named] == tested == list(range(1, 11))


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_of_the_page_is_one_with_such_arguments(line: str) -> None:
    command: click.Command = root
    words = shlex.split(line)[1:]
    context = click.Context(root, info_name="infersight")
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, f"no command {words[0]}"
        command, words = found, words[1:]
    # Parses as if it were typed, and does nothing.
    command.make_context("infersight", words, parent=context)
