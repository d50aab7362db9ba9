"""`infersight incident` as it is typed: exit codes, one line for each mistake, evidence that stays what it was."""

import json
import shlex
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.conftest import Outcome, Run
from tests.analysis.incidents.scenes import WINDOW, exhausted_pool
from tests.analysis.recording import T0

from infersight_analysis.incidents.log import IncidentLog
from infersight_collector.store.duplicate import check_digests
from infersight_collector.store.pins import pins

HOUR_NS = 3600 * 10**9


class Bench:
    """The command line on one incident of one store."""

    def __init__(self, run: Run, store: Path) -> None:
        self.run, self.store = run, store
        self.log = IncidentLog(store)
        self.id = ""

    def __call__(self, verb: str, *arguments: str | Path) -> Outcome:
        return self.run("incident", *verb.split(), self.id, "--store", self.store, *arguments)

    def open(self, *arguments: str) -> Outcome:
        outcome = self.run("incident", "open", "It is slow", "--severity", "low", *arguments, "--store", self.store)
        self.id = outcome.json["incident"]
        return outcome

    def events(self, kind: str) -> list[Any]:
        return [event.payload for event in self.log.read(self.id) if event.kind == kind]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exhausted_pool(tmp_path_factory.mktemp("verbs") / "store", every_s=20)


@pytest.fixture
def bench(run: Run, filled: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("INFERSIGHT_ACTOR", "ada")
    bench = Bench(run, filled)
    bench.open("--symptom", "p95 is above 1 s")
    return bench


def test_a_refusal_is_one_line_with_what_is_next_and_exits_with_1(bench: Bench) -> None:
    outcome = bench("fix record", "restart")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.count("\n") == 1
    assert outcome.err.startswith("nothing was reproduced and there is no evidence")
    assert f"--store {bench.store}" in outcome.err


def test_the_command_that_is_next_works_as_it_is_printed(bench: Bench, run: Run) -> None:
    outcome = bench("fix record", "restart")
    told = shlex.split(outcome.err.partition("; next: ")[2])
    assert run(*told[1:]).code == 0


def test_an_override_is_taken_and_shown(bench: Bench) -> None:
    outcome = bench("close", "--override", "a drill")
    assert (outcome.code, outcome.json["stage"]) == (0, "closed")
    status = bench("status").json
    (override,) = status["overridden"]
    assert (override["why"], override["actor"], override["refused"]) == ("a drill", "ada", "the cause is not known")
    assert "against the method: closed by ada" in bench("status", "--format", "table").out
    assert "Against the method" in bench("show", "--format", "html").out


@pytest.mark.parametrize(
    ("verb", "arguments", "says"),
    [
        ("evidence add", [], "give one of --verb, --sql, --file and --profile"),
        ("evidence add", ["--verb", "store retain --max-age 1s"], "is no verb that finds something"),
        ("evidence add", ["--verb", "incident close X"], "is no verb that finds something"),
        ("evidence add", ["--verb", "errors --last soon"], "is no duration"),
        ("evidence add", ["--sql", "drop view spans"], "read-only"),
        ("evidence add", ["--file", "/nowhere"], "cannot read /nowhere"),
        ("evidence add", ["--profile", "last"], "has no profiles: take one"),
        ("reproduce", [], "say what to do: -- COMMAND, --url or --request"),
        ("reproduce", ["--url", "ftp://a"], "begins with http"),
        ("reproduce", ["--url", "http://a", "--", "true"], "give one of COMMAND, --url and --request"),
        ("reproduce", ["--exit-code", "many", "--", "true"], "is no exit code"),
        ("hypothesis test", ["H1", "--sql", "select true"], "no hypothesis H1"),
        ("hypothesis add", ["h", "--refuted-by", "r", "--explains", "S7"], "no symptom S7: there are S1"),
        ("cause set", ["c", "--hypothesis", "H7"], "no hypothesis H7"),
        ("prevent add", ["hope", "d"], "'hope' is not one of"),
        ("export", ["--output", "incident.docx"], "name it .tar.gz, .json or .html"),
        ("reopen", ["--reason", "again"], "the incident is open"),
    ],
)
def test_a_mistake_is_one_line_and_exits_with_2(bench: Bench, verb: str, arguments: list[str], says: str) -> None:
    outcome = bench(verb, *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    assert says in outcome.err


def test_an_incident_that_is_not_there_is_wrong_use(bench: Bench) -> None:
    known, bench.id = bench.id, "INC-1999-001"
    outcome = bench("status")
    assert outcome.code == 2
    assert known in outcome.err


def supposed(bench: Bench) -> None:
    assert bench("evidence add", "--sql", "select count(*) as spans from spans").code == 0
    assert bench("hypothesis add", "the pool is too small", "--refuted-by", "r", "--explains", "all").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "outcome"),
    [
        (["--sql", "select count(*) > 0 from span_events"], 0, "supported"),
        (["--sql", "select count(*) = 0 from span_events"], 1, "refuted"),
        (["--sql", "select null::boolean"], 3, "undecided"),
        (["--verb", "errors", "--expect", "errors[1].type = 'PoolTimeout'"], 0, "supported"),
        (["--verb", "errors", "--expect", "len(consequences) > 0"], 1, "refuted"),
        (
            ["--verb", "sql 'select kind from spans'", "--expect", "count(*) filter (kind = 'SERVER') > 0"],
            0,
            "supported",
        ),
        (["--exit-code", "0", "--", "true"], 0, "supported"),
        (["--exit-code", "0", "--", "false"], 1, "refuted"),
    ],
)
def test_a_test_says_by_its_exit_code_what_it_showed(
    bench: Bench, arguments: list[str], code: int, outcome: str
) -> None:
    supposed(bench)
    answered = bench("hypothesis test", "H1", *arguments)
    assert (answered.code, answered.json["said"]["outcome"]) == (code, outcome), answered.err
    kept = bench.events("evidence")[-1]
    assert bench.events("test")[-1]["evidence"] == kept["name"] == "E2"


