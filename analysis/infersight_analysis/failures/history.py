"""Whether a fault is new, back or more frequent since a time or a version, by how many requests there were."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import duckdb
import numpy as np

from infersight_analysis.errors import AnalysisError
from infersight_analysis.failures.failures import Failure
from infersight_analysis.reading import ALWAYS_NS, query
from infersight_analysis.stats.discoveries import q_values
from infersight_analysis.times import SECOND_NS, iso_time, parse_time

State = Literal["new", "regressed", "rarer", "ongoing", "unknown"]

DISCOVERY_RATE: Final = 0.01
"""How large a part of all faults that are called more or less frequent may be neither."""

_STEPS: Final = 1_000
_AWAY: Final = 7.0
"""So many failures must be expected in a stretch without any for a fault to have been away: 1 in 1 000 has none."""

_TELLING: Final = 3.0
"""So many failures must be expected before for their absence to say that a fault is new: at random 1 in 20 has none."""


@dataclass(frozen=True)
class Change:
    """How a fault went on since then.

    Args:
        state: what to call it.
        statement: the same with its numbers.
        p_value: of the test that its share of requests is as before; None where nothing was tested.
    """

    state: State
    statement: str
    p_value: float | None = None


@dataclass(frozen=True)
class Since:
    """A moment that failures are told apart by.

    Args:
        about: how it is called.
        is_since: whether a failure counts as since then; None where nothing tells.
        exposure: requests of each service before it and from it on.
        steps: of a time, when each service served how many requests before it.
        otherwise: how what was not since then is called.
    """

    about: str
    is_since: Callable[[Failure], bool | None]
    exposure: Mapping[str | None, tuple[float, float]]
    steps: Mapping[str | None, Sequence[tuple[int, float]]] = field(default_factory=dict[str | None, Any])
    otherwise: str = "before"

    def between(self, services: Sequence[str | None], after_ns: int) -> float:
        """Requests of some services after a time and before the moment, in steps that began after it."""
        known = (self.steps.get(service, ()) for service in set(services))
        return sum(requests for steps in known for time_ns, requests in steps if time_ns > after_ns)

    def of(self, services: Sequence[str | None]) -> tuple[float, float]:
        """Requests of some services, before and since."""
        known = [self.exposure.get(service, (0.0, 0.0)) for service in set(services)]
        return sum(before for before, _ in known), sum(after for _, after in known)


def since(connection: duckdb.DuckDBPyConnection, named: str | int, until_ns: int | None) -> Since:
    """The moment that `--since` names.

    Args:
        connection: from `connect`, with what came before.
        named: a version, a time in ISO 8601, or nanoseconds since the epoch.
        until_ns: where what came after ends.

    Raises:
        AnalysisError: it is neither a time nor a version that served requests.
    """
    time_ns = named if isinstance(named, int) else _time(named)
    values = {"from_ns": ALWAYS_NS[0], "until_ns": until_ns or ALWAYS_NS[1], "since_ns": time_ns or 0}
    rows = connection.execute(query("requests_of_services"), values).fetchall()
    if time_ns is not None:
        return replace(_since_time(time_ns, rows), steps=_steps(connection, time_ns, rows))
    return _since_version(str(named), rows)


def _steps(
    connection: duckdb.DuckDBPyConnection, until_ns: int, rows: Sequence[tuple[Any, ...]]
) -> dict[str | None, list[tuple[int, float]]]:
    from_ns = min((row[4] for row in rows), default=until_ns)
    step_ns = max(SECOND_NS, (until_ns - from_ns) // _STEPS)
    values = {"from_ns": from_ns, "until_ns": until_ns, "step_ns": step_ns, "service": None}
    found: defaultdict[str | None, list[tuple[int, float]]] = defaultdict(list)
    for service, step, requests in connection.execute(query("requests_by_step"), values).fetchall():
        found[service].append((from_ns + step * step_ns, requests))
    return found


def _time(named: str) -> int | None:
    try:
        return parse_time(named)
    except AnalysisError:
        return None


def _since_time(time_ns: int, rows: Sequence[tuple[Any, ...]]) -> Since:
    exposure: dict[str | None, tuple[float, float]] = {}
    for service, _, is_since, requests, _ in rows:
        before, after = exposure.get(service, (0.0, 0.0))
        exposure[service] = (before, after + requests) if is_since else (before + requests, after)
    return Since(f"since {iso_time(time_ns)[:19]}Z", lambda failure: failure.first.time_ns >= time_ns, exposure)


def _since_version(version: str, rows: Sequence[tuple[Any, ...]]) -> Since:
    first: dict[tuple[str | None, str | None], int] = {}
    for service, of, _, _, first_ns in rows:
        first[service, of] = min(first.get((service, of), first_ns), first_ns)
    begun = {service: at for (service, of), at in first.items() if of == version}
    if not begun:
        raise AnalysisError(
            f"{version!r} is neither a time nor a version that served requests: `infersight deployments` lists them"
        )
    exposure: dict[str | None, tuple[float, float]] = {}
    for service, of, _, requests, _ in rows:
        if service in begun:
            before, after = exposure.get(service, (0.0, 0.0))
            is_after = first[service, of] >= begun[service]
            exposure[service] = (before, after + requests) if is_after else (before + requests, after)

    def is_since(failure: Failure) -> bool | None:
        at = first.get((failure.first.service, failure.first.version))
        begin = begun.get(failure.first.service)
        return None if at is None or begin is None else at >= begin

    return Since(f"since version {version}", is_since, exposure)


@dataclass(frozen=True)
class _Sides:
    """The weights of a fault's failures before the moment and since, and the requests of its services.

    `quiet` are the requests between the last failure before the moment and the moment.
    """

    before: Sequence[float]
    after: Sequence[float]
    requests: tuple[float, float]
    quiet: float = 0.0

    @property
    def p_value(self) -> float | None:
        """Two-sided; weighted failures count as fewer of equal weight that vary as much."""
        if min(self.requests) <= 0 or not (self.before or self.after):
            return None
        from scipy import stats  # pyright: ignore[reportMissingTypeStubs] # noqa: PLC0415 - seldom needed, and slow

        scales = [sum(w**2 for w in side) / sum(side) if side else None for side in (self.before, self.after)]
        known = next(scale for scale in scales if scale is not None)
        per = [known if scale is None else scale for scale in scales]
        before, after = (round(sum(side) / of) for side, of in zip((self.before, self.after), per, strict=True))
        trials = [requests / of for requests, of in zip(self.requests, per, strict=True)]
        binomial: Any = stats  # scipy publishes no types
        return float(binomial.binomtest(after, before + after, trials[1] / sum(trials)).pvalue)

    @property
    def shares(self) -> tuple[float, float]:
        """Of the requests, before and since."""
        return sum(self.before) / self.requests[0], sum(self.after) / self.requests[1]


def changes(groups: Sequence[Sequence[Failure]], moment: Since) -> list[Change]:
    """How each fault went on: new, regressed (more frequent), rarer or as before.

    Failures are compared as shares of the requests of their services: the conditional test of two Poisson rates
    (Przyborowski and Wilenski, Biometrika 31, 1940), of all faults together with a false-discovery rate of 1 %.

    Args:
        groups: the failures of each fault, in the order of time, those before the moment included.
        moment: what they are told apart by.
    """
    counted = [_counted(group, moment) for group in groups]
    p_values = [sides.p_value for sides in counted]
    tested = [p_value for p_value in p_values if p_value is not None]
    rates = iter(q_values(np.array(tested), len(tested)) if tested else ())
    return [
        Change("unknown", f"no requests are known from both before and {moment.about}")
        if p_value is None
        else Change(*_state(sides, float(next(rates)), moment), p_value)
        for sides, p_value in zip(counted, p_values, strict=True)
    ]


def _counted(group: Sequence[Failure], moment: Since) -> _Sides:
    sides = [(failure.weight, moment.is_since(failure)) for failure in group if failure.weight > 0]
    before = [weight for weight, is_since in sides if is_since is False]
    after = [weight for weight, is_since in sides if is_since]
    services = [failure.first.service for failure in group]
    last = max((failure.first.time_ns for failure in group if moment.is_since(failure) is False), default=None)
    quiet = 0.0 if last is None else moment.between(services, last)
    return _Sides(before, after, moment.of(services), quiet)


def _state(sides: _Sides, q_value: float, moment: Since) -> tuple[State, str]:
    earlier, later = sides.shares
    numbers = (
        f"{sum(sides.after):,.6g} in {sides.requests[1]:,.6g} requests {moment.about}, "
        f"{sum(sides.before):,.6g} in {sides.requests[0]:,.6g} {moment.otherwise}"
    )
    if not sides.before:
        is_sure = later * sides.requests[0] >= _TELLING
        return ("new", numbers) if is_sure else ("unknown", f"{numbers}, too few to tell")
    if q_value <= DISCOVERY_RATE:
        return "regressed" if later > earlier else "rarer", numbers
    if later * sides.quiet >= _AWAY:
        return "regressed", f"{numbers}; none in the last {sides.quiet:,.6g} of those"
    return "ongoing", numbers
