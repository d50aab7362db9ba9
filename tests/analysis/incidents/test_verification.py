"""Whether a fix holds: what was reproduced, the requests, new faults."""

import sys
from pathlib import Path

import numpy as np
import pytest
from tests.analysis.incidents.scenes import END, INCIDENT, exhausted_pool
from tests.analysis.recording import MS, SECOND, T0, Recording

from infersight_analysis.incidents.evidence import Exhibit
from infersight_analysis.incidents.incident import Incident, Refused
from infersight_analysis.incidents.log import IncidentLog
from infersight_analysis.incidents.requests import Requests
from infersight_analysis.incidents.scenario import Scenario
from infersight_analysis.incidents.state import is_verified
from infersight_analysis.incidents.verification import Check, metrics, verify
from infersight_analysis.options import Window

AFTER = Window(T0 + INCIDENT[1], T0 + END)


def mended(store: Path, window: Window, scenario: Scenario | None = None) -> Incident:
    """An incident whose fix is recorded."""
    incident = Incident.open(
        IncidentLog(store),
        "Predictions are slow",
        "LOW",
        actor="ada",
        window=window,
        symptoms=["p95 is above a second"],
    )
    exhibit = Exhibit("file", "a log", b"no connection", ".txt")
    incident.add_evidence(exhibit)
    if scenario:
        incident.reproduce(scenario)
    incident.add_hypothesis("the pool is too small", "connections are free", ["all"])
    incident.add_test("H1", exhibit, "supported", "the log says so")
    incident.set_cause("a pool of ten", "H1")
    incident.record_fix("a pool of fifty")
    return incident


def outcomes(checks: list[Check]) -> dict[str, str]:
    return {check.name: check.outcome for check in checks}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exhausted_pool(tmp_path_factory.mktemp("verification") / "store")


def during(scene: tuple[int, int]) -> Window:
    return Window(T0 + scene[0], T0 + scene[1])


def test_requests_that_are_as_before_prove_a_fix(store: Path) -> None:
    incident = mended(store, during(INCIDENT))
    checks = verify(incident, window=AFTER)
    assert outcomes(checks) == {"reproduction": "not applicable", "metrics": "passed", "errors": "passed"}
    assert is_verified(incident.state)


def test_requests_that_still_fail_and_wait_do_not(store: Path) -> None:
    incident = mended(store, during(INCIDENT))
    checks = verify(incident, window=during(INCIDENT))
    assert outcomes(checks)["metrics"] == "failed"
    assert "fail, 0.00% of 1800 in the baseline" in checks[1].statement
    assert not is_verified(incident.state)


def test_too_few_requests_are_undecided(store: Path) -> None:
    incident = mended(store, during(INCIDENT))
    checks = verify(incident, window=Window(T0 + INCIDENT[1], T0 + INCIDENT[1] + 10 * SECOND))
    assert outcomes(checks)["metrics"] == "undecided"
    assert "too few to tell" in checks[1].statement
    assert not is_verified(incident.state)


def test_without_requests_since_the_fix_nothing_is_proven(store: Path) -> None:
    incident = mended(store, during(INCIDENT))
    checks = verify(incident)
    assert outcomes(checks) == {"reproduction": "not applicable", "metrics": "undecided", "errors": "undecided"}


def test_a_fault_that_nobody_saw_before_fails_the_fix(tmp_path: Path) -> None:
    recording = Recording()
    for number in range(1, 601):
        fails = number > 560
        exception = {"exception.type": "KeyError", "exception.message": "'shard'"}
        recording.span(
            number, 1, "GET /", number * SECOND, 20 * MS, kind="SERVER", error="no" if fails else None,
            events=[(number * SECOND, "exception", exception)] if fails else (),
        )  # fmt: skip
    incident = mended(recording.write(tmp_path / "store"), during((300 * SECOND, 400 * SECOND)))
    check = verify(incident, window=during((500 * SECOND, 601 * SECOND)))[2]
    assert (check.outcome, check.name) == ("failed", "errors")
    assert "KeyError: 'shard'" in check.statement


@pytest.mark.parametrize(("gone", "outcome"), [(True, "passed"), (False, "failed")])
def test_what_was_reproduced_has_to_be_gone(store: Path, tmp_path: Path, gone: bool, outcome: str) -> None:
    flag = tmp_path / "broken"
    flag.touch()
    code = f"import pathlib; raise SystemExit(pathlib.Path({str(flag)!r}).exists())"
    incident = mended(store, during(INCIDENT), Scenario((sys.executable, "-c", code), attempts=5))
    if gone:
        flag.unlink()
    checks = verify(incident, window=AFTER)
    assert outcomes(checks)["reproduction"] == outcome
    assert is_verified(incident.state) == gone


def test_requests_alone_do_not_prove_what_was_reproduced(store: Path) -> None:
    incident = mended(store, during(INCIDENT), Scenario(("false",), attempts=1))
    checks = verify(incident, window=AFTER)
    assert outcomes(checks)["metrics"] == "passed"
    assert not is_verified(incident.state)


def test_without_a_window_there_is_no_baseline(store: Path) -> None:
    checks = verify(mended(store, Window()), window=AFTER)
    assert outcomes(checks)["metrics"] == "not applicable"


def test_nothing_is_done_for_a_fix_that_is_not_recorded(store: Path) -> None:
    incident = Incident.open(IncidentLog(store), "slow", "LOW", actor="ada")
    told: list[str] = []
    with pytest.raises(Refused, match="no fix is recorded"):
        verify(incident, told=told.append)
    assert told == []


def drawn(generator: np.random.Generator, count: int, failing: float, slower: float = 1.0) -> Requests:
    durations = generator.lognormal(0, 0.3, count) * 1e8 * slower
    return Requests(durations, generator.random(count) < failing)


@pytest.mark.parametrize(
    ("failing", "slower", "most", "least"),
    [
        # as before: passed as a rule; worse by just a margin: no oftener than the level allows; far worse: never
        ((0.005, 0.005), 1.0, {"failed": 0.02}, {"passed": 0.8}),
        ((0.02, 0.03), 1.0, {"passed": 0.08}, {}),
        ((0.0, 0.0), 1.2, {"passed": 0.08}, {}),
        ((0.0, 0.1), 2.0, {"passed": 0.0}, {"failed": 1.0}),
    ],
)
def test_the_requests_pass_wrongly_no_oftener_than_said(
    failing: tuple[float, float], slower: float, most: dict[str, float], least: dict[str, float]
) -> None:
    generator = np.random.default_rng(7)
    seen: list[str] = []
    for _ in range(60):
        usual, now = drawn(generator, 2000, failing[0]), drawn(generator, 2000, failing[1], slower)
        seen.append(metrics(usual, now, 0.2).outcome)
    for outcome, share in most.items():
        assert seen.count(outcome) <= 60 * share
    for outcome, share in least.items():
        assert seen.count(outcome) >= 60 * share
