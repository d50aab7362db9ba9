"""Two requests in a hundred fail since the release, and somebody wants to roll it back at once."""

import sys
from pathlib import Path

from tests.pressure.conftest import CRITICAL, GOOD, TWO_PERCENT
from tests.support.prompts import Prompt
from tests.support.reviews import Candidate

from infersight_collector.store.duplicate import check_digests

ASKED = ("--service", "reviews", "--baseline", GOOD.version, "--limit", "latency=1000%")
"""Servers and clients share what machine there is: latency is not what is looked at."""


def candidate(release: Candidate) -> tuple[str, ...]:
    return (*ASKED, "--candidate", release.version)


def test_two_percent_are_a_reason_to_investigate_and_more_than_five_to_roll_back(prompt: Prompt) -> None:
    found = prompt("rollback", "check", *candidate(TWO_PERCENT))
    assert found["verdict"] == "keep"
    said = " ".join(found["investigate"])
    assert "error rate 2.0%" in said
    assert "investigate, and go on watching" in said
    assert "ValueError" in said
    worse = prompt("rollback", "check", *candidate(CRITICAL), code=1)
    assert worse["verdict"] == "roll back"
    assert worse["reasons"][0].startswith("error rate 19.")


def test_what_fails_is_named_while_it_goes_on_serving(prompt: Prompt) -> None:
    first = prompt("errors", "--service", "reviews")["errors"][0]
    assert (first["type"], first["location"]) == ("ValueError", "classify (demo/reviews.py)")
    assert first["versions"] == [TWO_PERCENT.version, CRITICAL.version]


def test_without_the_verdict_nothing_is_rolled_back(prompt: Prompt, tmp_path: Path) -> None:
    done = tmp_path / "rolled back"
    command = ("--target", "command", "--", sys.executable, "-c", f"open({str(done)!r}, 'w').close()")
    said = prompt("rollback", "execute", *candidate(TWO_PERCENT), *command, code=2)
    assert "nothing was changed" in said
    assert not done.exists()


def test_evidence_is_preserved_before_anything_is_rolled_back(prompt: Prompt, tmp_path: Path) -> None:
    seen, incidents = tmp_path / "seen", prompt.store / "incidents"
    sealed = f"str([*Path({str(incidents)!r}).rglob('SHA256SUMS')])"
    look = f"from pathlib import Path; Path({str(seen)!r}).write_text({sealed})"
    waiting = ("--verify-within", "1s")
    command = ("--target", "command", "--", sys.executable, "-c", look)
    found = prompt("rollback", "execute", *candidate(CRITICAL), *waiting, *command, code=3)
    copy = Path(found["preserved"]["path"])
    assert check_digests(copy) == []
    counted = f"select count(*) as n from logs where service_version = '{CRITICAL.version}' and severity_text = 'ERROR'"
    assert Prompt(copy)("sql", counted) == prompt("sql", counted)
    assert str(copy / "SHA256SUMS") in seen.read_text()
