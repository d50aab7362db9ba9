"""Processors of other distributions, found by the entry points of the group `infersight.processors`."""

import dataclasses
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, cast, get_type_hints

GROUP: Final = "infersight.processors"


class ProcessorKinds(Mapping[str, type]):
    """The processors that exist, by name: the built-in ones and those of other distributions.

    The latter are looked for only when a name is not built in, and loaded only when they are asked for: reading what is
    installed takes longer than the rest of a configuration.

    Args:
        built_in: go before others of the same name.
    """

    def __init__(self, built_in: Mapping[str, type]) -> None:
        self._built_in = built_in

    def __getitem__(self, name: str) -> type:
        """The dataclass of a processor.

        Raises:
            KeyError: there is no such processor.
            ValueError: the distribution that has it cannot be used; the text names it.
        """
        if name in self._built_in:
            return self._built_in[name]
        found = entry_points(group=GROUP, name=name)
        if not found:
            raise KeyError(name)
        if len(found) > 1:
            raise ValueError(f"the processor '{name}' is in {_list(found)}: uninstall all but one")
        return _load(next(iter(found)))

    def __iter__(self) -> Iterator[str]:
        """The names, each once."""
        return iter(dict.fromkeys([*self._built_in, *(point.name for point in entry_points(group=GROUP))]))

    def __len__(self) -> int:
        return len(list(iter(self)))


def _load(point: EntryPoint) -> type:
    where = f"the processor '{point.name}' of the distribution {_distribution(point)}"
    try:
        kind: Any = point.load()
        get_type_hints(kind)  # which the configuration is read by
    except Exception as error:
        raise ValueError(f"{where} cannot be loaded from {point.value}: {type(error).__name__}: {error}") from error
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind) and callable(getattr(kind, "process", None))):
        raise ValueError(f"{where} is no dataclass with a method process(batch): {point.value}")
    return cast("type", kind)


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "of an unknown name"


def _list(points: Iterator[EntryPoint] | Any) -> str:
    return " and ".join(sorted(_distribution(point) for point in points))
