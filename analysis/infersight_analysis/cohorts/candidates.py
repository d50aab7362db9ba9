"""What was tested, and what of it may turn out to distinguish the cohorts."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from infersight_analysis.cohorts.attributes import Attribute

Bits = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

Kind = Literal["value", "number", "shape", "pair"]

MAY_MATTER: Final = 0.05
"""Tests with a larger p value are only counted: no discovery is among them."""

LEAST_REQUESTS: Final = 5
LEAST_SHARE: Final = 0.01
"""What fewer requests of the target have than both of these is no explanation of the target."""

LEAST_RATIO: Final = 1.5
"""A value is named when it, or its absence, is at least so many times as common in the target, by its interval."""

_MOST: Final = 500
"""Most candidates that are kept of each kind; the strongest ones."""


@dataclass(frozen=True)
class Trait:
    """Something that requests have.

    Args:
        attribute: what.
        subject: whose attribute it is: a number that the table of subjects explains.
        value: hash of the value; of a number the cut.
    """

    attribute: Attribute
    subject: int
    value: int | float


@dataclass(frozen=True)
class Candidate:
    """A test with a small p value.

    Args:
        traits: what the requests have; each of them is had by the same requests. Of a pair its two values.
        kind: whether they have a value, or larger or smaller numbers, or otherwise distributed ones, or two values.
        more: whether the target has the value more often, or the larger numbers.
        having: requests of target and baseline with the value; of a number those beyond the cut.
        sizes: requests of target and baseline that could have it, see `Universe`; of a number those that have it.
        p_value: of the test.
        strength: root of the chi-square with one degree of freedom that the test amounts to.
        bits: the requests on the target's side, those that have the value where `more` and the others where not, as
            `np.packbits` packs flags of all requests.
        medians: of a number, in target and baseline.
        effect: of a number Cliff's delta, of a shape the distance of the distributions, with its 95 % interval.
        is_of_all: whether all requests were compared.
    """

    traits: list[Trait]
    kind: Kind
    more: bool
    having: tuple[int, int]
    sizes: tuple[int, int]
    p_value: float
    strength: float
    bits: Bits
    medians: tuple[float, float] = (0.0, 0.0)
    effect: tuple[float, float, float] = (0.0, 0.0, 0.0)
    is_of_all: bool = True


@dataclass(frozen=True)
class Universe:
    """The requests among which the values of a subject are compared: those that have the subject.

    Who never calls an operation tells nothing of its spans; that it is called is compared by itself.

    Args:
        bits: the requests, as `np.packbits` packs flags of all.
        sizes: how many of them there are in target and baseline.
    """

    bits: Bits
    sizes: tuple[int, int]


class Candidates:
    """What was tested of one population.

    Args:
        is_target: whether each request belongs to the target.

    Attributes:
        everything: all requests.
        universes: of subjects that not all requests have.
        repeated: of subjects that a request may have several times how often each does.
        least: requests of the target that must be concerned.
        values: how many values were tested.
        numbers: how many tests of numbers were made.
    """

    def __init__(self, is_target: Flags) -> None:
        self.is_target: Final = is_target
        target = int(np.count_nonzero(is_target))
        everything = np.packbits(np.ones(len(is_target), np.bool_))
        self.everything: Final = Universe(everything, (target, len(is_target) - target))
        self.universes: Final[dict[int, Universe]] = {}
        self.repeated: Final[dict[int, npt.NDArray[np.uint16]]] = {}
        self.least: Final = max(LEAST_REQUESTS, int(np.ceil(LEAST_SHARE * target)))
        self.values = 0
        self.numbers = 0
        self._kept: Final[defaultdict[str, dict[bytes, Candidate]]] = defaultdict(dict)
        self._floors: Final[defaultdict[str, float]] = defaultdict(float)

    @property
    def pairs(self) -> int:
        """How many pairs of values there are; those that were not looked at count as tested."""
        return self.values * (self.values - 1) // 2

    @property
    def tests(self) -> int:
        """How many tests were made, without those of pairs."""
        return self.values + self.numbers

    def universe(self, flags: Flags) -> Universe:
        """The universe of some requests."""
        target = int(np.count_nonzero(flags & self.is_target))
        return Universe(np.packbits(flags), (target, int(np.count_nonzero(flags)) - target))

    def floor(self, kind: str) -> float:
        """The strength below which no more candidates of a kind are kept; weak values are a kind of their own."""
        return self._floors[kind]

    def kept(self, *kinds: str) -> list[Candidate]:
        """The candidates of some kinds, strongest first; of equal ones those that came first."""
        found = [candidate for kind in kinds for candidate in self._kept[kind].values()]
        return sorted(found, key=lambda candidate: -candidate.strength)

    def keep(self, kind: str, candidate: Candidate) -> None:
        """Keep a candidate as long as it is among the strongest; one with the same table joins the one that is there.

        Args:
            kind: a kind of candidates; `weak` are values that are of interest only in pairs.
            candidate: with one trait.
        """
        kept = self._kept[kind]
        counts = repr((candidate.kind, candidate.more, candidate.having, candidate.sizes)).encode()
        key = hashlib.blake2b(candidate.bits.tobytes() + counts, digest_size=16).digest()
        if key in kept:
            kept[key].traits.extend(candidate.traits)
            return
        kept[key] = candidate
        if len(kept) > 2 * _MOST:
            strongest = sorted(kept.items(), key=lambda item: -item[1].strength)[:_MOST]
            self._floors[kind] = strongest[-1][1].strength
            self._kept[kind] = dict(strongest)
