"""The directory of a store: VERSION, the write-ahead log in `wal/`, and a Delta table for each kind of record."""

import os
import re
from pathlib import Path
from typing import Final

from infersight_collector.store.errors import NotAStore, StoreError, StoreTooNew, unavailable
from infersight_collector.store.layout import SCHEMA_VERSION
from infersight_collector.store.wal import sync_directory

VERSION_FILE: Final = "VERSION"

_VERSION_TEXT: Final = re.compile(r"infersight store (\d+)\s*")


def check(path: Path) -> None:
    """Makes sure that `path` is a store that this release can read.

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
            draft = path / f"{VERSION_FILE}.{os.getpid()}"
            draft.write_text(f"infersight store {SCHEMA_VERSION}\n")
            draft.rename(path / VERSION_FILE)
            sync_directory(path)
    except FileExistsError:
        raise StoreError(f"{path} is a file: choose another directory") from None
    except OSError as error:
        raise unavailable(f"create a store at {path}", error) from error
    check(path)
