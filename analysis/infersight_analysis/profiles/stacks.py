"""Folded stacks (Brendan Gregg's format): a line a stack, its frames, outermost first, `;` between, and a number."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

Stacks: TypeAlias = Mapping[tuple[str, ...], int]
"""How much was measured in each stack by itself; a stack is its frames, the outermost first."""

THREAD: Final = "Thread "
"""How a frame begins that stands for a thread, once the numbers are left out."""

_THREAD: Final = re.compile(r"^(?:Process \d+ )?Thread \d+(?: (?P<name>.+))?$")
_ADDRESS: Final = re.compile(r"^0x[0-9a-f]+")


def fold(stacks: Stacks) -> str:
    """The lines of stacks, the largest first."""
    ordered = sorted(stacks.items(), key=lambda item: (-item[1], item[0]))
    return "".join(f"{';'.join(map(_plain, stack))} {value}\n" for stack, value in ordered)


def unfold(text: str) -> Counter[tuple[str, ...]]:
    """The stacks of lines, as any tool writes them.

    Raises:
        ValueError: a line is none.
    """
    stacks: Counter[tuple[str, ...]] = Counter()
    for line in text.splitlines():
        if line.strip():
            names, _, value = line.rstrip().rpartition(" ")
            stacks[tuple(names.split(";"))] += int(value)
    return stacks


def frame(function: str, file: str, line: int) -> str:
    """A frame as the SDK and py-spy write it: `function (file:line)`."""
    if not file:
        return _plain(function)
    return _plain(f"{function} ({file}:{line})" if line else f"{function} ({file})")


def by_frame(stacks: Stacks) -> dict[str, tuple[int, int]]:
    """What was measured in each frame by itself, and with what it called; a frame that calls itself counts once."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for stack, value in stacks.items():
        own[stack[-1]] += value
        total.update(dict.fromkeys(stack, value))
    return {name: (own[name], value) for name, value in total.items()}


def functions(stacks: Stacks) -> dict[str, tuple[int, int]]:
    """As `by_frame`, of `comparable` frames, and without those of threads."""
    found = by_frame(comparable(stacks))
    return {name: values for name, values in found.items() if not name.startswith(THREAD)}


def comparable(stacks: Stacks) -> Counter[tuple[str, ...]]:
    """Stacks without what differs from process to process: lines of code, addresses, and numbers of threads."""
    return summed((tuple(map(_comparable, stack)), value) for stack, value in stacks.items())


def _comparable(name: str) -> str:
    if (thread := _THREAD.match(name)) is not None:
        return f"{THREAD}{thread['name'] or '?'}"
    place, colon, line = name.removesuffix(")").rpartition(":")
    plain = f"{place})" if colon and line.isdigit() and name.endswith(")") else name
    return _ADDRESS.sub("?", plain)


def summed(stacks: Iterable[tuple[tuple[str, ...], int]]) -> Counter[tuple[str, ...]]:
    """Stacks that may come more than once, each once."""
    counted: Counter[tuple[str, ...]] = Counter()
    for stack, value in stacks:
        counted[stack] += value
    return counted


def _plain(name: str) -> str:
    return " ".join(name.replace(";", ",").split()) or "?"
