"""The profiles of a store: `profiles/ID/`, with the manifest, the folded stacks and the profiler's own file."""

import dataclasses
import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from infersight_analysis.destination import created
from infersight_analysis.errors import AnalysisError
from infersight_analysis.profiles.processes import Process, own_numbers
from infersight_analysis.profiles.recorded import Recorded
from infersight_analysis.profiles.stacks import Stacks, fold, unfold
from infersight_analysis.times import SECOND_NS
from infersight_collector.store import directory
from infersight_collector.store.profiles import DIRECTORY, FOLDED, MANIFEST, stored


@dataclass(frozen=True)
class Profile:
    """The manifest of a profile.

    Args:
        id: kind, start and process; unique in the store.
        kind: `cpu`, `memory` or `model`.
        pid: number of the process as it was seen by who took the profile.
        own_pids: the numbers that its telemetry has, see `processes.Process`, and those of further processes in it.
        host: name of its host; None where that cannot be told.
        command: its command line, or what was called.
        service: `service.name` of its telemetry; None where there was none yet.
        instance: its `service.instance.id`.
        start_ns: when it began, nanoseconds since the epoch.
        end_ns: when it ended.
        unit: of the stacks' numbers: `samples`, `bytes` or `us`, microseconds.
        total: their sum.
        rate: samples a second; None where nothing was sampled.
        note: what is to be known of it.
        original: name of the profiler's own file.
        sha256: checksum of that file.
        folded_sha256: checksum of the folded stacks.
        operators: of a model, see `infersight._model_profile`.
    """

    id: str
    kind: str
    pid: int
    own_pids: list[int]
    host: str | None
    command: str
    service: str | None
    instance: str | None
    start_ns: int
    end_ns: int
    unit: str
    total: int
    rate: float | None
    note: str | None
    original: str
    sha256: str
    folded_sha256: str
    operators: list[dict[str, Any]]

    @classmethod
    def read(cls, path: Path) -> Self:
        """The manifest in a directory.

        Raises:
            AnalysisError: it cannot be read.
        """
        try:
            fields: dict[str, Any] = json.loads((path / MANIFEST).read_text("utf-8"))
            # A later release may have added some.
            return cls(**{field.name: fields[field.name] for field in dataclasses.fields(cls)})
        except (OSError, ValueError, KeyError, TypeError) as error:
            said = error.strerror if isinstance(error, OSError) else f"its manifest is damaged ({error!r})"
            raise AnalysisError(
                f"cannot read the profile {path}: {said}; put it back from a copy, or delete the directory"
            ) from error


def require(store: Path) -> None:
    """See that there is a store, before anything is measured for it.

    Raises:
        NotAStore: there is none.
        StoreTooNew: a later release wrote it.
    """
    directory.check(store)


def keep(store: Path, process: Process, recorded: Recorded, source: tuple[str | None, str | None]) -> Profile:
    """Put a profile into the store, whole or not at all.

    Args:
        store: directory of the store.
        process: whose profile it is.
        recorded: what was taken; its file is moved.
        source: service and instance of its telemetry.

    Raises:
        AnalysisError: it cannot be written.
    """
    folded = fold(recorded.stacks).encode()
    began = datetime.fromtimestamp(recorded.start_ns // SECOND_NS, UTC)
    name = _free(store, f"{recorded.kind}-{began:%Y%m%d-%H%M%S}-{process.pid}")
    profile = Profile(
        id=name,
        kind=recorded.kind,
        pid=process.pid,
        own_pids=[process.own_pid, *own_numbers(recorded.others)],
        host=process.host,
        command=process.command,
        service=source[0],
        instance=source[1],
        start_ns=recorded.start_ns,
        end_ns=recorded.end_ns,
        unit=recorded.unit,
        total=sum(recorded.stacks.values()),
        rate=recorded.rate,
        note=recorded.note,
        original=f"profile{recorded.suffix}",
        sha256=hashlib.sha256(recorded.original.read_bytes()).hexdigest(),
        folded_sha256=hashlib.sha256(folded).hexdigest(),
        operators=recorded.operators,
    )
    with created(store / DIRECTORY / name) as draft:
        draft.mkdir()
        shutil.copyfile(recorded.original, draft / profile.original)
        (draft / FOLDED).write_bytes(folded)
        (draft / MANIFEST).write_text(json.dumps(dataclasses.asdict(profile), indent=2, ensure_ascii=False), "utf-8")
    return profile


def _free(store: Path, wanted: str) -> str:
    name, number = wanted, 1
    while (store / DIRECTORY / name).exists():
        number += 1
        name = f"{wanted}-{number}"
    return name


@dataclass(frozen=True)
class Kept:
    """The profiles of a store.

    Args:
        profiles: the newest first.
        damaged: why others cannot be read, a line each, by their ids.
    """

    profiles: list[Profile]
    damaged: dict[str, str]


def kept(store: Path) -> Kept:
    """The profiles of a store, and those that cannot be read."""
    profiles: list[Profile] = []
    damaged: dict[str, str] = {}
    for each in stored(store):
        try:
            profiles.append(Profile.read(each.path))
        except AnalysisError as error:
            damaged[each.id] = str(error)
    return Kept(sorted(profiles, key=lambda profile: (-profile.start_ns, profile.id)), damaged)


def find(store: Path, name: str) -> Profile:
    """The one profile whose id begins so; `last` is the newest, `last-cpu` the newest of a kind.

    Raises:
        AnalysisError: there is no such profile, more than one, or it cannot be read.
    """
    every = kept(store)
    profiles = every.profiles
    if not (profiles or every.damaged):
        raise AnalysisError(f"{store} has no profiles: take one, as by `infersight profile cpu --pid PID`")
    if name == "last" or name.startswith("last-"):
        kind = name.partition("-")[2]
        found = [profile for profile in profiles if kind in ("", profile.kind)][:1]
    else:
        exact = [profile for profile in profiles if profile.id == name]
        found = exact or [profile for profile in profiles if profile.id.startswith(name)]
    if not found:
        for damaged, why in every.damaged.items():
            if damaged.startswith(name):
                raise AnalysisError(why)
        raise AnalysisError(f"no profile begins with {name}: `infersight profile list` shows them")
    if len(found) > 1:
        raise AnalysisError(f"more than one profile begins with {name}: {', '.join(each.id for each in found[:3])}")
    return found[0]


def stacks_of(store: Path, profile: Profile) -> Stacks:
    """What was measured.

    Raises:
        AnalysisError: the file is not as it was written.
    """
    path = store / DIRECTORY / profile.id / FOLDED
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AnalysisError(f"cannot read {path}: {error.strerror or error}") from error
    if hashlib.sha256(content).hexdigest() != profile.folded_sha256:
        raise AnalysisError(f"{path} is not as it was written: its checksum is another one")
    return unfold(content.decode())


def original_of(store: Path, profile: Profile) -> Path:
    """The profiler's own file."""
    return store / DIRECTORY / profile.id / profile.original
