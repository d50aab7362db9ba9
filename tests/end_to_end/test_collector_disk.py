"""A disk that is full, or that cannot be written: senders are told to come again, and nothing acknowledged is lost."""

# pyright: reportUnknownMemberType=false
# grpc publishes no types.

import http.client
import json
import os
import resource
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from tests.support.collectors import RunningCollector, StartCollector, wait_until
from tests.support.load import Load, wait_until_stored
from tests.support.otlp_requests import spans_request
from tests.support.otlp_senders import Answer, GrpcSender, post

from infersight_collector.signals import Signal


def send(collector: RunningCollector, name: str) -> Answer:
    return post(collector.http, "/v1/traces", spans_request(name))


def wait_until_refused(collector: RunningCollector) -> Answer:
    answer = wait_until(lambda: (answer := send(collector, "refused")).status == 503 and answer)
    assert isinstance(answer, Answer)
    return answer


def wait_until_taken(collector: RunningCollector, name: str) -> None:
    wait_until(lambda: send(collector, name).status == 200, 60)


@contextmanager
def forbidden_to_write(collector: RunningCollector) -> Generator[None]:
    """Lets every write of the process fail, as on a full disk, by forbidding it files of any size."""
    pid = collector.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


def test_a_full_disk_is_answered_with_try_again_and_recovered_from(start_collector: StartCollector) -> None:
    collector = start_collector()
    sender = GrpcSender(collector.grpc)
    assert send(collector, "before").status == 200
    with forbidden_to_write(collector):
        answer = wait_until_refused(collector)
        assert int(answer.headers["retry-after"]) > 0
        with pytest.raises(grpc.RpcError) as refused:
            sender.send(Signal.TRACES, spans_request("refused"))
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        trailer: Any = refused.value.trailing_metadata()
        details = dict(trailer)["grpc-status-details-bin"]
        retry = RetryInfo()
        assert Status.FromString(details).details[0].Unpack(retry)
        assert retry.retry_delay.seconds > 0
    wait_until_taken(collector, "after")
    collector.wait_for("select count(*) from spans where name = 'before'", 1)
    collector.wait_for("select count(*) from spans where name = 'after'", 1)
    assert collector.query("select count(*) from spans where name = 'refused'") == [(0,)]
    assert collector.stop() == 0
    sender.close()


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path]:
    """A file system of 32 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", "size=32m", "none", str(disk))
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def is_ready(collector: RunningCollector) -> bool:
    status = [sys.executable, "-m", "infersight_collector", "status", "--health-endpoint", collector.health]
    return subprocess.run(status, check=False, capture_output=True).returncode == 0


def page(collector: RunningCollector, path: str) -> tuple[int, str]:
    """Status code and text of a page of the health endpoint."""
    with closing(http.client.HTTPConnection(collector.health, timeout=30)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()


def is_unready_because(collector: RunningCollector, reason: str) -> bool:
    """Whether both pages say that it is not ready, and why."""
    status, said = page(collector, "/ready")
    state = json.loads(page(collector, "/status")[1])
    return status == 503 and reason in said and not state["ready"] and reason in state["reason"]


def fill(ballast: Path) -> None:
    """Writes until nothing more fits."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(64 * 1024)):
            pass
    assert os.statvfs(ballast).f_bavail == 0


def test_a_disk_that_others_fill_is_waited_for_under_load(start_collector: StartCollector, small_disk: Path) -> None:
    collector = start_collector(store=small_disk / "store")
    load = Load(collector, "load", patient=True)
    load.start()
    load.wait_until_acknowledged(200)
    ballast = small_disk / "ballast"
    fill(ballast)
    load.wait_until_refused(100)
    wait_until(lambda: not is_ready(collector))
    ballast.unlink()
    before = len(load.acknowledged)
    load.wait_until_acknowledged(before + 200)
    load.stop()
    wait_until_stored(collector, load, "load")
    wait_until(lambda: is_ready(collector))
    assert collector.stop() == 0
    assert not list((collector.store / "wal").rglob("*.wal"))
    assert not (collector.store / "quarantine").exists()


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True])
def test_a_disk_that_the_store_fills_itself_is_recovered_from_once_it_is_larger(
    start_collector: StartCollector, small_disk: Path, killed: bool
) -> None:
    collector = start_collector(store=small_disk / "store")
    names = [f"{number}-{'x' * 1000}" for number in range(1000)]
    acknowledged = 0
    while (
        answer := post(collector.http, "/v1/traces", spans_request(*(f"{acknowledged}-{n}" for n in names)))
    ).status == 200:
        acknowledged += 1
    assert answer.status == 503
    if killed:
        collector.kill()
        # It starts on a full disk all the same, with what it cannot store yet in its log.
        collector = start_collector(store=collector.store)
    mount("-o", "remount,size=256m", str(small_disk))
    wait_until_taken(collector, "after")
    collector.wait_for(
        "select count(*) from spans where name <> 'after' and name <> 'refused'", acknowledged * len(names)
    )
    assert collector.stop() == 0
    assert not (collector.store / "quarantine").exists()


@contextmanager
def read_only(*directories: Path) -> Generator[None]:
    """Directories in which nobody, root included, can make, rename or delete a file."""
    names = [str(directory) for directory in directories]
    done = subprocess.run(["chattr", "+i", *names], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"directories cannot be made immutable here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", *names], check=True)


def test_a_directory_that_cannot_be_written_is_refused_at_the_start_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infersight_collector", "--store", str(tmp_path / "store")]
    for endpoint in ("grpc", "http", "health"):
        command += [f"--{endpoint}-endpoint", "127.0.0.1:0"]
    with read_only(tmp_path):
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"cannot create a store at {tmp_path}/store" in done.stderr


@pytest.mark.parametrize(
    ("parts", "said", "reason"),
    [
        (("wal/*",), "cannot leave the log yet", "cannot append to"),
        (("spans/_delta_log", "logs/_delta_log"), "is tried again in", "cannot commit to"),
        (("spans/*/*", "logs/*/*"), "is tried again in", "cannot write"),
    ],
)
def test_directories_that_become_read_only_are_waited_for(
    start_collector: StartCollector, parts: tuple[str, ...], said: str, reason: str
) -> None:
    collector = start_collector()
    load = Load(collector, "load", threads=2, patient=True)
    load.start()
    load.wait_until_acknowledged(50)
    wait_until(lambda: all(list(collector.store.glob(part)) for part in parts))
    with read_only(*(path for part in parts for path in collector.store.glob(part) if path.is_dir())):
        wait_until(lambda: said in collector.log.read_text(), 60)
        wait_until(lambda: is_unready_because(collector, reason), 60)
    before = len(load.acknowledged)
    load.wait_until_acknowledged(before + 100)
    load.stop()
    wait_until_stored(collector, load, "load")
    assert "Traceback" not in collector.log.read_text()
    assert "\\u001b" not in collector.log.read_text()
    assert page(collector, "/ready") == (200, "ready\n")
    assert collector.stop() == 0
    assert not (collector.store / "quarantine").exists()
