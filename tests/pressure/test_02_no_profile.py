"""The API is slow, and somebody says: the database is the bottleneck, probably; let us add a cache."""

from typing import Any

from tests.pressure.conftest import Recording
from tests.support.prompts import Prompt

STATEMENT = "list_filter(statements, lambda each: each.statement = 'select ?')[1].share > 0.5"
SLOWEST_PROFILED = """
select trace_id from spans where kind = 'SERVER' and service_name = 'predictor'
and trace_id in (select trace_id from logs where event_name = 'infersight.profile') order by duration_ns desc limit 1
"""
CONNECTING = "list_filter(statements, lambda each: each.statement = 'connect')[1].share > 0.5"


def test_the_bottleneck_is_the_one_that_profiles_show_not_the_one_that_was_guessed(
    recording: Recording, prompt: Prompt
) -> None:
    when = recording.crowded.options
    queries = " ".join(("queries", "--service", "predictor", *when))
    symptom = ("--symptom", "requests take a second and more")
    incident = prompt("incident", "open", "The API is slow", "--severity", "MEDIUM", *symptom, *when)["incident"]
    cache = ("incident", "fix", "record", incident, "a cache in front of the database")
    database = suppose(incident, "queries take most of the time", "they take a small part of it")
    assert prompt(*cache, code=1).startswith("nothing was reproduced and there is no evidence")
    assert prompt(*database, code=1).startswith("nothing was reproduced and there is no evidence")

    prompt("incident", "evidence", "add", incident, "--verb", queries)
    guessed = prompt(*database)["name"]
    test = ("incident", "hypothesis", "test", incident)
    assert prompt(*test, guessed, "--verb", queries, "--expect", STATEMENT, code=1)["said"]["outcome"] == "refuted"
    assert prompt(*cache, code=1).startswith("the cause is not known")

    slowest = prompt("sql", SLOWEST_PROFILED)[0]["trace_id"]
    code = waiting_code(prompt("investigate", slowest))
    assert "demo/pooled.py" in code
    assert "wait" in code.lower()

    pool = prompt(*suppose(incident, "requests wait for a connection of the pool", "connections are free"))["name"]
    proven = prompt(*test, pool, "--verb", queries, "--expect", CONNECTING)
    assert proven["said"]["outcome"] == "supported"
    prompt("incident", "cause", "set", incident, "ten connections, whatever the load", "--hypothesis", pool)
    assert prompt("incident", "fix", "record", incident, "a pool of 50 connections")["stage"] == "fixed"


def suppose(incident: str, statement: str, refuted_by: str) -> tuple[str, ...]:
    return ("incident", "hypothesis", "add", incident, statement, "--refuted-by", refuted_by, "--explains", "all")


def waiting_code(found: Any) -> str:
    """Where the code was in the part of the request that took longest, by looks at its stacks."""
    longest = max(found["code"], key=lambda each: each["about_ns"])
    return f"{longest['place']} {longest['inside']}"