def test_a_test_that_is_now_so_and_now_not_does_not_decide(bench: Bench, tmp_path: Path) -> None:
    supposed(bench)
    toggle = f"test -e {tmp_path}/on && rm {tmp_path}/on || (touch {tmp_path}/on; exit 1)"
    arguments = ("H1", "--attempts", "4", "--exit-code", "0", "--", "sh", "-c", toggle)
    assert bench("hypothesis test", *arguments).code == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--sql", "select 1"], "1 is neither true nor false"),
        (["--sql", "select kind = 'SERVER' from spans"], "rows of 1 columns: a test answers one value"),
        (["--verb", "errors"], "--verb and --expect go together"),
        (["--verb", "errors", "--expect", "nope = 1"], "cannot ask 'nope = 1' of the finding"),
        (["--verb", "errors", "--expect", "(select count(*) from read_text('/etc/passwd')) > 0"], "disabled"),
        (["--verb", "sql 'select kind from spans'", "--expect", "kind = 'SERVER'"], "aggregate them"),
        ([], "give one of --sql, --verb and a command or request"),
    ],
)
def test_a_test_that_is_none_is_refused_and_leaves_no_trace(bench: Bench, arguments: list[str], says: str) -> None:
    supposed(bench)
    outcome = bench("hypothesis test", "H1", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert says in outcome.err
    assert bench.events("test") == []


def test_evidence_is_kept_with_its_digest_and_its_traces_are_pinned(bench: Bench) -> None:
    assert bench("evidence add", "--verb", "errors").code == 0
    (kept,) = bench.events("evidence")
    content = (bench.log.path(bench.id) / kept["file"]).read_bytes()
    assert sha256(content).hexdigest() == kept["sha256"]
    assert kept["about"] == "infersight errors"
    (made,) = [pin for pin in pins(bench.store) if pin.name == f"{bench.id}-E1"]
    assert set(json.loads(content)["errors"][0]["examples"]) <= set(made.trace_ids)


def test_a_window_is_pinned_whole(bench: Bench) -> None:
    bench.open(*WINDOW)
    (made,) = [pin for pin in pins(bench.store) if pin.name == bench.id]
    assert (made.start_ns, made.end_ns) == (T0 + HOUR_NS, T0 + HOUR_NS + 1200 * 10**9)
    assert made.trace_ids == ()


def test_a_profile_and_a_file_are_kept_as_they_are(bench: Bench, tmp_path: Path) -> None:
    profile = tmp_path / "cpu.folded"
    profile.write_bytes(b"main;query 7\n\xff")
    assert bench("evidence add", "--profile", profile, "--about", "CPU under load").code == 0
    (kept,) = bench.events("evidence")
    assert (kept["type"], kept["about"]) == ("profile", "CPU under load")
    assert (bench.log.path(bench.id) / kept["file"]).read_bytes() == profile.read_bytes()
    assert kept["file"].endswith(".folded")


def test_what_was_changed_or_lost_later_shows_and_exits_with_1(bench: Bench) -> None:
    for query in ("select 1 as one", "select 2 as two"):
        bench("evidence add", "--sql", query)
    assert bench("status").code == 0
    first, second = (bench.log.path(bench.id) / kept["file"] for kept in bench.events("evidence"))
    first.write_text("nothing")
    second.unlink()
    log = bench.log.path(bench.id) / "log.jsonl"
    log.write_text(log.read_text().replace("p95 is above 1 s", "p95 is fine"))
    outcome = bench("status")
    assert outcome.code == 1
    problems = outcome.json["problems"]
    assert problems[0] == "event 1 is not what was recorded: it was changed"
    assert problems[1].startswith("E1 is not what was kept, it was changed")
    assert problems[2].startswith("E2 is missing")
    assert bench("show").code == 1
    listed = bench.run("incident", "list", "--store", bench.store).json["incidents"]
    assert [each["problems"] for each in listed if each["id"] == bench.id] == [3]


def test_an_archive_has_everything_and_its_sums_are_right(bench: Bench, tmp_path: Path) -> None:
    bench("evidence add", "--sql", "select 1 as one")
    assert bench("export", "--output", tmp_path / "incident.tar.gz").code == 0
    with tarfile.open(tmp_path / "incident.tar.gz") as archive:
        archive.extractall(tmp_path / "out", filter="data")
    folder = tmp_path / "out" / bench.id
    assert check_digests(folder) == []
    assert (folder / "log.jsonl").read_bytes() == (bench.log.path(bench.id) / "log.jsonl").read_bytes()
    assert len(list((folder / "evidence").iterdir())) == 1
    assert json.loads((folder / "incident.json").read_text())["status"]["id"] == bench.id


def test_the_latest_incident_is_listed_first_with_what_it_lacks(bench: Bench, run: Run) -> None:
    first = run("incident", "list", "--store", bench.store).json["incidents"][0]
    assert (first["id"], first["stage"]) == (bench.id, "open")
    assert first["missing"] == ["data", "hypothesis", "cause", "fix", "verification"]
    table = run("incident", "list", "--store", bench.store, "--format", "table").out
    assert bench.id in table


def test_who_did_it_is_named_or_the_login(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench("note", "by name", "--actor", "grace")
    bench("note", "by the environment")
    monkeypatch.delenv("INFERSIGHT_ACTOR")
    monkeypatch.setattr("getpass.getuser", lambda: "login")
    bench("note", "by login")
    assert [event.actor for event in bench.log.read(bench.id)[-3:]] == ["grace", "ada", "login"]


def test_incidents_stay_with_the_store_and_go_along_with_its_copies(run: Run, tmp_path: Path) -> None:
    store = exhausted_pool(tmp_path / "store", every_s=60)
    bench = Bench(run, store)
    bench.open(*WINDOW)
    bench("evidence add", "--sql", "select 1 as one")
    count = ("sql", "select count(*) as n, count(*) filter (start_time < '2025-10-09 09:00') as early from spans")
    before = run(*count, "--store", store).json[0]
    assert run("store", "retain", "--store", store, "--max-age", "1ms").code == 0
    after = run(*count, "--store", store).json[0]
    assert (before["early"] > 0, after["early"]) == (True, 0)
    assert after["n"] > 0  # what the incident is about
    assert bench("status").code == 0
    assert run("store", "snapshot", tmp_path / "copy", "--store", store).code == 0
    copied = Bench(run, tmp_path / "copy")
    copied.id = bench.id
    assert copied("show").json == bench("show").json
    assert check_digests(tmp_path / "copy") == []
    bench("note", "the copy does not see this")
    assert len(copied.log.read(bench.id)) == len(bench.log.read(bench.id)) - 1
