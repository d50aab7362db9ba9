"""A request failed in production, and what was logged of it has to be enough to find out why."""

import json
from typing import Any

from tests.pressure.conftest import TWO_PERCENT, Recording
from tests.support.prompts import Prompt
from tests.support.reviews import MAIL

FAILED = f"""
select log.trace_id, log.body, log.attributes, log.service_version, span.attributes['http.route'] as route
from logs log join spans span on span.trace_id = log.trace_id and span.kind = 'SERVER'
where log.body = 'no label for a review' and log.service_version = '{TWO_PERCENT.version}'
order by log.time
"""


def test_the_record_of_a_failure_has_its_trace_its_route_its_user_and_its_exception(prompt: Prompt) -> None:
    failures = prompt("sql", FAILED)
    assert len(failures) == 24
    for failure in failures:
        attributes = failure["attributes"]
        assert failure["route"] == "/predict"
        assert attributes["user.id"].startswith(f"{TWO_PERCENT.version}-")
        assert attributes["length"] > 0  # of the input
        assert attributes["exception.type"] == "ValueError"
        assert "in classify" in attributes["exception.stacktrace"]
    found = prompt("investigate", failures[0]["trace_id"])
    assert any("no label for a review" in log["body"] for log in found["logs"])


def test_the_console_gets_the_same_as_json(recording: Recording, prompt: Prompt) -> None:
    lines = console(recording)
    failed = [line for line in lines if line["message"] == "no label for a review"]
    assert {line["trace_id"] for line in failed} == {row["trace_id"] for row in prompt("sql", FAILED)}
    assert all({"time", "level", "logger", "service", "span_id"} <= line.keys() for line in failed)


def test_no_mail_address_arrives_anywhere(recording: Recording, prompt: Prompt) -> None:
    for table in ("logs", "spans"):
        found = prompt("sql", f"select count(*) as n from {table} where {table}::text like '%{MAIL}%'")
        assert found == [{"n": 0}]
    assert "[redacted:email]" in prompt("sql", FAILED)[0]["attributes"]["exception.message"]
    assert not any(MAIL in json.dumps(line) for line in console(recording))


def console(recording: Recording) -> list[dict[str, Any]]:
    """What the SDK printed; uvicorn prints for itself, in lines of its own."""
    lines = recording.consoles[TWO_PERCENT.version].splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]
