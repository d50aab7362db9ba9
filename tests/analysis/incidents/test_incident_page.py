"""The pages about incidents and post-mortems: what they show is what happens."""

import re
import shlex
from collections.abc import Generator, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.conftest import Outcome
from tests.analysis.incidents.scenes import Pool, exhausted_pool, serving
from tests.support.pages import examples

from infersight_analysis import cli
from infersight_analysis.incidents.log import IncidentLog

DOCS = Path(__file__).parents[3] / "analysis" / "docs"
INCIDENT, POSTMORTEM = DOCS / "incident.md", DOCS / "postmortem.md"
WRITTEN = "INC-2026-001"
REFUTED = 1


class Typist:
    """Types the lines of the pages, against this year's incident and a server on a free port."""

    def __init__(self, store: Path, pool: Pool, url: str) -> None:
        self.store, self._pool, self._url = store, pool, url

    def __call__(self, line: str) -> Outcome:
        incident = (IncidentLog(self.store).ids() or [WRITTEN])[-1]
        line = line.replace(WRITTEN, incident).replace("http://127.0.0.1:8000", self._url)
        if "fix record" in line:
            self._pool.resize(50)
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = cli.run(shlex.split(line)[1:])
        return Outcome(code, out.getvalue(), err.getvalue())


@contextmanager
def typist(folder: Path) -> Generator[Typist]:
    pool = Pool(2)
    store = exhausted_pool(folder / "infersight-store")
    with pytest.MonkeyPatch.context() as patched, serving(pool) as url:
        patched.chdir(folder)
        patched.setenv("INFERSIGHT_ACTOR", "ada")
        patched.delenv("INFERSIGHT_STORE", raising=False)
        yield Typist(store, pool, url)


@pytest.fixture
def typed(tmp_path: Path) -> Iterator[Typist]:
    with typist(tmp_path) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Typist, dict[str, Outcome]]]:
    """The whole way, and what each of its lines answered."""
    with typist(tmp_path_factory.mktemp("walk")) as fresh:
        yield fresh, {line: fresh(line) for line in examples(INCIDENT, "sh")[2].splitlines()}


def shown(page: Path, begin: str) -> list[str]:
    """The lines of an output that a page shows."""
    (block,) = re.findall(rf"^```\n({re.escape(begin)}.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [" ".join(line.split()) for line in block.splitlines() if line.strip()]


def lines_of(outcome: Outcome) -> list[str]:
    return [" ".join(line.split()) for line in outcome.out.splitlines()]


def this_year(lines: list[str], store: Path) -> list[str]:
    return [line.replace(WRITTEN, IncidentLog(store).ids()[-1]) for line in lines]


def test_the_triage_shows_what_the_page_shows(typed: Typist) -> None:
    outcome = typed(f"{examples(INCIDENT, 'sh')[0].strip()} --format table")
    assert outcome.code == 0
    printed = lines_of(outcome)
    assert [line for line in this_year(shown(INCIDENT, WRITTEN), typed.store) if line not in printed] == []


def test_the_whole_way_goes_as_the_page_says_and_closes_the_incident(walked: tuple[Typist, dict[str, Outcome]]) -> None:
    typed, outcomes = walked
    wrong = {line: outcome.err for line, outcome in outcomes.items() if outcome.code not in (0, REFUTED)}
    assert wrong == {}
    assert [line for line, outcome in outcomes.items() if outcome.code] == [line for line in outcomes if " H1 " in line]
    printed = lines_of(typed(f"infersight incident status {WRITTEN} --format table"))
    expected = [line for line in this_year(shown(INCIDENT, "HIGH"), typed.store) if "opened" not in line]
    assert [line for line in expected if line not in printed] == []


def test_the_pages_commands_about_a_closed_incident_work(walked: tuple[Typist, dict[str, Outcome]]) -> None:
    for line in (*examples(INCIDENT, "sh")[3].splitlines(), *examples(POSTMORTEM, "sh")[2].splitlines()):
        assert walked[0](line).code == 0, line


def test_the_post_mortem_has_the_numbers_of_the_page_and_its_commands_work(
    walked: tuple[Typist, dict[str, Outcome]],
) -> None:
    typed, _ = walked
    writing, items, _ = examples(POSTMORTEM, "sh")
    for line in writing.splitlines():
        assert typed(line).code == 0, line
    written = (typed.store.parent / f"{IncidentLog(typed.store).ids()[-1]}.md").read_text("utf-8")
    assert [line for line in shown(POSTMORTEM, "| what") if line not in written] == []
    for line in items.splitlines():
        assert typed(line).code == 0, line


def test_every_number_of_the_impact_is_what_its_sql_answers(walked: tuple[Typist, dict[str, Outcome]]) -> None:
    typed, _ = walked
    found = typed(f"infersight postmortem write {WRITTEN} --format json").json
    impact = found["impact"]
    during, before, series = (cli_rows(typed, query) for query in impact["evidence"]["sql"])
    assert (during[0]["requests"], during[0]["failed"], during[0]["slow"]) == (
        impact["requests"],
        impact["failed"],
        impact["slow"],
    )
    assert (during[0]["users"], during[0]["users_concerned"]) == (impact["users"], impact["users_concerned"])
    assert during[0]["quantiles_ns"] == pytest.approx([each["incident_ns"] for each in impact["quantiles"]])
    assert before[0]["quantiles_ns"] == pytest.approx([each["baseline_ns"] for each in impact["quantiles"]])
    assert before[0]["failed"] / before[0]["requests"] == impact["baseline_error_share"]
    assert len(series) > 200
    assert found["evidence"]["sql"] == [each["sql"] for each in found["queries"]]


def cli_rows(typed: Typist, query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = typed(shlex.join(["infersight", "sql", query])).json
    return rows


def test_incidents_begin_from_the_finding_of_a_verb(typed: Typist) -> None:
    by_hand, piped = examples(INCIDENT, "sh")[1].splitlines()
    assert typed(by_hand).code == 0
    asking, _, opening = piped.partition(" | ")
    finding = typed.store.parent / "finding.json"
    finding.write_text(typed(asking.replace("--last 30m", "")).out)
    outcome = typed(opening.replace("--from -", f"--from {finding}"))
    assert outcome.json["said"]["title"] == "PoolTimeout no connection free after 1 s"
    assert outcome.json["stage"] == "evidence"
    assert len(IncidentLog(typed.store).ids()) == 2


def test_the_python_example_is_refused_as_it_says(typed: Typist, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed.store.exists()
    (code,) = examples(INCIDENT, "python")
    exec(compile(code, str(INCIDENT), "exec"), {})
    assert capsys.readouterr().out.startswith("nothing was reproduced and there is no evidence")
