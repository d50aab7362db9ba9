"""Moments at which something else began to run: a version, a model, a setting."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from infersight_analysis.deployments.runs import Run, Sighting, Thing, runs
from infersight_analysis.extent import extent
from infersight_analysis.findings import DeployedVersion, DeploymentMark
from infersight_analysis.options import Window
from infersight_analysis.reading import query
from infersight_analysis.stored import literal
from infersight_analysis.times import SECOND_NS, iso_time

_STEPS: Final = 1_500
_PAUSE_NS: Final = 5 * SECOND_NS
"""A version that was away for less was not replaced meanwhile."""

_SETTLED_NS: Final = SECOND_NS
"""What is first seen so soon after the first record of its service was there when that began."""

_IDENTITIES: Final = (
    "service.", "host.", "process.", "container.id", "container.name",
    "k8s.pod.", "k8s.node.", "k8s.replicaset.", "k8s.job.",
    "telemetry.distro.name", "cloud.account.", "cloud.availability_zone", "os.description", "infersight.recorder.",
    "faas.instance", "deployment.",
)  # fmt: skip
"""Beginnings of resource attributes that tell processes and machines apart; they are no configuration."""

_MOST_VALUES: Final = 20

_CONFIGURED: Final = ("process.runtime.version", "process.runtime.name", "host.type", "host.image.id")


@dataclass(frozen=True)
class Version:
    """What was deployed of a service; the members are null where the sender does not say them."""

    version: str | None
    environment: str | None
    deployment: str | None


@dataclass(frozen=True)
class Mark:
    """A moment at which something else began to run, see `DeploymentMark`; times in nanoseconds since the epoch."""

    time_ns: int
    service: str | None
    kind: str
    what: str
    before: str | None
    after: str | None
    until_ns: int | None

    @property
    def statement(self) -> str:
        """What it says."""
        names = {"version": "version", "rollback": "back to version", "deployment": "deployed anew as"}
        name = names.get(self.kind, f"{self.what} =")
        return f"{self.service or '?'}: {name} {self.after} after {self.before}"


def versions(
    connection: duckdb.DuckDBPyConnection, window: Window, service: str | None = None
) -> tuple[list[DeployedVersion], list[Mark]]:
    """The versions of services in a window, and the moments at which one took the place of another.

    Args:
        connection: from `connect`.
        window: what to look at.
        service: only this service.
    """
    bounds = extent(connection, window)
    if bounds is None:
        return [], []
    rows = connection.execute(query("versions_over_time"), _values(bounds, service)).fetchall()
    services: defaultdict[str | None, defaultdict[Version, list[tuple[Any, ...]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in rows:
        services[row[1]][Version(*row[2:5])].append(row)
    listed: list[DeployedVersion] = []
    marks: list[Mark] = []
    for name, of_versions in services.items():
        ran = runs({version: _sightings(seen) for version, seen in of_versions.items()}, _PAUSE_NS)
        listed += [_deployed(name, version, seen, ran[version]) for version, seen in of_versions.items()]
        marks += _of_versions(name, ran)
    return sorted(listed, key=lambda each: (each.service or "", each.first_seen)), marks


def marks(connection: duckdb.DuckDBPyConnection, window: Window, service: str | None = None) -> list[Mark]:
    """All moments in a window at which a version, a model or a setting took the place of another, in order of time.

    Args:
        connection: from `connect`.
        window: what to look at; what ran before it is not known then.
        service: only this service.
    """
    bounds = extent(connection, window)
    if bounds is None:
        return []
    found = versions(connection, window, service)[1]
    found += _models(connection, bounds, service)
    found += _configurations(connection, bounds, service)
    return sorted(found, key=lambda mark: (mark.time_ns, mark.service or "", mark.kind, mark.what))


def as_finding(mark: Mark) -> DeploymentMark:
    """A mark as it is listed."""
    until = None if mark.until_ns is None else iso_time(mark.until_ns)
    facts = (mark.service, mark.kind, mark.what, mark.before, mark.after)
    return DeploymentMark(iso_time(mark.time_ns), *facts, until, mark.statement)


def _values(bounds: tuple[int, int], service: str | None) -> dict[str, Any]:
    step = max(SECOND_NS, (bounds[1] - bounds[0]) // _STEPS)
    return {"from_ns": bounds[0], "until_ns": bounds[1], "step_ns": step, "service": service}


def _sightings(rows: Sequence[tuple[Any, ...]]) -> list[Sighting]:
    """Those of one version; signals of one step are counted together.

    A process exports all of its metrics at one moment: that is one sign of it, however many points there are.
    """
    return [Sighting(row[5], row[6], len(row[10] or ()) if row[0] == "metrics" else row[7]) for row in rows]


def _deployed(
    service: str | None, version: Version, rows: Sequence[tuple[Any, ...]], ran: Sequence[Run]
) -> DeployedVersion:
    records: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        records[row[0]] += row[7]
    return DeployedVersion(
        service=service,
        version=version.version,
        environment=version.environment,
        deployment=version.deployment,
        first_seen=iso_time(min(row[5] for row in rows)),
        last_seen=iso_time(max(row[6] for row in rows)),
        runs=[(iso_time(run.first_ns), iso_time(run.last_ns)) for run in ran],
        instances=len({instance for row in rows for instance in row[10] or ()}),
        records=dict(records),
        requests=sum(row[8] for row in rows),
        failed=sum(row[9] for row in rows),
    )


def _of_versions(service: str | None, ran: Mapping[Version, Sequence[Run]]) -> Iterator[Mark]:
    """The marks of a service, for each environment on its own."""
    environments: defaultdict[str | None, dict[Version, Sequence[Run]]] = defaultdict(dict)
    for version, stretches in ran.items():
        environments[version.environment][version] = stretches
    for versions_ in environments.values():
        for mark, before, after in _changes(versions_):
            if before.version != after.version:
                is_back = any(run.last_ns < mark.first_ns for run in versions_[after])
                kind = "rollback" if is_back else "version"
                texts = ("service.version", before.version, after.version)
            else:
                kind, texts = "deployment", ("deployment.id", before.deployment, after.deployment)
            yield Mark(mark.first_ns, service, kind, *texts, _until(versions_[before], mark, versions_))


def _changes(ran: Mapping[Thing, Sequence[Run]]) -> Iterator[tuple[Run, Thing, Thing]]:
    """Each run that began when another thing ran, or after it: with what was there before it, and what it is of."""
    every = sorted(((run, thing) for thing, found in ran.items() for run in found), key=lambda each: each[0].first_ns)
    began = every[0][0].first_ns if every else 0
    for place, (run, thing) in enumerate(every):
        earlier = [each for each in every[:place] if each[1] != thing]
        if earlier and run.first_ns - began > _SETTLED_NS:
            yield run, max(earlier, key=lambda each: each[0].first_ns)[1], thing


def _until(before: Sequence[Run], mark: Run, ran: Mapping[Thing, Sequence[Run]]) -> int | None:
    """When what ran before was last seen; None where it is among the last things seen."""
    last = max(run.last_ns for run in before if run.first_ns < mark.first_ns)
    end = max(run.last_ns for found in ran.values() for run in found)
    return None if end - last <= _SETTLED_NS else last


def _models(connection: duckdb.DuckDBPyConnection, bounds: tuple[int, int], service: str | None) -> Iterator[Mark]:
    rows = connection.execute(query("models_over_time"), _values(bounds, service)).fetchall()
    models: defaultdict[tuple[str | None, str], defaultdict[str | None, list[Sighting]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for name, model, version, *seen in rows:
        models[name, model][version].append(Sighting(*seen))
    for (name, model), of_versions in models.items():
        ran = runs(of_versions, _PAUSE_NS)
        for run, before, after in _changes(ran):
            yield Mark(run.first_ns, name, "model", model, before, after, _until(ran[before], run, ran))


def _configurations(
    connection: duckdb.DuckDBPyConnection, bounds: tuple[int, int], service: str | None
) -> Iterator[Mark]:
    """Resource attributes of a service that have another value from some moment on."""
    known = "select key from attribute_keys where table_name = 'spans' and column_name = 'resource_attributes'"
    keys = [key for (key,) in connection.execute(known).fetchall() if _is_configuration(key)]
    if not keys:
        return
    pairs = ", ".join(f"{literal(key)}: resource_attributes[{literal(key)}]::varchar" for key in sorted(keys))
    sql = query("resources_over_time").replace("{resource}", f"map {{{pairs}}}")
    values = {name: value for name, value in _values(bounds, service).items() if name != "step_ns"}
    seen: defaultdict[tuple[str | None, str], dict[str, list[Run]]] = defaultdict(dict)
    for name, key, value, first_ns, last_ns in connection.execute(sql, values).fetchall():
        seen[name, key][value] = [Run(first_ns, last_ns)]
    for (name, key), ran in seen.items():
        if len(ran) <= _MOST_VALUES:  # what has more is an identity after all
            for run, before, after in _changes(ran):
                yield Mark(run.first_ns, name, "configuration", key, before, after, _until(ran[before], run, ran))


def _is_configuration(key: str) -> bool:
    return key in _CONFIGURED or not key.startswith(_IDENTITIES)
