"""Memory: what there is, who may come in, and that it recovers by itself."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.support.collectors import wait_until

from infersight_collector.component import Gate, Surroundings
from infersight_collector.config.values import Duration
from infersight_collector.errors import CollectorError, MemoryShort
from infersight_collector.processors.memory import available_bytes, resident_bytes
from infersight_collector.processors.memory_limiter import MemoryLimiter
from infersight_collector.receivers.refusal import Refusal
from infersight_collector.telemetry import Telemetry

MIB = 2**20
MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def groups(folder: Path, membership: str, **limits: str) -> int:
    for place, text in limits.items():
        path = folder / "groups" / place.replace("__", "/").replace("MAX", "memory.max")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    (folder / "cgroup").write_text(membership)
    return available_bytes(folder / "groups", folder / "cgroup")


def test_without_a_control_group_there_is_the_memory_of_the_machine(tmp_path: Path) -> None:
    assert available_bytes(tmp_path, tmp_path / "absent") == MACHINE
    assert groups(tmp_path, "0::/a/b\n", a__b__MAX="max") == MACHINE


def test_the_tightest_group_around_the_process_counts(tmp_path: Path) -> None:
    limits = {"a__b__MAX": str(8 * MIB), "a__MAX": str(4 * MIB), "c__MAX": str(MIB)}
    assert groups(tmp_path, "0::/a/b\n", **limits) == 4 * MIB


def test_in_a_container_the_root_is_the_group(tmp_path: Path) -> None:
    assert groups(tmp_path, "0::/docker/1234\n", MAX=str(16 * MIB)) == 16 * MIB


def test_control_groups_of_version_1_count(tmp_path: Path) -> None:
    limit = tmp_path / "groups" / "memory" / "a"
    limit.mkdir(parents=True)
    (limit / "memory.limit_in_bytes").write_text(f"{2 * MIB}\n")
    assert groups(tmp_path, "9:cpu,cpuacct:/a\n4:memory:/a\n") == 2 * MIB


def test_the_soft_limit_is_the_limit_less_the_spike() -> None:
    assert MemoryLimiter(limit_mib=1000).soft_limit == 800 * MIB
    assert MemoryLimiter(limit_mib=1000, spike_limit_mib=300).soft_limit == 700 * MIB
    by_part = MemoryLimiter(limit_percentage=50, spike_limit_percentage=10)
    assert by_part.soft_limit == available_bytes() * 50 // 100 - available_bytes() * 10 // 100
    assert MemoryLimiter(limit_mib=1000, limit_percentage=1).soft_limit == 800 * MIB


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({}, "there is no limit: write limit_mib"),
        ({"limit_percentage": 101}, "limit_percentage is not between 0 and 100"),
        ({"limit_mib": 100, "spike_limit_mib": 100}, "the spike limit is not below the limit"),
    ],
)
def test_limits_that_make_no_sense_are_refused(limits: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MemoryLimiter(**limits)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - only numbers here


def test_a_limit_below_what_the_collector_takes_anyway_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(CollectorError, match="raise limit_mib"):
        MemoryLimiter(limit_mib=2).start(Surroundings(tmp_path, Telemetry()))


def test_requests_are_refused_while_memory_is_short_and_taken_again_afterwards() -> None:
    limiter = MemoryLimiter(check_interval=Duration(0.01), limit_mib=resident_bytes() // MIB + 150, spike_limit_mib=50)
    assert isinstance(limiter, Gate)
    limiter.admit()
    ballast = np.ones(200 * MIB, np.uint8)

    def refuses() -> bool:
        try:
            limiter.admit()
        except MemoryShort:
            return True
        return False

    wait_until(refuses)
    assert len(ballast) == 200 * MIB
    del ballast
    wait_until(lambda: not refuses())


KEEPING = """
import numpy as np, time
from infersight_collector.memory import keep_memory
from infersight_collector.config.values import Duration
from infersight_collector.errors import MemoryShort
from infersight_collector.processors.memory import give_back, resident_bytes
from infersight_collector.processors.memory_limiter import MemoryLimiter

keep_memory()
give_back()  # the allocators take some memory for themselves when they are first used
limiter = MemoryLimiter(check_interval=Duration(0.001), limit_mib=resident_bytes() // 2**20 + 250, spike_limit_mib=50)

def refuses():
    time.sleep(0.002)  # longer than the interval, so that it looks anew
    try:
        limiter.admit()
    except MemoryShort:
        return True
    return False

blocks = [np.ones(2**20, np.uint8) for _ in range(500)]
assert refuses()
last = np.ones(2**10, np.uint8)  # what lies above free memory keeps it from being given back by itself
del blocks
assert not refuses()
"""


def test_memory_that_the_process_keeps_for_the_next_flush_does_not_close_it_for_good() -> None:
    subprocess.run([sys.executable, "-c", KEEPING], check=True, timeout=120)


def test_a_sender_is_told_to_come_again() -> None:
    refusal = Refusal.of(MemoryShort(800))
    assert (refusal.http_status, refusal.retryable, refusal.reason) == (503, True, "memory_limit")
    assert "limit of 800 MiB" in refusal.message
