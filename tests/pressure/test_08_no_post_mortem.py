"""The incident is resolved, and somebody closes it and goes on."""

from tests.pressure.conftest import WAVES, Mended, Recording
from tests.support.pools import CROWD


def test_a_grave_incident_is_closed_only_when_it_was_learnt_from(mended: Mended, recording: Recording) -> None:
    prompt, incident = mended.prompt, mended.incident
    assert prompt("incident", "close", incident, code=1).startswith("there is no post-mortem")

    prompt("incident", "note", incident, "load tests had one request at a time", "--about", "factor")
    outcome = ("--outcome", "the release job fails when p95 is above 300 ms")
    action = ("postmortem", "actions", "add", incident, "load test with 100 requests at a time", *outcome)
    prompt(*action, "--owner", "ada", "--due", "2100-01-01", "--priority", "high")
    written = prompt("postmortem", "write", incident, "--service", "predictor", "--format", "json")
    assert (written["impact"]["requests"], written["impact"]["failed"]) == (WAVES * CROWD, recording.statuses[500])
    assert "a pool of ten" in str(written["cause"])
    assert len(written["timeline"]) > 8
    assert [each["owner"] for each in written["actions"]] == ["ada"]
    assert prompt("postmortem", "check", incident)["remarks"] == []

    assert prompt("incident", "close", incident)["stage"] == "closed"
    assert prompt("postmortem", "actions", "list")["actions"][0]["status"] == "TODO"
    prompt("postmortem", "actions", "done", incident, "A1")
    assert prompt("postmortem", "actions", "list")["actions"][0]["status"] == "DONE"

    prompt("incident", "note", incident, "the engineer forgot to enlarge the pool", "--about", "wrong")
    (remark,) = prompt("postmortem", "check", incident, code=1)["remarks"]
    assert "forgot" in str(remark)
