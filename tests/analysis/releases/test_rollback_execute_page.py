"""How a rollback is shown, and the examples of its page."""

import shlex
from pathlib import Path

import pytest
from tests.analysis.releases.rolling_back import KUBERNETES, Execute, docker, kubectl
from tests.support.pages import examples
from tests.support.programs import Programs


def test_a_table_fits_the_terminal_and_a_page_has_everything(
    execute: Execute, programs: Programs, tmp_path: Path
) -> None:
    kubectl(programs)
    page = tmp_path / "rollback.html"
    assert execute("recovered", *KUBERNETES, "--output", str(page)).code == 0
    text = page.read_text()
    assert "Rolled back, and as before" in text
    assert "kubectl rollout undo deployment/sentiment --namespace=prod" in text
    kubectl(programs)
    table = execute("recovered", *KUBERNETES, "--format", "table").out
    assert table.startswith("ROLLED BACK, AND AS BEFORE\n")
    assert "infersight incident show INC-" in table


PAGE = Path(__file__).parents[3] / "analysis" / "docs" / "rollback-execute.md"


@pytest.mark.parametrize("line", [line for block in examples(PAGE, "sh") for line in block.splitlines()])
def test_every_example_of_the_page_works(execute: Execute, programs: Programs, line: str) -> None:
    kubectl(programs)
    docker(programs)
    programs.play("helm", {"when": ["rollback", "sentiment", "--wait"]})
    if "compose" in line:
        programs.play("docker", {"when": ["compose", "up", "--detach", "--wait"]})
    words = shlex.split(line)
    assert words[:3] == ["infersight", "rollback", "execute"]
    assert execute("recovered", *words[3:]).code == 0
