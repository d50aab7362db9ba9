"""Testing a hypothesis: something that is asked, and whether the answer is what the hypothesis says it will be."""

import tempfile
from pathlib import Path

import duckdb

from infersight_analysis.errors import AnalysisError
from infersight_analysis.incidents import evidence
from infersight_analysis.incidents.evidence import Exhibit
from infersight_analysis.incidents.reproduction import Reproduction, play
from infersight_analysis.incidents.scenario import Scenario
from infersight_analysis.incidents.state import REFUTED, SUPPORTED, UNDECIDED
from infersight_analysis.report.output import to_json
from infersight_analysis.results import Json

_PREDICTION = "a test answers one value, true or false: select count(*) > 0 from spans where ..."


def by_sql(store: Path, sql: str) -> tuple[Exhibit, str, str]:
    """Ask a query that answers true, false, or null where the data does not tell.

    Args:
        store: directory of the store.
        sql: one SELECT of one value.

    Returns:
        The evidence, the outcome, and both in a line.

    Raises:
        AnalysisError: the query is wrong, or answers something else.
    """
    exhibit, rows = evidence.of_sql(store, sql)
    if len(rows) != 1 or len(rows[0]) != 1:
        raise AnalysisError(f"{len(rows)} rows of {len(rows[0]) if rows else 0} columns: {_PREDICTION}")
    outcome = _outcome(rows[0][0])
    return exhibit, outcome, f"{sql} says {_word(rows[0][0])}"


def by_verb(store: Path, command: str, expected: str) -> tuple[Exhibit, str, str]:
    """Ask a verb, and its finding whether an expression holds.

    Args:
        store: directory of the store.
        command: the verb with its options.
        expected: in SQL, over the fields of the finding: `verdict = 'origin' and services[1].service = 'db'`.

    Raises:
        AnalysisError: the verb was used wrongly, or the expression is none over its fields.
    """
    exhibit = evidence.of_verb(store, command)
    value = _asked(exhibit.content, expected)
    return exhibit, _outcome(value), f"{exhibit.about} says {_word(value)} to {expected}"


def by_scenario(scenario: Scenario) -> tuple[Exhibit, str, str]:
    """Do something several times: supported where each attempt is as predicted, refuted where none is.

    Raises:
        AnalysisError: no attempt got anywhere.
    """
    found = play(scenario)
    outcome = UNDECIDED
    if found.reproduced in (0, found.attempts):
        outcome = SUPPORTED if found.reproduced else REFUTED
    exhibit = Exhibit("command", str(scenario), to_json(found).encode())
    return exhibit, outcome, f"{scenario}: {scenario.shows} in {_share(found)}"


def _share(found: Reproduction) -> str:
    return f"{found.reproduced} of {found.attempts} attempts"


def _asked(finding: bytes, expected: str) -> Json:
    """What an expression over the fields of a finding says."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file, duckdb.connect() as connection:
        file.write(finding)
        file.flush()
        reading = "create table finding as from read_json(?, maximum_depth = -1, sample_size = -1)"
        try:
            connection.execute(reading, [file.name])
            connection.execute("set enable_external_access = false; set lock_configuration = true")
            rows = connection.execute(f"select ({expected}) from finding limit 2").fetchall()  # noqa: S608 - its user's own
        except duckdb.Error as error:
            raise AnalysisError(f"cannot ask {expected!r} of the finding: {' '.join(str(error).split())}") from error
    if len(rows) != 1:
        raise AnalysisError(
            f"the finding has {'several rows' if rows else 'no row'}: aggregate them, as in count(*) > 0"
        )
    return rows[0][0]


def _outcome(value: Json) -> str:
    if value is None:
        return UNDECIDED
    if not isinstance(value, bool):
        raise AnalysisError(f"{value!r} is neither true nor false: {_PREDICTION}")
    return SUPPORTED if value else REFUTED


def _word(value: Json) -> str:
    return "nothing" if value is None else str(value).lower()
