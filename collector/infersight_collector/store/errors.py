# ruff: noqa: N818 - NotAStore, StoreFull read as what they are; the base class carries the suffix
"""What can go wrong with a store, in words for the person or the client who has to act on it.

StoreError
├── NotAStore          the directory holds no store
├── StoreTooNew        a later release wrote it
└── StoreUnavailable   writing failed for now; nothing was half-kept, the same call may be tried again
    └── StoreFull      ... because the disk, the quota or a size limit is exhausted
"""

import errno
import re
from pathlib import Path
from typing import Final

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_TEXT: Final = ("No space left on device", "Disk quota exceeded", "File too large")

_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


class StoreError(Exception):
    """Any failure of the store; the message is one line that says what to do."""


class NotAStore(StoreError):
    """There is no store at this path."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"no store at {path}: start `infersight collector --store {path}` or `infersight import`")


class StoreTooNew(StoreError):
    """The store has a layout that only a later release knows."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            f"{path} has store version {found}, this release reads up to {known}: upgrade infersight to open it"
        )


class StoreUnavailable(StoreError):
    """A write failed and left no trace; the sender may try again."""


class StoreFull(StoreUnavailable):
    """There is no room left for the write; the sender may try again when space was made."""


def unavailable(doing: str, error: BaseException) -> StoreUnavailable:
    """The retryable store error for a failed system call or table commit.

    Args:
        doing: what was attempted, as in "append to /store/wal/…".
        error: the failure; an `OSError`, or an error of delta-rs, which carries the system's message as text.

    Returns:
        `StoreFull` where the cause is missing space, `StoreUnavailable` otherwise.
    """
    code = error.errno if isinstance(error, OSError) else None
    if code in _FULL or any(text in str(error) for text in _FULL_TEXT):
        return StoreFull(f"cannot {doing}: no space left; free some or shorten the retention")
    # delta-rs draws its errors as trees, in colours.
    reason = " ".join(_COLOUR.sub("", str(error)).split())
    return StoreUnavailable(f"cannot {doing}: {reason}")
