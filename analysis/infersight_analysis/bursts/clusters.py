"""Which bursts belong together: they overlap in time, and traces, a release, a host or a dependency link them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from statistics import median
from typing import TYPE_CHECKING, Final

import duckdb
import numpy as np

from infersight_analysis.bursts.detection import FALSE_ALARMS, ServiceBurst, Steps, detected, failures_by_service
from infersight_analysis.deployments.marks import Mark, marks
from infersight_analysis.extent import extent
from infersight_analysis.failures.fingerprint import Fault
from infersight_analysis.failures.groups import grouped
from infersight_analysis.findings import (
    BurstCluster,
    BurstFault,
    BurstLink,
    Bursts,
    ErrorBurst,
    Evidence,
    SharedTrait,
)
from infersight_analysis.options import Window
from infersight_analysis.reading import query
from infersight_analysis.stats.discoveries import q_values
from infersight_analysis.stats.tables import p_values
from infersight_analysis.stored import literals
from infersight_analysis.times import SECOND_NS, iso_time, short_duration

if TYPE_CHECKING:
    from infersight_analysis.failures.failures import Failure

_DISCOVERY_RATE: Final = 0.01
_SHARED: Final = 0.5
"""Part of a cluster's failures that must have a trait for it to be named."""

_EXAMPLES: Final = 3
_FAULTS: Final = 5
_BEFORE_NS: Final = 1800 * SECOND_NS
"""How long before a burst a deployment is worth a mention."""


def find_bursts(
    connection: duckdb.DuckDBPyConnection,
    *,
    service: str | None = None,
    window: Window = Window(),  # noqa: B008 - immutable
) -> Bursts:
    """The bursts of every service's errors against its own base rate, those that overlap in time together.

    Args:
        connection: from `connect`.
        service: only clusters in which this service has a burst.
        window: what to look at; the base rate is that of the rest of it.
    """
    bounds = extent(connection, window)
    nothing = Evidence([], [])
    if bounds is None:
        return Bursts([], SECOND_NS, 0, FALSE_ALARMS, None, None, nothing)
    steps = Steps.of(bounds)
    found = grouped(connection, window)
    services = failures_by_service(found)
    bursts = detected(connection, steps, services)
    clusters = [
        members
        for members in overlapping(bursts, steps.step_ns)
        if service is None or service in {burst.service for burst in members}
    ]
    changed = marks(connection, window) if clusters else []
    listed = [_cluster(connection, members, found.fault_of, changed) for members in clusters]
    evidence = Evidence([trace for each in listed for trace in each.evidence.trace_ids[:1]], [])
    start, end = (iso_time(bound) for bound in bounds)
    return Bursts(listed, steps.step_ns, len(services), FALSE_ALARMS, start, end, evidence)


def overlapping(bursts: Sequence[ServiceBurst], step_ns: int) -> Iterator[list[ServiceBurst]]:
    """Bursts whose times overlap, or are a step apart, in the order of time."""
    members: list[ServiceBurst] = []
    for burst in sorted(bursts, key=lambda each: each.start_ns):
        if members and burst.start_ns > max(each.end_ns for each in members) + step_ns:
            yield members
            members = []
        members.append(burst)
    if members:
        yield members


def _cluster(
    connection: duckdb.DuckDBPyConnection,
    members: Sequence[ServiceBurst],
    faults: dict[int, Fault],
    changed: Sequence[Mark],
) -> BurstCluster:
    start_ns, end_ns = members[0].start_ns, max(burst.end_ns for burst in members)
    services = sorted({burst.service for burst in members if burst.service})
    links = sorted(_links(members), key=lambda link: (-link.traces, link.lag_ns))
    shared = _shared(connection, services, start_ns, end_ns)
    listed = [_listed(burst, faults) for burst in members]
    before = [mark for mark in changed if start_ns - _BEFORE_NS <= mark.time_ns <= end_ns]
    said = [f"{mark.statement}, {_distance(mark.time_ns - start_ns)}" for mark in before]
    examples = list(dict.fromkeys(trace for burst in listed for trace in burst.examples))
    return BurstCluster(
        start=iso_time(start_ns),
        end=iso_time(end_ns),
        bursts=listed,
        links=links,
        shared=shared,
        marks=said,
        statement=_statement(listed, links, shared),
        evidence=Evidence(examples, [_failed_sql(services, start_ns, end_ns), *_traces_sql(examples)]),
    )


def _listed(burst: ServiceBurst, faults: dict[int, Fault]) -> ErrorBurst:
    counts: Counter[str] = Counter()
    first: dict[str, Failure] = {}
    for _, failure in burst.failures:
        fingerprint = faults[id(failure)].fingerprint
        counts[fingerprint] += failure.weight  # type: ignore[assignment] # weights need not be whole
        first.setdefault(fingerprint, failure)
    traces = dict.fromkeys(failure.first.trace_id for _, failure in burst.failures if failure.first.trace_id)
    return ErrorBurst(
        service=burst.service,
        start=iso_time(burst.start_ns),
        end=iso_time(burst.end_ns),
        count=sum(failure.weight for _, failure in burst.failures),
        expected=burst.expected,
        per=burst.per,
        p_value=burst.p_value,
        faults=[
            BurstFault(fingerprint, first[fingerprint].first.type or "error", first[fingerprint].first.message, count)
            for fingerprint, count in counts.most_common(_FAULTS)
        ],
        examples=list(traces)[:_EXAMPLES],
    )


