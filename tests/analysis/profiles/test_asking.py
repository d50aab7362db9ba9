"""A running process profiles its models when its user asks."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.analysis.conftest import Run

from infersight._control import address

SERVER = """
import os, sys, threading, time
import infersight
infersight.configure(service_name="sentiment", endpoint="http://127.0.0.1:9", shutdown_seconds=0.1, control={control})
if {with_torch}:
    import torch
    net = torch.nn.Linear(16, 4)
    torch.set_num_threads(1)

    def serve():
        with torch.no_grad():
            while True:
                net(torch.zeros(8, 16))
                time.sleep(0.005)

if {forks} and os.fork():
    os.wait()
if {with_torch}:
    threading.Thread(target=serve, daemon=True).start()
print(os.getpid(), flush=True)
sys.stdin.read()
"""


@contextmanager
def serving(*, control: bool = True, with_torch: bool = True, forks: bool = False) -> Generator[int]:
    """The number of a process that runs a model, of the forked child where it forks; it ends with the block."""
    code = SERVER.format(control=control, with_torch=with_torch, forks=forks)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        try:
            yield pid
        finally:
            os.kill(pid, signal.SIGKILL)  # the forked one, where there is one
            process.kill()


@pytest.mark.parametrize("forks", [False, True])
def test_the_operators_of_all_threads_are_seen(forks: bool, store: Path, run: Run) -> None:
    with serving(forks=forks) as pid:
        arguments = ("profile", "model", "--pid", str(pid), "--duration", "1s", "--store", store)
        shown = run(*arguments).json
        again = run(*arguments).json
    assert (shown["profile"]["kind"], shown["profile"]["pid"]) == ("model", pid)
    assert shown["profile"]["note"].startswith("all threads, on ")
    linear = [one for one in shown["operators"] if one["name"] == "aten::linear"]
    assert [one["shapes"] for one in linear] == [[[8, 16], [4, 16], [4]]]
    assert linear[0]["calls"] > 5
    assert again["profile"]["id"] != shown["profile"]["id"]
    trace = run("profile", "show", "last", "--format", "chrome", "--store", store).json
    assert any(event.get("name") == "aten::linear" for event in trace["traceEvents"])


def test_a_process_that_does_not_listen_says_how_to_let_it(store: Path, run: Run) -> None:
    with serving(control=False, with_torch=False) as pid:
        outcome = run("profile", "model", "--pid", str(pid), "--store", store)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "INFERSIGHT_CONTROL=1" in outcome.err


def test_what_cannot_be_profiled_is_said(store: Path, run: Run) -> None:
    with serving(with_torch=False) as pid:
        without = run("profile", "model", "--pid", str(pid), "--store", store)
        longer = run("profile", "model", "--pid", str(pid), "--duration", "2h", "--store", store)
    assert without.err == f"process {pid} cannot be profiled: it has not imported PyTorch\n"
    assert longer.err == f"process {pid} cannot be profiled: between 0 and 60 seconds can be profiled\n"


@pytest.mark.parametrize(
    "request_line", [b"\n", b"[]\n", b"no json\n", b'{"profile_model_seconds": "x"}\n', b"{" * 5_000]
)
def test_a_wrong_question_is_answered_and_the_next_one_too(request_line: bytes) -> None:
    with serving(with_torch=False) as pid:
        for _ in range(2):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(address(pid))
                connection.sendall(request_line)
                assert "error" in json.loads(connection.makefile("rb").readline())


@pytest.mark.skipif(os.geteuid() != 0, reason="only the administrator can be somebody else")
def test_other_users_are_not_answered() -> None:
    asking = (
        "import os, socket, sys; os.setuid(65534); c = socket.socket(socket.AF_UNIX); c.connect(sys.argv[1]);"
        'c.sendall(b"[]\\n"); print(c.makefile("rb").readline())'
    )
    with serving(with_torch=False) as pid:
        name = address(pid).replace("\0", "@")
        code = asking.replace("sys.argv[1]", 'sys.argv[1].replace("@", chr(0))')
        done = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True, check=False)
    assert "error" not in done.stdout
    assert done.stdout in {"b''\n", ""}
    assert done.stdout or "ConnectionResetError" in done.stderr or "BrokenPipeError" in done.stderr


def test_someone_else_who_listens_in_its_place_is_not_asked(store: Path, run: Run) -> None:
    with serving(control=False, with_torch=False) as pid, socket.socket(socket.AF_UNIX) as usurper:
        usurper.bind(address(pid))
        usurper.listen(1)
        outcome = run("profile", "model", "--pid", str(pid), "--store", store)
    assert outcome.err == f"another process listens in place of {pid}: it was not asked\n"
