"""`infersight rollback execute`, interrupted: what was done is said."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.analysis.releases.rolling_back import KUBERNETES, PREVIOUS, VERSIONS, WINDOW, kubectl
from tests.support.collectors import wait_until
from tests.support.programs import Programs

from infersight_analysis.incidents.log import IncidentLog


@pytest.mark.parametrize(
    ("hanging", "sent", "said"),
    [
        ("before", signal.SIGINT, "interrupted: nothing was changed"),
        ("undo", signal.SIGINT, "interrupted: whether deployment/sentiment in namespace prod changes is not known"),
        ("status", signal.SIGTERM, "interrupted: the rollback was ordered and goes on; see `kubectl rollout status"),
    ],
)
def test_ctrl_c_and_sigterm_say_what_state_they_leave(
    stores: Path, tmp_path: Path, programs: Programs, *, hanging: str, sent: signal.Signals, said: str
) -> None:
    store = tmp_path / "store"
    shutil.copytree(stores / "bad", store)
    kubectl(programs, **{hanging: {"hangs": True, "once": False}})
    command = (sys.executable, "-m", "infersight_analysis", "rollback", "execute", *VERSIONS, *WINDOW, *KUBERNETES)
    arguments = ("--store", str(store), "--actor", "ada", "--format", "json")
    with subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        wait_until(lambda: programs.hanging is not None or process.poll() is not None, 60)
        process.send_signal(sent)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert said in err + out
    assert programs.hanging is None
    if hanging != "before":
        found = json.loads(out)
        assert found["outcome"] == "interrupted"
        notes = [event.payload.get("text") for event in IncidentLog(store).read(found["incident"])]
        assert notes[-1] != notes[-2]
        assert found["statement"] in notes


def test_ctrl_c_while_it_waits_for_proof_says_that_it_was_rolled_back(
    stores: Path, tmp_path: Path, programs: Programs
) -> None:
    store = tmp_path / "store"
    shutil.copytree(stores / "bad", store)
    kubectl(programs)
    command = (sys.executable, "-m", "infersight_analysis", "rollback", "execute", *VERSIONS, *WINDOW, *KUBERNETES)
    arguments = ("--store", str(store), "--verify-within", "10m", "--format", "json")
    with subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("not known yet whether it helped"):
                break
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    found = json.loads(out)
    assert (process.returncode, found["outcome"]) == (130, "interrupted")
    assert found["statement"].endswith("interrupted before it was known whether it helped")
    assert found["after"] == f"revision 8 ({PREVIOUS})"