def _links(members: Sequence[ServiceBurst]) -> Iterator[BurstLink]:
    """Each pair of services with what goes from the one to the other."""
    for place, one in enumerate(members):
        for other in members[place + 1 :]:
            if one.service != other.service:
                yield _link(one, other)


def _link(one: ServiceBurst, other: ServiceBurst) -> BurstLink:
    """The direction is that of the traces in which both failed; without any it is that of the first failures."""
    of_one, of_other = _first_in_traces(one), _first_in_traces(other)
    both = [trace for trace in of_one if trace in of_other]
    lags = [of_other[trace] - of_one[trace] for trace in both]
    lag = round(median(lags)) if lags else other.start_ns - one.start_ns
    leader, follower, follows = (one, other, of_other) if lag >= 0 else (other, one, of_one)
    share = len(both) / len(follows) if follows else 0.0
    return BurstLink(leader.service, follower.service, abs(lag), len(both), share, both[:_EXAMPLES])


def _first_in_traces(burst: ServiceBurst) -> dict[str, int]:
    found: dict[str, int] = {}
    for time_ns, failure in burst.failures:
        if failure.first.trace_id is not None:
            found.setdefault(failure.first.trace_id, time_ns)
    return found


def _shared(
    connection: duckdb.DuckDBPyConnection, services: Sequence[str], start_ns: int, end_ns: int
) -> list[SharedTrait]:
    """What most failing spans have in common, and those that went well have less often; the most telling first."""
    values = {"from_ns": start_ns, "until_ns": end_ns + 1, "services": list(services)}
    failed: defaultdict[tuple[str, str], int] = defaultdict(int)
    well: defaultdict[tuple[str, str], int] = defaultdict(int)
    having: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for trait, value, service, bad, good in connection.execute(query("traits_in_burst"), values).fetchall():
        # Versions and instances are names of one service each; hosts and dependencies are shared.
        name = f"{service} {value}" if trait.startswith("service.") else value
        failed[trait, name] += bad
        well[trait, name] += good
        having[trait, name].add(service)
    keys = list(failed)
    if not keys:
        return []
    totals = {
        trait: [sum(n for (of, _), n in side.items() if of == trait) for side in (failed, well)] for trait, _ in keys
    }
    table = np.array([[failed[key], well[key], *totals[key[0]]] for key in keys], np.int64).T
    found = q_values(p_values(table[0], table[1], table[2], table[3]))
    shared = [
        SharedTrait(*key, sorted(having[key]), x / max(1, n), y / max(1, m), float(q))
        for key, (x, y, n, m), q in zip(keys, table.T.tolist(), found, strict=True)
        if q <= _DISCOVERY_RATE and x >= _SHARED * n and x * m > y * n
    ]
    return sorted(shared, key=lambda each: (each.others - each.failed, each.trait, each.value))


def _statement(bursts: Sequence[ErrorBurst], links: Sequence[BurstLink], shared: Sequence[SharedTrait]) -> str:
    names = list(dict.fromkeys(burst.service or "?" for burst in bursts))
    parts = [f"{', '.join(names)} failed together" if len(names) > 1 else f"{names[0]} failed"]
    for link in links[:2]:
        if link.traces:
            parts.append(
                f"{link.leader} led {link.follower}: it failed in {link.share:.0%} of the latter's failing traces, "
                f"{short_duration(link.lag_ns)} earlier"
            )
        else:
            parts.append(
                f"{link.leader} began {short_duration(link.lag_ns)} before {link.follower}, and no trace links them"
            )
    parts += [
        f"{each.failed:.0%} of what failed has {each.trait} {each.value} ({each.others:.0%} of the rest)"
        for each in shared[:2]
    ]
    return "; ".join(parts)


def _distance(offset_ns: int) -> str:
    if offset_ns <= 0:
        return f"{short_duration(-offset_ns)} before the first failure"
    return f"{short_duration(offset_ns)} after the first failure"


def _failed_sql(services: Sequence[str], start_ns: int, end_ns: int) -> str:
    return (
        "select service_name, name, status_message, trace_id, start_time from spans "  # noqa: S608 - quoted
        f"where status_code = 'ERROR' and service_name in ({literals(services)}) "
        f"and start_time_ns between {start_ns - 60 * SECOND_NS} and {end_ns} order by start_time"
    )


def _traces_sql(traces: Sequence[str]) -> Iterator[str]:
    if traces:
        yield (
            "select trace_id, service_name, name, status_code, start_time, duration_ns from spans "  # noqa: S608
            f"where trace_id in ({literals(traces)}) order by trace_id, start_time"
        )
