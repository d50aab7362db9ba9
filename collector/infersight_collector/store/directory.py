"""The directory of a store: VERSION, the write-ahead log in `wal/`, and a Delta table for each kind of record."""

import os
import re
from pathlib import Path
from typing import Final

from infersight_collector.store.errors import NotAStore, StoreError, StoreTooNew, unavailable
from infersight_collector.store.layout import SCHEMA_VERSION
from infersight_collector.store.wal import sync_directory, sync_file

VERSION_FILE: Final = "VERSION"

_VERSION_TEXT: Final = re.compile(r"infersight store (\d+)\s*")


def check(path: Path) -> int:
    """Makes sure that `path` is a store that this release can read, and gives the version of its layout.

    Raises:
        NotAStore: it is absent or something else.
        StoreTooNew: a later release wrote it.
    """
    try:
        text = (path / VERSION_FILE).read_text()
    except (FileNotFoundError, NotADirectoryError):
        raise NotAStore(path) from None
    match = _VERSION_TEXT.fullmatch(text)
    if match is None:
        raise NotAStore(path)
    version = int(match[1])
    if version > SCHEMA_VERSION:
        raise StoreTooNew(path, version, SCHEMA_VERSION)
    return version


def create(path: Path) -> None:
    """Makes an absent or empty directory a store; leaves a store as it is.

    Raises:
        StoreTooNew: a later release wrote it.
        StoreError: the directory holds something else.
        StoreUnavailable: it cannot be written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (path / VERSION_FILE).exists():
            if any(not entry.name.startswith(VERSION_FILE) for entry in path.iterdir()):
                raise StoreError(f"{path} is not empty and not a store: choose another directory")
            set_version(path)
    except FileExistsError:
        raise StoreError(f"{path} is a file: choose another directory") from None
    except OSError as error:
        raise unavailable(f"create a store at {path}", error) from error
    check(path)


def set_version(path: Path) -> None:
    """Says that the store has the present layout."""
    write(path, VERSION_FILE, f"infersight store {SCHEMA_VERSION}\n")


def write(path: Path, name: str, text: str) -> None:
    """Writes a file of the store, durably: after a crash it has its new content or its old one."""
    draft = path / f"{VERSION_FILE}.{os.getpid()}"  # see `create` for what an empty directory may have
    draft.write_text(text)
    sync_file(draft)
    draft.rename(path / name)
    sync_directory(path)
