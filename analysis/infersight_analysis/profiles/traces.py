"""Which traces a process worked for while it was profiled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infersight_analysis.profiles.processes import Process
from infersight_analysis.profiles.records import Profile
from infersight_analysis.reading import locate_trace, query
from infersight_analysis.session import opened
from infersight_analysis.times import SECOND_NS

_MARGIN_NS: Final = 3_600 * SECOND_NS
"""How long before the profile a span may have begun that was open in it."""


@dataclass(frozen=True)
class Served:
    """A trace that the process worked for.

    Args:
        trace_id: of it.
        name: of the request in this process.
        within_ns: how long its longest span there lay within the profile, nanoseconds.
    """

    trace_id: str
    name: str | None
    within_ns: int


@dataclass(frozen=True)
class Work:
    """What a process did by its telemetry.

    Args:
        service: `service.name`; None where there is no telemetry of it.
        instance: `service.instance.id`.
        served: its traces, those first that it worked for longest.
        sql: the query that shows them.
    """

    service: str | None
    instance: str | None
    served: list[Served]
    sql: str


def work_of(store: Path, own_pids: Sequence[int], host: str | None, start_ns: int, end_ns: int) -> Work:
    """The traces of a process, told by `process.pid` and the host, that lie partly in a time.

    Args:
        store: directory of the store.
        own_pids: numbers of the processes as they see them.
        host: name of its host; None where that cannot be told.
        start_ns: first time, nanoseconds since the epoch.
        end_ns: first time that is too late.

    Raises:
        AnalysisError: the store cannot be read.
    """
    values = {"start_ns": start_ns, "end_ns": end_ns, "pids": list(own_pids), "host": host}
    text = query("traces_of_process")
    with opened(store, start_ns=start_ns - _MARGIN_NS, end_ns=end_ns, create_when_named=True) as connection:
        rows = connection.execute(text, values).fetchall()
    served = [Served(trace_id, name, within_ns) for trace_id, name, within_ns, _, _ in rows]
    service, instance = (rows[0][3], rows[0][4]) if rows else (None, None)
    return Work(service, instance, served, _shown(own_pids, start_ns, end_ns))


def source_of(store: Path, process: Process, end_ns: int) -> tuple[str | None, str | None]:
    """Service and instance of a process, by its telemetry of the hour before.

    Args:
        store: directory of the store.
        process: the process.
        end_ns: nanoseconds since the epoch.
    """
    work = work_of(store, [process.own_pid], process.host, end_ns - _MARGIN_NS, end_ns)
    return work.service, work.instance


def taken_during(store: Path, trace_id: str, profiles: Iterable[Profile]) -> list[Profile]:
    """The profiles that were taken of a process while it worked for a trace.

    Args:
        store: directory of the store.
        trace_id: 32 hex digits, or as many of the first as are unique.
        profiles: those to choose from.

    Raises:
        AnalysisError: there is no such trace, or more than one.
    """
    with opened(store, create_when_named=True) as connection:
        place = locate_trace(connection, trace_id)
        from_ns, until_ns = place.between_ns
        values = {"trace_id": place.trace_id, "from_ns": from_ns, "until_ns": until_ns}
        rows = connection.execute(query("processes_of_trace"), values).fetchall()
    return [profile for profile in profiles if any(_is_during(profile, *row) for row in rows)]


def _is_during(profile: Profile, pid: int, host: str | None, from_ns: int, until_ns: int) -> bool:
    is_there = None in (profile.host, host) or profile.host == host
    return is_there and pid in profile.own_pids and profile.start_ns < until_ns and from_ns < profile.end_ns


def _shown(pids: Sequence[int], start_ns: int, end_ns: int) -> str:
    return (
        "select trace_id, name, duration_ns / 1e6 as ms from spans\n"  # noqa: S608 - numbers
        f"where resource_attributes['process.pid'] in ({', '.join(map(str, pids))})\n"
        f"    and start_time_ns < {end_ns} and coalesce(end_time_ns, {end_ns}) > {start_ns}\n"
        "order by duration_ns desc"
    )
