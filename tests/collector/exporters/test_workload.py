"""The share of the time that goes into writing, by which the store's merges are put off."""

from infersight_collector.exporters.workload import Workload


def test_the_share_is_that_of_the_time_since_the_last_look() -> None:
    now = 100.0
    work = Workload(lambda: now)
    for seconds in (1.0, 2.0):
        work.begin()
        now += seconds
        work.end()
        now += 1
    assert work.share() == 3 / 5
    now += 10
    assert work.share() == 0


def test_work_that_is_begun_anew_counts_from_then() -> None:
    now = 0.0
    work = Workload(lambda: now)
    work.begin()
    now = 3.0
    work.begin()
    now = 4.0
    work.end()
    assert work.share() == 1 / 4
    assert work.share() == 0
