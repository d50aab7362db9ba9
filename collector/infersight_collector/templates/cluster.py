"""A cluster: messages of one number of words that agree in most of them, and what varies in them."""

import re
from dataclasses import dataclass, field
from typing import Any, Final, Self

from infersight_collector.templates.masks import ANY

MAX_CONSTANTS: Final = 3
"""Different words in one place that are still told apart."""

_MASKED: Final = re.compile(r"\W*<\*>\W*")
_KEY: Final = re.compile(r".*[=:(\[{\"'/]", re.DOTALL)


def is_masked(word: str) -> bool:
    """Whether a word is a masked value and nothing else, as in `[<*>],`."""
    return _MASKED.fullmatch(word) is not None


@dataclass(slots=True)
class Place:
    """One place in the messages of a cluster.

    Two or three different words in it are not yet a variable: `VM started` and `VM stopped` are two templates. A
    masked value beside another word is one at once.

    Attributes:
        words: the different words there, in order of appearance; empty once it is a variable.
        key: of a variable, what all its words begin with, as in `user=<*>`.
    """

    words: list[str] = field(default_factory=list[str])
    key: str = ""

    @property
    def constant(self) -> str | None:
        """The word that all messages have here, unless it is a masked value; None where they differ."""
        return self.words[0] if len(self.words) == 1 and not is_masked(self.words[0]) else None

    def add(self, word: str) -> bool:
        """Takes note of a word; True when that changes what the place is."""
        if not self.words:
            if word.startswith(self.key):
                return False
            self.key = _common_key([self.key, word])
            return True
        if word in self.words:
            return False
        self.words.append(word)
        if len(self.words) > MAX_CONSTANTS or any(map(is_masked, self.words)):
            self.key = _common_key(self.words)
            self.words = []
        return True

    def text(self, word: str) -> str:
        """What the template has here for a message that has this word."""
        return word if self.words else self.key + ANY


@dataclass(slots=True, eq=False)
class Cluster:
    """Messages of one number of words, as they were seen.

    Attributes:
        places: one for each word.
    """

    places: list[Place]

    @classmethod
    def of(cls, words: list[str]) -> Self:
        """The cluster of a first message."""
        return cls([Place([word]) for word in words])

    def add(self, words: list[str]) -> bool:
        """Takes note of a message; True when that changes what a place is."""
        changes = [place.add(word) for place, word in zip(self.places, words, strict=True)]
        return any(changes)

    def template(self, words: list[str]) -> str:
        """The template of one of its messages."""
        return " ".join(place.text(word) for place, word in zip(self.places, words, strict=True))

    def state(self) -> list[Any]:
        """What it has learned, for JSON: for each place its words, or the key of a variable."""
        return [place.words or place.key for place in self.places]

    @classmethod
    def from_state(cls, state: list[Any]) -> Self:
        """The cluster whose `state` this was."""
        return cls([Place(key=each) if isinstance(each, str) else Place(list(each)) for each in state])


def _common_key(words: list[str]) -> str:
    """What all the words begin with, up to a sign that ends a name."""
    first, last = min(words), max(words)
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    match = _KEY.match(first[:length])
    return match[0] if match else ""
