"""`slowest` over traces of every shape: the same as a look at each span."""

import random
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.analysis.recording import MS, SECOND, T0, Recording, Source, trace_id

from infersight_analysis import connect
from infersight_collector.store.maintenance import Maintenance

HOUR = 3600 * SECOND
SERVICES: list[Source] = [("gateway", "g-1", "1"), ("model", "m-1", "2"), ("worker", "w-1", None)]
KINDS = ["SERVER", "SERVER", "CONSUMER", "CLIENT", "INTERNAL"]
WRITES = 3


class Sent(NamedTuple):
    """What makes a span a request, and which one of its trace."""

    trace: int
    start_ns: int
    minus_duration_ns: int
    span: int
    service: str


def fill(store: Path, chance: random.Random) -> list[Sent]:
    """Traces over four hours in some writes, with work after the answer, batches and clocks that step back."""
    recordings = [Recording() for _ in range(WRITES)]
    requests: list[Sent] = []
    for trace in range(1, 61):
        begun = chance.randrange(4 * HOUR)
        for span in range(1, chance.randint(2, 8)):
            start = begun + chance.randrange(chance.choice([1, 50 * MS, HOUR]))
            duration = chance.choice([None, -5, chance.randrange(SECOND), chance.randrange(HOUR)])
            parent = chance.choice([None, 1, 1])
            kind, source, is_batch = chance.choice(KINDS), chance.choice(SERVICES), chance.random() < 0.2
            attributes = {"infersight.operation": "batch"} if is_batch else {}
            for _ in range(chance.choice([1, 1, 2])):
                chance.choice(recordings).span(trace, span, "s", start, duration, parent=parent, kind=kind,
                                               source=source, attributes=attributes)  # fmt: skip
            if duration is not None and not is_batch and (kind in ("SERVER", "CONSUMER") or parent is None):
                requests.append(Sent(trace, T0 + start, -duration, span, source[0]))
    for number, recording in enumerate(recordings):
        recording.write(store, writer=f"w{number}")
    return requests


def slowest(
    requests: list[Sent], most: int, service: str | None, start_ns: int, end_ns: int
) -> list[tuple[str, str, float]]:
    """The trace, the span and the milliseconds of the slowest, each the first of its trace in the time."""
    by_trace: defaultdict[int, list[Sent]] = defaultdict(list)
    for request in requests:
        if service in (None, request.service) and start_ns <= request.start_ns < end_ns:
            by_trace[request.trace].append(request)
    firsts = sorted(map(min, by_trace.values()), key=lambda first: (first.minus_duration_ns, first.trace))
    return [(trace_id(first.trace), f"{first.span:016x}", -first.minus_duration_ns / 1e6) for first in firsts[:most]]


@pytest.mark.parametrize("seed", range(4))
def test_the_slowest_are_those_that_a_look_at_every_span_finds(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    requests = fill(tmp_path, chance)
    if seed % 2:
        Maintenance(tmp_path).round()
    lasting = 2**63 - 1
    for _ in range(12):
        begin = T0 + chance.randrange(5 * HOUR)
        opened = chance.choice([(None, None), (begin, None), (begin, begin + chance.randrange(1, 2 * HOUR))])
        service = chance.choice([None, None, *(name for name, *_ in SERVICES), "nobody"])
        most, until_ns = chance.choice([1, 3, 20, 99]), T0 + chance.randrange(1, 6 * HOUR)
        last_s = chance.choice([None, 1, 600, 3_600, 7_200])
        low = max(opened[0] or 0, 0 if last_s is None else until_ns - last_s * SECOND)
        expected = slowest(requests, most, service, low, min(opened[1] or lasting, until_ns))
        with connect(tmp_path, start=opened[0], end=opened[1]) as connection:
            query = (
                "select trace_id, span_id, duration_ms from slowest($service, to_seconds($last), "
                "make_timestamp_ns($until), n := $n)"
            )
            values = {"service": service, "last": last_s, "until": until_ns, "n": most}
            assert connection.execute(query, values).fetchall() == expected


@pytest.mark.parametrize("hours", [1, 70], ids=["in one hour", "scattered over more hours than a write has files"])
def test_what_a_trace_did_in_the_time_is_found_though_it_began_before(tmp_path: Path, hours: int) -> None:
    recording = Recording()
    recording.span(1, 1, "call", 0, 2 * MS, kind="CLIENT")
    for hour in range(hours):
        recording.span(1, 2, "GET", hour * HOUR + MS, MS, kind="SERVER", parent=1)
    recording.write(tmp_path)
    for hour in {0, hours // 20}:
        start_ns = T0 + hour * HOUR + MS
        with connect(tmp_path, start=start_ns, end=start_ns + SECOND) as connection:
            for query in ("from slowest()", f"from trace('{trace_id(1)}')"):
                assert connection.execute(f"select span_id from ({query})").fetchall() == [(f"{2:016x}",)]
