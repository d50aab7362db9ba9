"""Texts written otherwise that mean the same to a reader."""

import unicodedata
from collections.abc import Callable
from random import Random
from typing import Final

_EVERY: Final = 50
"""Characters to one mistake, as in text that is typed quickly."""

_CUT: Final = 0.1
_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_LOOK_ALIKE: Final = str.maketrans("aceiopxyABCEHIKMOPTX", "асеіорхуАВСЕНІКМОРТХ")  # noqa: RUF001 - Cyrillic it is
_STRAIGHT_QUOTE, _APOSTROPHE, _HYPHEN = '"', "'", " - "
_ZERO_WIDTH_SPACE: Final = "\N{ZERO WIDTH SPACE}"


def _neighbours() -> dict[str, str]:
    """The keys beside each key of a keyboard with American layout."""
    beside = {
        row[place]: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
        for row in _ROWS
        for place in range(len(row))
    }
    return beside | {key.upper(): keys.upper() for key, keys in beside.items()}


_NEIGHBOURS: Final = _neighbours()


def upper(text: str, _random: Random) -> str:
    """All capitals."""
    return text.upper()


def lower(text: str, _random: Random) -> str:
    """No capitals."""
    return text.lower()


def title(text: str, _random: Random) -> str:
    """Each word with a capital."""
    return text.title()


def doubled_spaces(text: str, _random: Random) -> str:
    """Two spaces for each."""
    return text.replace(" ", "  ")


def spaces_around(text: str, _random: Random) -> str:
    """Spaces before and after."""
    return f"  {text} "


def line_breaks(text: str, random: Random) -> str:
    """A line break for one space."""
    return _at_some(text, [place for place, letter in enumerate(text) if letter == " "], random, lambda _: "\n")


def collapsed_spaces(text: str, _random: Random) -> str:
    """Whitespace of any length as one space, none at the ends."""
    return " ".join(text.split())


def swapped_letters(text: str, random: Random) -> str:
    """Two letters that stand side by side change places, one in fifty characters."""
    letters = list(text)
    places = [
        place
        for place in range(len(text) - 1)
        if text[place].isalpha() and text[place + 1].isalpha() and text[place] != text[place + 1]
    ]
    for place in _some(places, text, random):
        letters[place], letters[place + 1] = letters[place + 1], letters[place]
    return "".join(letters)


def dropped_letter(text: str, random: Random) -> str:
    """A letter is missing, one in fifty characters."""
    return _at_some(text, _letters(text), random, lambda _: "")


def repeated_letter(text: str, random: Random) -> str:
    """A letter is typed twice, one in fifty characters."""
    return _at_some(text, _letters(text), random, lambda letter: letter * 2)


def neighbouring_key(text: str, random: Random) -> str:
    """The key beside is hit, one in fifty characters."""
    places = [place for place, letter in enumerate(text) if letter in _NEIGHBOURS]
    return _at_some(text, places, random, lambda letter: random.choice(_NEIGHBOURS[letter]))


def composed(text: str, _random: Random) -> str:
    """Unicode's form NFC: a letter and its accent as one character."""
    return unicodedata.normalize("NFC", text)


def decomposed(text: str, _random: Random) -> str:
    """Unicode's form NFD: a letter and its accent as two characters."""
    return unicodedata.normalize("NFD", text)


def compatible(text: str, _random: Random) -> str:
    """Unicode's form NFKC: without ligatures, full width and other ways to write the same."""
    return unicodedata.normalize("NFKC", text)


def full_width(text: str, _random: Random) -> str:
    """Letters and digits of ASCII in full width, as East Asian keyboards write them."""
    return "".join(chr(ord(letter) + 0xFEE0) if letter.isascii() and letter.isalnum() else letter for letter in text)


def unbreakable_spaces(text: str, _random: Random) -> str:
    """No-break spaces, as web pages have them."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def look_alikes(text: str, random: Random) -> str:
    """A Latin letter is a Cyrillic one that looks like it, one in fifty characters."""
    places = [place for place, letter in enumerate(text) if ord(letter) in _LOOK_ALIKE]
    return _at_some(text, places, random, lambda letter: letter.translate(_LOOK_ALIKE))


def zero_width(text: str, random: Random) -> str:
    """A space without width inside a word, one in fifty characters."""
    return _at_some(text, _letters(text)[:-1], random, lambda letter: letter + _ZERO_WIDTH_SPACE)


def without_punctuation(text: str, _random: Random) -> str:
    """No punctuation."""
    return "".join(letter for letter in text if not unicodedata.category(letter).startswith("P"))


def final_stop(text: str, _random: Random) -> str:
    """A full stop at the end, or none where there is one."""
    return text[:-1] if text.endswith(".") else f"{text}."


def typographic(text: str, _random: Random) -> str:
    """Curly quotes and long dashes, as word processors make them."""
    curly = text.replace(_APOSTROPHE, "\N{RIGHT SINGLE QUOTATION MARK}").replace(_HYPHEN, " \N{EN DASH} ")
    opening = True
    letters: list[str] = []
    for letter in curly:
        if letter == _STRAIGHT_QUOTE:
            letter = "\N{LEFT DOUBLE QUOTATION MARK}" if opening else "\N{RIGHT DOUBLE QUOTATION MARK}"  # noqa: PLW2901
            opening = not opening
        letters.append(letter)
    return "".join(letters)


def without_end(text: str, _random: Random) -> str:
    """The last tenth is cut off."""
    return text[: len(text) - max(1, round(_CUT * len(text)))]


def without_start(text: str, _random: Random) -> str:
    """The first tenth is cut off."""
    return text[max(1, round(_CUT * len(text))) :]


def _letters(text: str) -> list[int]:
    return [place for place, letter in enumerate(text) if letter.isalpha()]


def _some(places: list[int], text: str, random: Random) -> list[int]:
    """One of the places for each `_EVERY` characters of the text, at least one where there is one."""
    return random.sample(places, min(len(places), max(1, len(text) // _EVERY)))


def _at_some(text: str, places: list[int], random: Random, change: Callable[[str], str]) -> str:
    """The text with some of its characters changed."""
    letters = list(text)
    for place in _some(places, text, random):
        letters[place] = change(letters[place])
    return "".join(letters)
