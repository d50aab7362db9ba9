"""Programs of others, and every way in which they end."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from tests.support.collectors import wait_until

from infersight_analysis.releases.execution import processes
from infersight_analysis.releases.execution.processes import Outcome, run


def python(text: str, *arguments: str, timeout_s: float = 60) -> Outcome:
    return run([sys.executable, "-c", text, *arguments], timeout_s=timeout_s, told=lambda _: None)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_GRACE_S", 0.2)


def test_output_complaints_and_exit_code_are_kept_apart() -> None:
    outcome = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (outcome.ending, outcome.code, outcome.output, outcome.complaints) == ("exited", 3, "out\n", "err\n")
    assert not outcome.succeeded


def test_arguments_are_no_shell_s() -> None:
    text = "; rm -rf $HOME `id` | cat > /tmp/x && '\"\n*"
    assert python("import sys; print(sys.argv[1], end='')", text).output == text


def test_lines_are_told_while_it_runs() -> None:
    told: list[str] = []
    code = "import sys; print('one\\rtwo', flush=True); sys.stdin.read(); print('three', end='')"
    run([sys.executable, "-c", code], timeout_s=60, told=told.append)
    assert told == ["one", "two", "three"]


def test_a_program_that_is_missing_or_is_none_is_said_to_be(tmp_path: Path) -> None:
    assert run(["no-such-program-here"], timeout_s=1, told=print).ending == "not found"
    (tmp_path / "text").write_text("hello")
    outcome = run([str(tmp_path / "text")], timeout_s=1, told=print)
    assert (outcome.ending, outcome.complaints) == ("not started", "Permission denied")


def test_one_that_was_killed_names_its_signal() -> None:
    outcome = python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert (outcome.ending, outcome.code) == ("killed", signal.SIGKILL)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("stubborn", [False, True])
def test_one_that_hangs_is_ended_with_what_it_started(tmp_path: Path, stubborn: bool) -> None:
    code = (
        "import os, signal, sys, time\n"
        f"if {stubborn}: signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = os.fork()\n"
        f"if child: open({str(tmp_path / 'child')!r}, 'w').write(str(child)); print('begun', flush=True)\n"
        "while True: time.sleep(60)\n"
    )
    outcome = python(code, timeout_s=1.5)
    assert (outcome.ending, outcome.code, outcome.output) == ("timed out", None, "begun\n")
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: not is_running(child))  # the kernel reaps it, or its new parent


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


def test_one_that_prints_without_end_takes_no_memory() -> None:
    outcome = python("import sys\nfor _ in range(300): sys.stdout.write('x' * 9_999 + '\\n')\nprint('the end')")
    assert outcome.succeeded
    assert len(outcome.output) <= 64 * 1024
    assert outcome.output.endswith("the end\n")


def test_a_child_that_keeps_the_pipes_open_is_not_waited_for() -> None:
    code = (
        "import os, time\n"
        "child = os.fork()\n"
        "if child == 0:\n    time.sleep(60)\n    os._exit(0)\n"
        "print(child, flush=True)\nos._exit(0)"
    )
    begun = time.monotonic()
    outcome = python(code)
    os.kill(int(outcome.output), signal.SIGKILL)
    assert outcome.succeeded
    assert time.monotonic() - begun < 30


@pytest.mark.usefixtures("impatient")
def test_an_interrupt_ends_the_program_before_it_goes_on() -> None:
    def interrupted(line: str) -> None:
        pids.append(int(line))
        raise KeyboardInterrupt

    pids: list[int] = []
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    with pytest.raises(KeyboardInterrupt):
        run([sys.executable, "-c", code], timeout_s=60, told=interrupted)
    assert not is_running(pids[0])
