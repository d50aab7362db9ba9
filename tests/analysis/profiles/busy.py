"""A process that computes and allocates, for profilers to look at: `busy.py SECONDS [hidden] [forked]`."""

import ctypes
import os
import sys
import time

PR_SET_DUMPABLE = 4


def inner(count: int) -> int:
    """Most of the time is here."""
    total = 0
    for number in range(count):
        total += number * number
    return total


def outer(kept: list[bytearray]) -> int:
    """Most of the memory is from here."""
    kept.append(bytearray(100_000))
    if len(kept) > 50:
        kept.clear()
    return inner(20_000)


def main() -> None:
    """Be busy for some seconds; hidden, only the administrator may look into it; forked, a child is busy, too."""
    if "hidden" in sys.argv:
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    end = time.monotonic() + float(sys.argv[1])
    if "forked" not in sys.argv or os.fork():
        print("ready", flush=True)  # noqa: T201 - whoever started it waits for that
    kept: list[bytearray] = []
    while time.monotonic() < end:
        outer(kept)


if __name__ == "__main__":
    main()
