"""`infersight rollback execute`: evidence, rollback, proof, and every way in which it does not go well."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.releases.rolling_back import (
    DOCKER,
    KUBERNETES,
    PRESENT,
    PREVIOUS,
    Execute,
    deployment,
    docker,
    kubectl,
    service,
)
from tests.support.programs import Programs

from infersight_analysis import connect
from infersight_analysis.incidents.log import IncidentLog
from infersight_collector.store.duplicate import check_digests
from infersight_collector.store.pins import pins


def test_a_bad_release_is_rolled_back_with_evidence_and_proof(
    execute: Execute, programs: Programs, tmp_path: Path
) -> None:
    kubectl(programs)
    outcome = execute("recovered", *KUBERNETES)
    found = outcome.json
    assert (outcome.code, found["outcome"], found["check"]["verdict"]) == (0, "verified", "roll back")
    assert found["before"] == f"revision 7 ({PRESENT})"
    assert found["after"] == f"revision 8 ({PREVIOUS})"
    assert found["verification"]["verdict"] == "keep"
    assert found["statement"].endswith("as before, by 1,200 requests of 1.8.0 since then")
    assert [step["state"] for step in found["steps"]] == ["done"] * len(found["steps"])
    assert [call[1:3] for call in programs.calls] == [
        ["get", "deployment"], ["rollout", "undo"], ["rollout", "undo"], ["rollout", "status"], ["get", "deployment"],
    ]  # fmt: skip
    assert all("--namespace=prod" in call for call in programs.calls)
    copy = Path(found["preserved"]["path"])
    assert check_digests(copy) == []
    assert hashlib.sha256((copy / "SHA256SUMS").read_bytes()).hexdigest() == found["preserved"]["sha256"]
    with connect(copy) as connection:
        count = "select count(*) from spans where service_version = '1.9.0'"
        assert connection.execute(count).fetchall() == [(400,)]
    assert found["preserved"]["pin"] in {pin.name for pin in pins(tmp_path / "store")}


def test_the_incident_has_the_verdict_the_copy_and_every_step(
    execute: Execute, programs: Programs, tmp_path: Path
) -> None:
    kubectl(programs)
    found = execute("recovered", *KUBERNETES).json
    log = IncidentLog(tmp_path / "store")
    events = log.read(found["incident"])
    assert {event.actor for event in events} == {"ada"}
    notes = [event.payload["text"] for event in events if event.kind == "note"]
    assert notes[0].startswith("rolls back sentiment from 1.9.0 to 1.8.0, deployment/sentiment in namespace prod")
    assert notes[-1] == found["statement"]
    about = [event.payload["about"] for event in events if event.kind == "evidence"]
    assert about[0] == "rollback check of sentiment 1.9.0: roll back"
    assert about[1].startswith("digests of the files of snapshots/")
    assert about[2] == "rollback execute: verified"
    assert log.problems(found["incident"]) == []


def test_an_incident_that_is_open_already_is_used(execute: Execute, programs: Programs, tmp_path: Path) -> None:
    kubectl(programs)
    once = execute("recovered", *KUBERNETES).json
    first = once["incident"]
    kubectl(programs)
    again = execute("recovered", *KUBERNETES, "--incident", first.lower()).json
    assert again["incident"] == first
    copies = [Path(found["preserved"]["path"]) for found in (once, again)]
    assert not list(copies[1].rglob("snapshots"))  # no copy has another in it
    assert (copies[1] / "incidents" / first / "log.jsonl").is_file()
    assert IncidentLog(tmp_path / "store").ids() == [first]
    outcome = execute("recovered", *KUBERNETES, "--incident", "INC-2000-999")
    assert outcome.code == 2
    assert "nothing was changed: " in outcome.err


def test_figures_that_do_not_come_back_are_a_finding(execute: Execute, programs: Programs) -> None:
    kubectl(programs)
    outcome = execute("still bad", *KUBERNETES)
    assert (outcome.code, outcome.json["outcome"]) == (1, "not returned")
    assert "not as it was: " in outcome.json["statement"]


def test_a_candidate_that_goes_on_to_serve_is_a_finding(execute: Execute, programs: Programs) -> None:
    kubectl(programs)
    outcome = execute("lingering", *KUBERNETES)
    assert (outcome.code, outcome.json["outcome"]) == (1, "not returned")
    assert "1.9.0 still serves 20 % of the requests" in outcome.json["statement"]


def test_too_few_requests_since_then_are_waited_for_and_then_said_to_be(execute: Execute, programs: Programs) -> None:
    kubectl(programs)
    outcome = execute("bad", *KUBERNETES, "--verify-within", "1ms")
    assert (outcome.code, outcome.json["outcome"]) == (3, "too little data")
    assert "not known yet whether it helped: the candidate has 0 requests" in outcome.err + outcome.json["statement"]


@pytest.mark.parametrize("arguments", [KUBERNETES, DOCKER, ("--target", "command", "--", "my-rollback", "a b")])
def test_a_dry_run_says_every_command_and_does_nothing(
    execute: Execute, programs: Programs, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    for name in ("kubectl", "docker", "my-rollback"):
        programs.play(name)
    at = arguments.index("--") if "--" in arguments else len(arguments)
    outcome = execute("bad", *arguments[:at], "--dry-run", *arguments[at:])
    assert (outcome.code, outcome.json["outcome"]) == (0, "planned")
    commands = [step["command"] for step in outcome.json["steps"] if step["command"]]
    assert {
        "kubernetes": [
            ["kubectl", "get", "deployment", "sentiment", "--output=json", "--namespace=prod"],
            ["kubectl", "rollout", "undo", "deployment/sentiment", "--dry-run=server", "--namespace=prod"],
            ["kubectl", "rollout", "undo", "deployment/sentiment", "--namespace=prod"],
            ["kubectl", "rollout", "status", "deployment/sentiment", "--watch", "--timeout=300s", "--namespace=prod"],
            ["kubectl", "get", "deployment", "sentiment", "--output=json", "--namespace=prod"],
        ],
        "docker": [
            ["docker", "service", "inspect", "sentiment"],
            ["docker", "service", "rollback", "--detach=false", "sentiment"],
            ["docker", "service", "inspect", "sentiment"],
        ],
        "command": [["my-rollback", "a b"]],
    }[arguments[1]] == commands
    assert programs.calls == []
    assert not (tmp_path / "store" / "incidents").exists()
    assert pins(tmp_path / "store") == []


def test_a_release_that_is_as_good_is_left_alone_unless_somebody_says_why(execute: Execute, programs: Programs) -> None:
    kubectl(programs)
    outcome = execute("fine", *KUBERNETES)
    assert outcome.code == 2
    assert "nothing was changed: the check says keep, not roll back" in outcome.err
    assert programs.called("rollout", "undo") == programs.called("--dry-run=server")
    kubectl(programs)
    why = "a hole in its image library"
    outcome = execute("fine", *KUBERNETES, "--override", why)
    assert (outcome.code, outcome.json["override"], outcome.json["check"]["verdict"]) == (3, why, "keep")


def test_a_candidate_that_never_recorded_anything_needs_somebody_who_says_why(
    execute: Execute, programs: Programs
) -> None:
    kubectl(programs)
    unseen = ("--candidate", "2.0.0", *KUBERNETES)
    outcome = execute("bad", *unseen)
    assert outcome.code == 2
    assert "version '2.0.0' of service 'sentiment' was not seen" in outcome.err
    kubectl(programs)
    outcome = execute("recovered", *unseen, "--override", "it does not even start")
    assert (outcome.code, outcome.json["check"]) == (3, None)  # this store has nothing after the rollback


def test_without_evidence_nothing_is_changed_unless_somebody_says_why(
    execute: Execute, programs: Programs, stores: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    shutil.copytree(stores / "bad", store)
    next(store.glob("metrics/date=*/hour=*/*.parquet")).unlink()
    kubectl(programs)
    arguments = (*KUBERNETES, "--override", "the metrics are lost")
    outcome = execute("bad", *arguments)
    assert outcome.code == 2
    assert "nothing was changed: the evidence cannot be preserved" in outcome.err
    assert programs.called("undo") == programs.called("--dry-run=server")
    (incident,) = IncidentLog(store).ids()
    assert "refused to roll back" in IncidentLog(store).read(incident)[-1].payload["text"]
    kubectl(programs)
    outcome = execute("bad", *arguments, "--without-evidence", "users lose money", "--incident", incident)
    assert (outcome.code, outcome.json["preserved"]) == (3, None)
    notes = [event.payload.get("text") for event in IncidentLog(store).read(incident)]
    assert "without evidence: users lose money" in notes


NOT_FOUND = 'Error from server (NotFound): deployments.apps "sentiment" not found\n'
FORBIDDEN = (
    'Error from server (Forbidden): deployments.apps "sentiment" is forbidden: User "ada" cannot get resource '
    '"deployments" in API group "apps" in the namespace "prod"\n'
)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"before": {"code": 1, "out": "", "err": NOT_FOUND}}, "not found: Error from server (NotFound): deployments"),
        ({"before": {"code": 1, "out": "", "err": FORBIDDEN}}, "kubectl has no permission: "),
        (
            {"before": {"code": 1, "out": "", "err": "Unable to connect to the server: dial tcp: i/o timeout"}},
            "kubectl does not reach the cluster: Unable to connect",
        ),
        ({"before": {"out": "\x1b[31mnot json"}}, "printed something that is no answer"),
        ({"before": {"out": "[]"}}, "printed something that is no answer"),
        ({"before": {"out": "", "signal": 9}}, "kubectl get deployment was ended by signal 9"),
        ({"before": {"code": 7, "out": ""}}, "kubectl get deployment failed with exit code 7: it said nothing"),
        (
            {"rehearsal": {"code": 1, "err": 'error: no rollout history found for deployment "sentiment"'}},
            "nothing to go back to: error: no rollout history",
        ),
        (
            {"rehearsal": {"code": 1, "err": "error: you cannot rollback a paused deployment; resume it first"}},
            "the deployment is paused: ",
        ),
        (
            {"rehearsal": {"out": "deployment.apps/sentiment skipped rollback (current template already matches)"}},
            "already runs what it would be rolled back to: revision 7",
        ),
    ],
)
def test_what_makes_a_rollback_impossible_is_found_out_before_anything_is_done(
    execute: Execute, programs: Programs, tmp_path: Path, parts: dict[str, Any], said: str
) -> None:
    kubectl(programs, **parts)
    outcome = execute("bad", *KUBERNETES)
    assert (outcome.code, outcome.out) == (2, "")
    last = outcome.err.splitlines()[-1]
    assert last.startswith("nothing was changed: ")
    assert said in last
    assert "\x1b" not in last
    assert programs.called("undo") == programs.called("--dry-run=server")
    assert not (tmp_path / "store" / "incidents").exists()


@pytest.mark.parametrize(
    ("arguments", "program"),
    [(KUBERNETES, "kubectl"), (DOCKER, "docker"), (("--target", "command", "--", "my-rollback"), "my-rollback")],
)
@pytest.mark.usefixtures("programs")
def test_a_tool_that_is_missing_is_named(execute: Execute, arguments: tuple[str, ...], program: str) -> None:
    outcome = execute("bad", *arguments)
    assert outcome.code == 2
    assert outcome.err.splitlines()[-1] == f"nothing was changed: {program} is not installed here, or not on the PATH"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"undo": {"code": 1, "out": "", "err": FORBIDDEN}}, "kubectl has no permission: "),
        ({"undo": {"out": "", "signal": 15}}, "kubectl rollout undo was ended by signal 15"),
        (
            {"status": {"code": 1, "out": "", "err": 'error: deployment "sentiment" exceeded its progress deadline'}},
            "the rollout stopped halfway: ",
        ),
        (
            {"status": {"code": 1, "out": "Waiting\n", "err": "error: timed out waiting for the condition"}},
            "the rollout is not done in time: ",
        ),
        ({"after": {"out": deployment(PRESENT, 7)}}, f"is still at revision 7 ({PRESENT})"),
    ],
)
def test_a_rollback_that_fails_says_what_runs_now(
    execute: Execute, programs: Programs, parts: dict[str, Any], said: str
) -> None:
    kubectl(programs, **parts)
    outcome = execute("bad", *KUBERNETES)
    assert (outcome.code, outcome.json["outcome"]) == (1, "failed")
    statement = outcome.json["statement"]
    assert said in statement
    assert "see `kubectl rollout status deployment/sentiment --namespace=prod`" in statement
    assert "revision " in statement
    assert outcome.json["verification"] is None
    assert outcome.json["preserved"] is not None


def test_a_failed_rollback_of_which_nobody_knows_the_state_says_so(execute: Execute, programs: Programs) -> None:
    kubectl(programs, undo={"signal": 9}, after={"out": "garbage"})
    outcome = execute("bad", *KUBERNETES)
    assert outcome.code == 1
    assert "what runs now is not known" in outcome.json["statement"]


def test_a_rollout_that_never_ends_is_given_up(
    execute: Execute, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infersight_analysis.releases.execution.kubernetes.LOOK_S", 0.5)
    kubectl(programs, status={"out": "Waiting for 1 of 3 replicas\n", "hangs": True, "stubborn": True})
    outcome = execute("bad", *KUBERNETES, "--timeout", "1s")
    assert outcome.code == 1
    assert "kubectl rollout status was not done within 1.5 s: Waiting for 1 of 3 replicas" in outcome.json["statement"]
    assert "  Waiting for 1 of 3 replicas\n" in outcome.err
    assert programs.hanging is None


@pytest.mark.parametrize(
    ("arguments", "parts", "code", "said"),
    [
        ((), {}, 0, "as before"),
        (
            ("--image", PREVIOUS),
            {"after": {"out": service(PREVIOUS, 9, state="completed")}},
            0,
            "as before",
        ),
        ((), {"before": {"out": service(PRESENT, 1, previous=False)}}, 2, "was never updated"),
        ((), {"before": {"code": 1, "out": "[]", "err": "Error: no such service: sentiment"}}, 2, "not found: "),
        (
            (),
            {"before": {"code": 1, "out": "", "err": "permission denied while trying to connect to the docker API"}},
            2,
            "docker has no permission: ",
        ),
        (("--image", PRESENT), {}, 2, f"already runs {PRESENT}"),
        ((), {"order": {"code": 1, "err": "service rollback paused: task failed"}}, 1, "the rollout stopped halfway"),
        ((), {"after": {"out": service(PREVIOUS, 9, state="rollback_paused")}}, 1, "the rollout stopped halfway"),
        # docker ends with 0 where an update failed and was rolled back by itself
        (
            ("--image", PREVIOUS),
            {"after": {"out": service(PRESENT, 9, state="rollback_completed")}},
            1,
            "docker took the update back",
        ),
        ((), {"after": {"out": service(PRESENT, 7)}}, 1, "was not changed"),
    ],
)
def test_a_swarm_service_is_rolled_back_and_what_docker_keeps_quiet_about_is_seen(
    execute: Execute, programs: Programs, *, arguments: tuple[str, ...], parts: dict[str, Any], code: int, said: str
) -> None:
    docker(programs, **parts)
    outcome = execute("recovered", *DOCKER, *arguments)
    assert outcome.code == code
    assert said in outcome.err + (outcome.json["statement"] if outcome.out else "")


def test_an_own_command_is_run_as_it_is(execute: Execute, programs: Programs) -> None:
    programs.play("my-rollback", {"when": [], "out": "done\n"})
    text = "--all; $(reboot) *"
    outcome = execute("recovered", "--target", "command", "--", "my-rollback", text)
    assert (outcome.code, outcome.json["before"], outcome.json["after"]) == (0, None, None)
    assert programs.calls == [["my-rollback", text]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*KUBERNETES, "--image", "a"), "--image is not for --target kubernetes"),
        ((*DOCKER, "--namespace", "a"), "--namespace is not for --target docker"),
        ((*DOCKER, "--", "rm"), "a command after -- is not for --target docker"),
        (("--target", "command"), "give the command that rolls back at the end"),
        ((*KUBERNETES, "--name", "--all"), "'--all' is no name of a deployment"),
        (("--target", "kubernetes", "--namespace", "a;b"), "'a;b' is no namespace"),
        ((*KUBERNETES, "--context", "-x"), "'-x' is no name of a context"),
        ((*DOCKER, "--image", "a b"), "'a b' is no image"),
    ],
)
def test_wrong_use_is_one_line_and_nothing_is_run(
    execute: Execute, programs: Programs, arguments: tuple[str, ...], said: str
) -> None:
    outcome = execute("bad", *arguments)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert said in outcome.err
    assert programs.calls == []
