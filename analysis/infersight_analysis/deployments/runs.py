"""While which of several things ran: stretches of time out of the moments at which each was seen."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

_EXPECTED: Final = 7.0
"""So many records must be missing for one to have been away: by chance all of them are in 1 of 1 000 cases."""
_FEW: Final = 4

Thing = TypeVar("Thing", bound=Hashable)


@dataclass(frozen=True)
class Sighting:
    """Records of one thing within one step of time.

    Args:
        first_ns: time of the first one, nanoseconds since the epoch.
        last_ns: time of the last one.
        records: how many.
    """

    first_ns: int
    last_ns: int
    records: int


@dataclass(frozen=True)
class Run:
    """From when to when a thing was seen, nanoseconds since the epoch."""

    first_ns: int
    last_ns: int


def runs(sightings: Mapping[Thing, Sequence[Sighting]], pause_ns: int = 0) -> dict[Thing, list[Run]]:
    """The runs of each of several things of which others may take the place.

    A stretch in which a thing was not seen ends its run where the others had so many records meanwhile that, by its
    share before, some of them would have been its own. A service without traffic therefore goes on to run.

    Args:
        sightings: of each thing, in the order of time.
        pause_ns: a shorter stretch is none, whatever others had: records come in batches.
    """
    return {thing: _of_one(seen, _others(sightings, thing), pause_ns) for thing, seen in sightings.items()}


def _others(sightings: Mapping[Thing, Sequence[Sighting]], thing: Thing) -> list[Sighting]:
    return [each for other, seen in sightings.items() if other != thing for each in seen]


def _of_one(seen: Sequence[Sighting], others: Sequence[Sighting], pause_ns: int) -> list[Run]:
    odds = sum(each.records for each in seen) / max(1, sum(each.records for each in others))
    found = [Run(seen[0].first_ns, seen[0].last_ns)]
    for sighting in seen[1:]:
        run = found[-1]
        missed = sum(
            each.records for each in others if run.last_ns < each.first_ns and each.last_ns < sighting.first_ns
        )
        is_long = sighting.first_ns - run.last_ns >= pause_ns
        if is_long and missed >= _FEW and missed * odds >= _EXPECTED:
            found.append(Run(sighting.first_ns, sighting.last_ns))
        else:
            found[-1] = Run(run.first_ns, max(run.last_ns, sighting.last_ns))
    return found
