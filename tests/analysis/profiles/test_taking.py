"""Profiles of real processes, taken by the command line."""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.conftest import Run
from tests.analysis.profiles.conftest import BUSY, Start
from tests.analysis.recording import MS, SECOND, T0, Recording, trace_id
from tests.support.collectors import wait_until

from infersight_analysis.profiles import records

INFERSIGHT = str(Path(sys.executable).with_name("infersight"))
ONCE = BUSY.with_name("once.py")

PR_CAPBSET_DROP = 24
CAP_SYS_PTRACE = 19


NEEDS_DEBUGGER = pytest.mark.skipif(
    sys.version_info < (3, 14) and not (shutil.which("gdb") or shutil.which("lldb")), reason="no gdb and no lldb"
)
KINDS = ["cpu", pytest.param("memory", marks=NEEDS_DEBUGGER)]


def own_shares(shown: Any) -> dict[str, float]:
    """Own shares by the bare name of the function."""
    return {each["function"].partition(" ")[0]: each["own_share"] for each in shown["functions"]}


def total_shares(shown: Any) -> dict[str, float]:
    return {each["function"].partition(" ")[0]: each["total_share"] for each in shown["functions"]}


def test_a_cpu_profile_says_where_a_process_was(store: Path, busy: Start, run: Run) -> None:
    process = busy(60)
    shown = run("profile", "cpu", "--pid", str(process.pid), "--duration", "1s", "--store", store).json
    profile = shown["profile"]
    assert (profile["kind"], profile["pid"], profile["unit"], profile["rate"]) == ("cpu", process.pid, "samples", 100.0)
    assert 5 <= profile["total"] <= 150
    assert total_shares(shown)["outer"] > 0.8
    assert own_shares(shown)["inner"] > 0.8
    assert str(BUSY) in profile["command"]
    document = json.loads((store / shown["evidence"]["numbers"]["file"]).read_text())
    assert sum(len(thread["samples"]) for thread in document["profiles"]) == profile["total"]


def test_what_was_seen_of_a_process_that_ends_is_kept(store: Path, busy: Start, run: Run) -> None:
    process = busy(1)
    shown = run("profile", "cpu", "--pid", str(process.pid), "--duration", "50s", "--store", store).json
    assert shown["profile"]["note"] == f"process {process.pid} ended meanwhile"
    assert shown["profile"]["total"] > 0
    assert run("profile", "list", "--store", store).json["profiles"] == [shown["profile"]]


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupt_keeps_what_was_seen(kind: str, store: Path, busy: Start) -> None:
    process = busy(60)
    command = [INFERSIGHT, "profile", kind, "--pid", str(process.pid), "--duration", "50s", "--store", str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as taking:
        wait_until_looked_at(process.pid, kind)
        taking.send_signal(signal.SIGINT)
        said, _ = taking.communicate(timeout=30)
    assert taking.returncode == 0
    assert json.loads(said)["profile"]["note"] == "ended by Ctrl-C"
    assert process.poll() is None


def wait_until_looked_at(pid: int, kind: str) -> None:
    """Until a profiler is at the process, which has then worked for half a second: 50 looks, more allocations."""

    def is_looked_at() -> bool:
        if kind == "memory":
            return "memray" in Path(f"/proc/{pid}/maps").read_text()
        return any(f"--pid\0{pid}\0" in line for line in command_lines() if "py-spy\0record" in line)

    wait_until(is_looked_at, 30)
    worked = cpu_seconds(pid)
    wait_until(lambda: cpu_seconds(pid) > worked + 0.5, 30)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def command_lines() -> list[str]:
    found: list[str] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_text(errors="replace"))
        except OSError:
            continue
    return found


@NEEDS_DEBUGGER
def test_a_memory_profile_says_who_allocated_at_the_peak(store: Path, busy: Start, run: Run) -> None:
    process = busy(60)
    shown = run("profile", "memory", "--pid", str(process.pid), "--duration", "1s", "--store", store).json
    assert (shown["profile"]["kind"], shown["profile"]["unit"]) == ("memory", "bytes")
    assert 100_000 < shown["profile"]["total"] < 20_000_000
    assert own_shares(shown)["outer"] > 0.8


def test_a_program_is_followed_from_start_to_end(store: Path, run: Run) -> None:
    shown = run("profile", "memory", "--store", store, "--", str(BUSY), "0.2").json
    assert own_shares(shown)["outer"] > 0.5
    assert shown["profile"]["command"] == f"python {BUSY} 0.2"
    assert not any("memray" in each["function"] for each in shown["functions"])


def test_a_program_that_fails_is_profiled_all_the_same(store: Path, run: Run) -> None:
    shown = run("profile", "memory", "--store", store, "--", str(BUSY), "soon").json
    assert shown["profile"]["note"] == "it ended with exit code 1"


def test_a_model_s_operators_are_told_with_their_shapes(store: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ONCE.parent)
    outcome = run("profile", "model", "once:predict", "--steps", "4", "--warmup", "1", "--store", store)
    shown = outcome.json
    linear = [one for one in shown["operators"] if one["name"] == "aten::addmm"]
    assert sorted(one["shapes"] for one in linear) == [[[4], [8, 64], [64, 4]], [[64], [8, 32], [32, 64]]]
    assert {one["calls"] for one in linear} == {4}
    assert all(one["self_cpu_ns"] <= one["cpu_ns"] for one in shown["operators"])
    assert shown["profile"]["total"] * 1_000 == pytest.approx(
        sum(one["self_cpu_ns"] for one in shown["operators"]), rel=0.2
    )
    assert "called" in outcome.err
    trace = run("profile", "show", "last-model", "--format", "chrome", "--store", store).json
    assert any(event.get("name") == "aten::addmm" for event in trace["traceEvents"])
    folded = run("profile", "show", "last", "--format", "folded", "--store", store).out
    assert any(line.startswith("aten::linear;aten::addmm ") for line in folded.splitlines())


