"""The profiles of processes that are kept beside the tables, in `profiles/ID/`; the analysis takes and reads them.

A directory has `profile.json`, the manifest, which says when the profile was taken and the SHA-256 of the others:
`profile.folded`, the stacks, and the profiler's own file. Nobody ever changes them.
"""

import hashlib
import json
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infersight_collector.store.errors import unavailable

DIRECTORY: Final = "profiles"
MANIFEST: Final = "profile.json"
FOLDED: Final = "profile.folded"

_GOING: Final = ".dropped"
_HOUR_NS: Final = 3_600 * 10**9


@dataclass(frozen=True, slots=True)
class Stored:
    """A profile as far as the store has to know it.

    Attributes:
        id: its name, and that of its directory.
        path: the directory.
        start_ns: when it began, in nanoseconds since the epoch; of one whose manifest cannot be read, when it came.
        end_ns: when it ended.
        size: of its files, in bytes.
    """

    id: str
    path: Path
    start_ns: int
    end_ns: int
    size: int

    @property
    def hour(self) -> int:
        """The hour with which it goes, in hours since the epoch: that in which it ended."""
        return self.end_ns // _HOUR_NS


def stored(store: Path) -> list[Stored]:
    """The profiles of a store by their names, without those that are being written."""
    found = (_look(path) for path in sorted((store / DIRECTORY).glob("[!.]*")) if path.is_dir())
    return [profile for profile in found if profile is not None]


def files(profile: Stored) -> list[Path]:
    """The files of a profile."""
    return sorted(path for path in profile.path.iterdir() if path.is_file())


def drop(store: Path, going: Collection[Stored]) -> None:
    """Deletes profiles, each at once for whoever looks.

    Raises:
        StoreUnavailable: they cannot be deleted; the next call goes on.
    """
    try:
        for profile in going:
            profile.path.rename(profile.path.with_name(f".{profile.id}{_GOING}"))
        for path in (store / DIRECTORY).glob(f".*{_GOING}"):
            shutil.rmtree(path)
    except OSError as error:
        raise unavailable(f"delete profiles of {store}", error) from error


def flaws(profile: Stored) -> Iterator[tuple[Path, str]]:
    """What is wrong with a profile: a file and a line for each that is missing, unreadable or has changed."""
    manifest = profile.path / MANIFEST
    try:
        said = json.loads(manifest.read_text("utf-8"))
        digests = {str(said["original"]): said["sha256"], FOLDED: said["folded_sha256"]}
    except FileNotFoundError:
        yield manifest, "it is missing"
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield manifest, f"it is no manifest of a profile: {' '.join(str(error).split())}"
        return
    for name, digest in digests.items():
        path = profile.path / name
        try:
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    yield path, "it is not as it was written: its checksum is another one"
        except FileNotFoundError:
            yield path, "it is missing"
        except OSError as error:
            yield path, str(error)


def _look(path: Path) -> Stored | None:
    """What is known of a profile; None where it was dropped meanwhile."""
    try:
        size = sum(file.stat().st_size for file in path.iterdir())
        came_ns = path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    try:
        said: dict[str, Any] = json.loads((path / MANIFEST).read_text("utf-8"))
        start_ns, end_ns = int(said["start_ns"]), int(said["end_ns"])
    except (OSError, ValueError, KeyError, TypeError):
        start_ns = end_ns = came_ns
    return Stored(path.name, path, start_ns, end_ns, size)
