"""The API answers 500, somebody restarts it, and for a while it is well."""

from tests.pressure.conftest import Mended


def test_a_symptom_is_not_taken_for_a_cause(mended: Mended) -> None:
    assert mended.symptom.startswith("that is the symptom S1, not what brought it about")


def test_the_cause_is_what_explains_the_symptom_and_was_supported_by_a_test(mended: Mended) -> None:
    status = mended.prompt("incident", "status", mended.incident)
    steps = {step["name"]: step for step in status["steps"]}
    assert steps["cause"]["about"] == "a pool of ten, whatever the load"
    assert steps["hypothesis"]["about"].startswith("supported: ")


def test_a_restart_is_no_fix_since_it_fails_again(mended: Mended) -> None:
    assert outcomes(mended.restarted)["reproduction"] == "failed"


def test_a_larger_pool_is_proven_to_be_one_and_can_be_watched(mended: Mended) -> None:
    assert outcomes(mended.enlarged) == {"reproduction": "passed", "metrics": "passed", "errors": "passed"}
    steps = {step["name"]: step for step in mended.prompt("incident", "status", mended.incident)["steps"]}
    assert (steps["fix"]["about"], steps["prevention"]["done"]) == ("a pool of 50 connections", True)
    taken = "select max(value) as taken from metrics where name = 'db.client.connections.usage'"
    assert mended.prompt("sql", taken)[0]["taken"] >= 10


def outcomes(checks: list[dict[str, str]]) -> dict[str, str]:
    return {check["name"]: check["outcome"] for check in checks}