@pytest.mark.parametrize(
    ("called", "says"),
    [
        ("once", "is no MODULE:CALLABLE"),
        ("nothing_here:predict", "No module named 'nothing_here'"),
        ("once:nothing", "has no attribute 'nothing'"),
        ("once:BATCH", "it cannot be called"),
        ("once:fails", "a call failed: ValueError: no weights"),
    ],
)
def test_a_model_that_cannot_be_called_is_one_line(
    called: str, says: str, store: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ONCE.parent)
    outcome = run("profile", "model", called, "--store", store)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert says in outcome.err


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_privilege_to_look_the_way_out_is_told(kind: str, store: Path, busy: Start) -> None:
    process = busy(60, "hidden")
    outcome = subprocess.run(
        [INFERSIGHT, "profile", kind, "--pid", str(process.pid), "--duration", "1s", "--store", str(store)],
        check=False, capture_output=True, text=True, preexec_fn=without_ptrace,
    )  # fmt: skip
    assert (outcome.returncode, outcome.stdout, outcome.stderr.count("\n")) == (2, "", 1)
    assert f"look into process {process.pid}" in outcome.stderr
    assert "CAP_SYS_PTRACE" in outcome.stderr


def without_ptrace() -> None:
    """What follows may not look into other processes, administrator or not."""
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE, 0, 0, 0)


@pytest.mark.parametrize("kind", ["cpu", "memory"])
def test_a_process_that_is_not_there_is_said_before_anything_is_done(kind: str, store: Path, run: Run) -> None:
    outcome = run("profile", kind, "--pid", "4194305", "--store", store)  # more than the kernel gives
    assert (outcome.code, outcome.err) == (
        2, "there is no process 4194305: `pgrep -af python` lists those of Python\n"
    )  # fmt: skip


def test_a_process_that_is_no_python_is_said(store: Path, run: Run) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        outcome = run("profile", "cpu", "--pid", str(process.pid), "--duration", "1s", "--store", store)
        process.kill()
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert str(process.pid) in outcome.err


def test_without_the_extra_one_line_says_what_to_install(
    store: Path, busy: Start, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", nothing)
    outcome = run("profile", "cpu", "--pid", str(busy(60).pid), "--store", store)
    assert (outcome.code, outcome.err) == (
        2, "profiling needs the 'profile' extra: pip install 'infersight[profile]'\n"
    )  # fmt: skip


def nothing(_name: str, path: str | None = None) -> None:
    """No such program."""


def test_without_a_store_nothing_is_measured(tmp_path: Path, run: Run) -> None:
    outcome = run("profile", "cpu", "--pid", "1", "--store", tmp_path / "nowhere")
    assert outcome.code == 2
    assert "no store at" in outcome.err


def test_the_traces_that_ran_meanwhile_in_the_process_are_found(tmp_path: Path, busy: Start, run: Run) -> None:
    process = busy(60)
    begun = time.time_ns() - T0
    recording = Recording()
    here = {"process.pid": process.pid, "host.name": socket.gethostname()}
    for number, resource in [(1, here), (2, {**here, "process.pid": process.pid + 1}), (3, {**here, "host.name": "b"})]:
        recording.span(number, 1, "POST /predict", begun - SECOND, 60 * SECOND, kind="SERVER", resource=resource)
    recording.span(1, 2, "forward", begun, 50 * SECOND, parent=1, resource=here)
    recording.span(4, 1, "before", begun - 50 * SECOND, MS, kind="SERVER", resource=here)
    store = recording.write(tmp_path / "traced")
    shown = run("profile", "cpu", "--pid", str(process.pid), "--duration", "1s", "--store", store).json
    assert (shown["traces"], shown["evidence"]["trace_ids"]) == (1, [trace_id(1)])
    assert shown["longest"][0]["name"] == "POST /predict"
    assert shown["longest"][0]["within_ns"] == shown["profile"]["duration_ns"]
    assert (shown["profile"]["service"], shown["profile"]["instance"]) == ("api", "api-1")
    (query,) = shown["evidence"]["sql"]
    found = {row["trace_id"] for row in run("sql", query, "--store", store).json}
    assert trace_id(1) in found
    assert records.kept(store).profiles[0].service == "api"
    during = {n: run("profile", "list", "--trace", trace_id(n), "--store", store).json["profiles"] for n in range(1, 5)}
    assert [each["id"] for each in during[1]] == [shown["profile"]["id"]]
    assert during[2] == during[3] == during[4] == []


def test_worker_processes_are_looked_at_and_their_traces_found(tmp_path: Path, busy: Start, run: Run) -> None:
    process = busy(20, "forked")
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    recording = Recording()
    of_child = {"process.pid": int(child), "host.name": socket.gethostname()}
    recording.span(1, 1, "POST /predict", time.time_ns() - T0, 60 * SECOND, kind="SERVER", resource=of_child)
    store = recording.write(tmp_path / "traced")
    asked = ("profile", "cpu", "--pid", str(process.pid), "--duration", "1s", "--store", store)
    alone, together = run(*asked).json, run(*asked, "--subprocesses").json
    os.kill(int(child), signal.SIGKILL)
    assert (alone["traces"], together["evidence"]["trace_ids"]) == (0, [trace_id(1)])
    folded = run("profile", "show", "last", "--format", "folded", "--store", store).out
    assert {int(line.split()[1]) for line in folded.splitlines()} == {process.pid, int(child)}
    (during,) = run("profile", "list", "--trace", trace_id(1), "--store", store).json["profiles"]
    assert during["id"] == together["profile"]["id"]
