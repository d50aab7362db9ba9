"""The check of post-mortems: it finds blame, and leaves facts about systems alone."""

import pytest

from infersight_analysis.findings.postmortem import ActionItem
from infersight_analysis.postmortems.blame import blaming, remark_on, remarks_on_action

NAMES = ("ada.lovelace", "ben", "j.doe@example.org")

BLAME = [
    "The engineer forgot to size the pool.",
    "Ben broke the deployment.",
    "Ada didn't run the load test",
    "Lovelace missed the alarm",
    "This was a human error.",
    "it was Ben's fault",
    "operator error during the migration",
    "The on-call engineer should have noticed earlier",
    "Someone pushed the change without review",
    "he ignored the warning",
    "The developer who wrote it made a mistake",
    "Carelessness in the review",
    "The team was careless",
    "ben accidentally deleted the index",
    "the outage was caused by Ada",
    "The alarm was overlooked by the engineer on duty",
    "I forgot to enable the flag",
    "They forgot the certificate",
    "Doe failed to follow the runbook",
    "the admin was responsible for the outage",
    "The blame lies with operations",
    "The contractor simply did not read the documentation",
    "A stupid change took everything down",
    "the reviewer has overlooked the missing index",
    "Kim neglected the backups",
]
FACTS = [
    "The pool has ten connections, whatever the load.",
    "The health check missed the failure because it does not use the database.",
    "Load tests never had more than one request at a time.",
    "The deployment broke the schema of the cache.",
    "The retry policy caused a thundering herd.",
    "The alarm failed to fire: its threshold is above the timeout.",
    "The runbook did not name the pool.",
    "Ada noticed the rise and opened the incident.",
    "Ben rolled back to 1.0 within four minutes.",
    "The engineer on call was paged at 14:32.",
    "Nobody is to blame: the tool allowed it.",
    "A blameless review follows.",
    "Requests did not get a connection and were answered 503.",
    "They wait until they give up.",
    "The user did not get an answer for 30 s.",
    "The garbage collector ignored the limit of the container.",
    "Monitoring overlooked the second region.",
    "The certificate expired; its renewal was changed without a test.",
    "The server should have answered 429.",
    "Errors were caused by a full disk.",
    "Version 1.1 missed an index.",
    "The error share was wrong by a factor of ten.",
    "The defect was introduced in version 1.1.",
    "Traffic doubled because of a campaign.",
    "The operator of the comparison is >=.",
]


@pytest.mark.parametrize("text", BLAME)
def test_blame_is_found(text: str) -> None:
    assert blaming(text, NAMES)


@pytest.mark.parametrize("text", FACTS)
def test_facts_are_left_alone(text: str) -> None:
    assert blaming(text, NAMES) is None


def test_a_name_is_that_of_a_person_only_where_somebody_signs_so() -> None:
    assert blaming("Grace broke the build") is None
    assert blaming("Grace broke the build", ["grace"]) == "Grace broke"


def test_a_remark_names_the_words_and_what_to_say_instead() -> None:
    remark = remark_on("note 7", "Ben broke the deployment.", NAMES)
    assert remark is not None
    assert (remark.kind, remark.of, remark.reason) == ("blame", "note 7", "“Ben broke” blames somebody")
    assert "what made it possible" in remark.instead


def item(**said: str | None) -> ActionItem:
    facts = {"description": "alarm on the pool", "owner": "ada", "due": "2026-03-31", "outcome": "it fires"} | said
    return ActionItem("INC-2026-001", "A1", str(facts["description"]), facts["owner"], facts["due"], "HIGH",
                      facts["outcome"], "TODO", None, overdue=False)  # fmt: skip


def test_an_action_with_owner_date_and_outcome_has_nothing_to_remark() -> None:
    assert list(remarks_on_action(item())) == []


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"owner": None}, "nobody owns it"),
        ({"due": None}, "it has no date"),
        ({"outcome": None}, "nobody can see when it is done"),
        ({"description": "Be more careful with pools"}, "it is an intention, not an action"),
        ({"description": "improve monitoring"}, "it is an intention, not an action"),
    ],
)
def test_an_action_that_lacks_something_is_remarked(said: dict[str, str | None], reason: str) -> None:
    assert [remark.reason for remark in remarks_on_action(item(**said))] == [reason]
