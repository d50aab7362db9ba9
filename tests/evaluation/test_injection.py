"""The evaluation by injection: what its page says is what it does."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.evaluation.injected.causes import CAUSES

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "tests" / "evaluation" / "injection.py"
PAGE = (ROOT / "analysis" / "docs" / "evaluation.md").read_text()


def evaluate(*options: str) -> "subprocess.CompletedProcess[str]":
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, str(PROGRAM), *options]
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.run(command, check=False, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_the_page_has_a_row_for_each_cause_that_is_staged() -> None:
    rows = re.findall(r"^\| `?(\w+)`? \|", PAGE, re.MULTILINE)
    assert rows == ["cause", *CAUSES]


def test_a_directory_without_targets_is_refused_in_one_line(tmp_path: Path) -> None:
    result = evaluate("--judge", str(tmp_path))
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].endswith(
        f"{tmp_path} has no targets.json: give --judge a directory that --keep has filled"
    )


@pytest.mark.slow
def test_the_examples_stage_causes_keep_them_and_judge_them_again(tmp_path: Path) -> None:
    examples = re.findall(r"make evaluate OPTIONS='(.*)'", PAGE)
    assert len(examples) == 2
    said: list[str] = []
    for example in examples:
        options = [str(tmp_path) if option == "injected" else option for option in shlex.split(example)]
        result = evaluate(*options)
        assert result.returncode in (0, 1), result.stderr
        said.append(result.stdout)
    assert said[0] == said[1]
    assert {"queueing", "retries"} <= set(said[0].split())
