"""What was acknowledged is in the store exactly once, however and whenever the collector ends."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.collectors import RunningCollector, StartCollector, wait_until
from tests.support.load import Load, assert_exactly_once, stored


def kill_under_load(collector: RunningCollector, load: Load, moments: random.Random, *, in_a_merge: bool) -> None:
    """Kills a collector after a random number of requests, or when it has just written a merged file."""
    load.start()
    load.wait_until_acknowledged(moments.randrange(20, 400))
    if in_a_merge:
        before = set(collector.store.rglob("sorted-*"))
        wait_until(lambda: set(collector.store.rglob("sorted-*")) - before, 60)
    collector.kill()
    load.stop()


def kill_while_it_starts(store: Path, seconds: float) -> None:
    """Starts a collector on what the last one left, and kills it while it imports, replays or begins to listen."""
    command = [sys.executable, "-m", "infersight_collector", "--store", str(store)]
    for endpoint in ("grpc", "http", "health"):
        command += [f"--{endpoint}-endpoint", "127.0.0.1:0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    process.kill()
    process.wait()


@pytest.mark.parametrize("rounds", [5, pytest.param(50, marks=pytest.mark.slow)])
def test_kill_9_loses_and_doubles_nothing_that_was_acknowledged(start_collector: StartCollector, rounds: int) -> None:
    moments = random.Random(7)
    collector = start_collector()
    loads: list[Load] = []
    for number in range(rounds):
        load = Load(collector, f"round{number}")
        loads.append(load)
        kill_under_load(collector, load, moments, in_a_merge=number % 10 == 7)
        if number % 3 == 1:
            kill_while_it_starts(collector.store, moments.uniform(0.5, 2))
        collector = start_collector(store=collector.store)
        # What the dead processes left is stored before the new one says that it is ready.
        assert_exactly_once(collector, load, f"round{number}")
    for number, load in enumerate(loads):
        assert_exactly_once(collector, load, f"round{number}")
    assert not (collector.store / "quarantine").exists()


def test_sigterm_stores_what_was_acknowledged_and_ends_with_0(start_collector: StartCollector) -> None:
    collector = start_collector()
    load = Load(collector, "drain")
    load.start()
    load.wait_until_acknowledged(500)
    assert collector.stop() == 0
    load.stop()
    assert_exactly_once(collector, load, "drain")
    assert not list((collector.store / "wal").rglob("*.wal"))


def test_readers_see_ever_more_and_never_an_error_while_the_collector_writes(start_collector: StartCollector) -> None:
    collector = start_collector()
    load = Load(collector, "read", threads=2)
    load.start()
    counts: list[int] = []

    def read_twenty_times() -> bool:
        counts.append(collector.query("select count(*) from spans")[0][0])
        return len(set(counts)) > 4

    wait_until(read_twenty_times, 60)
    load.stop()
    assert counts == sorted(counts)
    wait_until(lambda: load.acknowledged <= set(stored(collector, "read")))
    assert_exactly_once(collector, load, "read")


def test_two_collectors_write_to_one_store_and_each_starts_again_beside_the_other(
    start_collector: StartCollector,
) -> None:
    first = start_collector()
    second = start_collector(store=first.store)
    loads = {name: Load(collector, name, threads=3) for name, collector in [("first", first), ("second", second)]}
    for load in loads.values():
        load.start()
    for load in loads.values():
        load.wait_until_acknowledged(300)
    first.kill()
    loads["first"].stop()
    # It takes over what the dead one left, and leaves the log of the living one alone.
    third = start_collector(store=first.store)
    assert_exactly_once(third, loads["first"], "first")
    before = len(loads["second"].acknowledged)
    loads["second"].wait_until_acknowledged(before + 100)
    assert second.stop() == 0
    loads["second"].stop()
    assert third.stop() == 0
    for name, load in loads.items():
        assert_exactly_once(third, load, name)
    assert not list((first.store / "wal").rglob("*.wal"))
