"""The end of a process, where no thread can be started any more: since Python 3.12, in `atexit` functions."""

import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infersight._deferred import DeferredEnds
from infersight._ending import Helpers, all_end

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Script

EMIT = """
import infersight, logging
infersight.configure(service_name="ends", console="off")
with infersight.stage("last words"):
    logging.getLogger("end").info("last line")
"""


class Ending:
    """Something whose device is there."""

    def __init__(self) -> None:
        self.completed = False

    def is_ready(self) -> bool:
        return True

    def complete(self, ready: bool) -> None:
        self.completed = ready


@pytest.fixture
def no_new_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)


def test_tasks_run_side_by_side() -> None:
    helpers, both = Helpers(), threading.Barrier(2)
    assert all_end(helpers.start([lambda: both.wait(10), lambda: both.wait(10)]), 10)
    assert not all_end(helpers.start([lambda: both.wait(10)]), 0.01)
    both.abort()
    helpers.stop()


def test_tasks_are_done_though_no_thread_can_be_started(request: pytest.FixtureRequest) -> None:
    helpers = Helpers()
    request.getfixturevalue("no_new_threads")
    done: list[int] = []
    assert all_end(helpers.start([partial(done.append, number) for number in range(5)]), 10)
    assert sorted(done) == list(range(5))
    helpers.stop()


@pytest.mark.usefixtures("no_new_threads")
def test_a_deferred_span_ends_though_no_thread_can_be_started() -> None:
    ends, ending = DeferredEnds(), Ending()
    ends.add(ending)
    assert ending.completed
    assert ends.drain(1)


def test_a_process_that_ends_at_once_sends_all_and_says_nothing(receiver: "Receiver", script: "Script") -> None:
    result = script(EMIT, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint)
    assert (result.returncode, result.stderr) == (0, "")
    assert [span.name for span in receiver.spans] == ["last words"]
    assert [row.record.body.string_value for row in receiver.logs] == ["last line"]


def test_a_process_that_ends_at_once_leaves_all_in_its_spool(
    receiver: "Receiver", script: "Script", tmp_path: Path
) -> None:
    spooled = {"INFERSIGHT_SPOOL": str(tmp_path / "spool"), "INFERSIGHT_SHUTDOWN_SECONDS": "0.5"}
    result = script(EMIT, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", **spooled)
    assert (result.returncode, "Traceback" in result.stderr) == (0, False)
    script(EMIT, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint, **spooled)
    assert [span.name for span in receiver.spans] == ["last words"] * 2
