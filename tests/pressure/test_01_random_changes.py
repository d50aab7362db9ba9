"""Latency went up fivefold, and somebody wants to change something, in the hope that it helps."""

from tests.pressure.conftest import Recording
from tests.support.pools import CROWD
from tests.support.prompts import Prompt


def test_a_change_waits_for_a_reproduction_evidence_and_a_hypothesis_that_was_tested(
    recording: Recording, prompt: Prompt
) -> None:
    when = recording.crowded.options
    symptom = ("--symptom", "requests take a second and more")
    incident = prompt("incident", "open", "Predictions are slow", "--severity", "HIGH", *symptom, *when)["incident"]
    change = ("incident", "fix", "record", incident, "twice the threads")
    guess = ("incident", "hypothesis", "add", incident, "too few threads", "--explains", "all")
    guessed = (*guess, "--refuted-by", "threads are free while requests wait")

    for step in (change, guessed, ("incident", "cause", "set", incident, "too few threads")):
        assert prompt(*step, code=1).startswith("nothing was reproduced and there is no evidence")

    recording.restarts.unless(10)
    crowded = ("--attempts", str(CROWD), "--concurrency", str(CROWD), "--slower-than", "1s")
    seen = prompt("incident", "reproduce", incident, "--url", recording.server.url, *crowded)["said"]
    assert seen["attempts"] == CROWD
    assert 0 < seen["interval"][0] < seen["reproduced"] / CROWD <= seen["interval"][1] <= 1
    assert prompt(*change, code=1).startswith("the cause is not known")

    traces = f"slow --service predictor {' '.join(when)}"
    logs = "select body, trace_id from logs where service_name = 'predictor' and severity_text = 'ERROR'"
    metrics = "select name, max(value) as highest from metrics where service_name = 'predictor' group by name"
    for evidence in (("--verb", traces), ("--sql", logs), ("--sql", metrics)):
        kept = prompt("incident", "evidence", "add", incident, *evidence)["said"]
        assert len(kept["sha256"]) == 64

    name = prompt(*guessed)["name"]
    assert prompt(*change, code=1).startswith("the cause is not known")
    assert "H1 is untested" in prompt("incident", "cause", "set", incident, "threads", "--hypothesis", name, code=1)
    waits = "select coalesce(median(duration_ns) > 5e8, false) from spans where name = 'thread pool'"
    tested = prompt("incident", "hypothesis", "test", incident, name, "--sql", waits, code=1)
    assert tested["said"]["outcome"] == "refuted"
    said = prompt("incident", "cause", "set", incident, "threads", "--hypothesis", name, code=1)
    assert said.startswith("no hypothesis is supported by a test")
    assert prompt(*change, code=1).startswith("the cause is not known")


def test_a_change_that_is_made_anyway_stands_in_every_report(recording: Recording, prompt: Prompt) -> None:
    opened = prompt("incident", "open", "Predictions are slow", "--severity", "HIGH", *recording.crowded.options)
    incident = opened["incident"]
    prompt("incident", "fix", "record", incident, "twice the threads", "--override", "it cannot do harm")
    (overridden,) = prompt("incident", "status", incident)["overridden"]
    assert "it cannot do harm" in str(overridden)
    assert prompt("incident", "close", incident, code=1)
