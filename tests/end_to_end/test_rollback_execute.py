"""A rollback end to end: a bad version of a real server, traffic that moves, and proof from what is recorded then."""

import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

from tests.support.collectors import RunningCollector, wait_until
from tests.support.reviews import Candidate, load, serving

from infersight_analysis import connect
from infersight_collector.store.duplicate import check_digests

INFERSIGHT = str(Path(sys.executable).with_name("infersight"))
GOOD = Candidate("1.0.0", requests=500, seconds=0.05)
BAD = Candidate("2.0.0", requests=500, seconds=0.05, regressions=("slow-explain", "all-caps"))
SECONDS = 10.0


def served(store: Path) -> int:
    """How many requests of the bad version are recorded, those with feedback included."""
    with connect(store) as connection:
        count = "select count(*) from spans where service_version = $version and kind = 'SERVER'"
        ((counted,),) = connection.execute(count, {"version": BAD.version}).fetchall()
        return int(counted)


def test_a_bad_version_is_left_and_the_figures_are_as_before(collector: RunningCollector, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    with serving(collector, tmp_path, [GOOD, BAD]) as ports:
        load(ports, [GOOD, BAD], SECONDS)
        wait_until(lambda: served(collector.store) >= BAD.requests, 60)

        def follow() -> None:
            wait_until(moved.exists, 120)
            load(ports[:1], [replace(GOOD, requests=1_000)], 2 * SECONDS)

        traffic = threading.Thread(target=follow)
        traffic.start()
        versions = ("--service", "reviews", "--baseline", GOOD.version, "--candidate", BAD.version)
        waiting = ("--verify-within", "90s", "--limit", "latency=75%")
        command = ("--target", "command", "--", sys.executable, "-c", f"open({str(moved)!r}, 'w').close()")
        asked = [INFERSIGHT, "rollback", "execute", *versions, *waiting, "--store", str(collector.store)]
        result = subprocess.run(
            [*asked, "--format", "json", *command], check=False, capture_output=True, text=True, timeout=180
        )
        moved.touch()
        traffic.join()
    found = json.loads(result.stdout)
    assert (result.returncode, found["outcome"]) == (0, "verified"), found["statement"]
    assert found["check"]["verdict"] == "roll back"
    assert found["verification"]["candidate"]["recorded"] >= 50
    assert found["still_serving"] == 0
    copy = Path(found["preserved"]["path"])
    assert check_digests(copy) == []
    assert served(copy) >= BAD.requests
