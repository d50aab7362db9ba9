"""The variations: by name, for which kinds of input, and how many are drawn where chance has a part in them."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Literal

from infersight_analysis.errors import AnalysisError
from infersight_analysis.models.kinds import is_array, is_list, is_object, is_real
from infersight_analysis.robustness import numbers, texts

Kind = Literal["text", "numbers", "array", "record", "other"]
Vary = Callable[[Any, Random], Any]

_DRAWS: Final = 3
_NUMERIC: Final[tuple[Kind, ...]] = ("numbers", "array", "record")


@dataclass(frozen=True)
class Variation:
    """One way to say the same otherwise.

    Attributes:
        name: its family and its own, such as `case.upper`.
        about: what it does, in a line.
        kinds: of the inputs that it is for.
        vary: makes a varied input of an input and a source of chance.
        draws: how many are made of one input; more than one where chance has a part.
        arrangement: where the inputs stay as they are, in which company they are asked.
    """

    name: str
    about: str
    kinds: Collection[Kind]
    vary: Vary
    draws: int = 1
    arrangement: Literal["", "shuffled", "alone"] = ""

    def of(self, value: Any, seed: str) -> Iterator[Any]:
        """The distinct variants of an input that differ from it, the same for the same seed."""
        seen = {_identity(value)}
        for draw in range(self.draws):
            varied = self.vary(value, Random(f"{seed}/{self.name}/{draw}"))  # noqa: S311 - no secret
            if (identity := _identity(varied)) not in seen:
                seen.add(identity)
                yield varied


def _unchanged(value: Any, _random: Random) -> Any:
    return value


def kind_of(value: Any) -> Kind:
    """What kind of input a value is."""
    if isinstance(value, str):
        return "text"
    if is_array(value):
        return "array"
    if is_object(value):
        return "record"
    if is_list(value) or is_real(value):
        return "numbers"
    return "other"


def chosen(names: Sequence[str], fields: Collection[str], noise: float, *, in_batches: bool) -> list[Variation]:
    """The variations of some names or families, all of them without any.

    Args:
        names: such as `case` or `case.upper`.
        fields: the fields of records that are varied; all numbers, and all texts of several words, without any.
        noise: standard deviation of `noise`, as a share of each number.
        in_batches: whether the model takes several inputs at once.

    Raises:
        AnalysisError: a name is none.
    """
    every = [*_of_texts(fields), *_of_numbers(fields, noise), *_OF_BATCHES[: None if in_batches else 1]]
    families = {variation.name.partition(".")[0] for variation in every}
    for name in names:
        if name not in families and name not in {variation.name for variation in every}:
            raise AnalysisError(
                f"there is no variation {name!r}: choose of {', '.join(sorted(families))}, or one of a family"
            )
    wanted = set(names)
    return [each for each in every if not wanted or each.name in wanted or each.name.partition(".")[0] in wanted]


_TEXTS: Final[dict[str, tuple[Callable[[str, Random], str], int]]] = {
    "case.upper": (texts.upper, 1),
    "case.lower": (texts.lower, 1),
    "case.title": (texts.title, 1),
    "whitespace.doubled": (texts.doubled_spaces, 1),
    "whitespace.around": (texts.spaces_around, 1),
    "whitespace.line_breaks": (texts.line_breaks, _DRAWS),
    "whitespace.collapsed": (texts.collapsed_spaces, 1),
    "typos.swapped": (texts.swapped_letters, _DRAWS),
    "typos.dropped": (texts.dropped_letter, _DRAWS),
    "typos.repeated": (texts.repeated_letter, _DRAWS),
    "typos.neighbour": (texts.neighbouring_key, _DRAWS),
    "unicode.nfc": (texts.composed, 1),
    "unicode.nfd": (texts.decomposed, 1),
    "unicode.nfkc": (texts.compatible, 1),
    "unicode.full_width": (texts.full_width, 1),
    "unicode.no_break_spaces": (texts.unbreakable_spaces, 1),
    "unicode.look_alikes": (texts.look_alikes, _DRAWS),
    "unicode.zero_width": (texts.zero_width, _DRAWS),
    "punctuation.removed": (texts.without_punctuation, 1),
    "punctuation.final_stop": (texts.final_stop, 1),
    "punctuation.typographic": (texts.typographic, 1),
    "truncation.end": (texts.without_end, 1),
    "truncation.start": (texts.without_start, 1),
}


_OF_BATCHES: Final = (
    Variation("batch.order", "the same inputs in another order", (), _unchanged, arrangement="shuffled"),
    Variation("batch.alone", "each input in a batch of its own", (), _unchanged, arrangement="alone"),
)


def _of_texts(fields: Collection[str]) -> Iterator[Variation]:
    for name, (vary, draws) in _TEXTS.items():
        yield Variation(name, _about(vary), ("text", "record"), _on_texts(vary, fields), draws)


def _of_numbers(fields: Collection[str], noise: float) -> Iterator[Variation]:
    gain = numbers.GAIN
    made: list[tuple[str, str, tuple[Kind, ...], Vary, int]] = [
        ("noise", f"normal noise of {noise:.3g} of each number", _NUMERIC, numbers.with_noise(noise), _DRAWS),
        ("scale.up", f"all numbers {gain:.0%} larger", _NUMERIC, numbers.scaled(1 + gain), 1),
        ("scale.down", f"all numbers {gain:.0%} smaller", _NUMERIC, numbers.scaled(1 - gain), 1),
        ("missing.nan", _about(numbers.one_nan), _NUMERIC, numbers.one_nan, _DRAWS),
        ("missing.null", _about(numbers.null_field), ("record",), numbers.null_field, _DRAWS),
        ("missing.absent", _about(numbers.absent_field), ("record",), numbers.absent_field, _DRAWS),
        ("dtype.float16", "an array of float16", ("array",), numbers.as_type("float16"), 1),
        ("dtype.float32", "an array of float32", ("array",), numbers.as_type("float32"), 1),
        ("dtype.float64", "an array of float64", ("array",), numbers.as_type("float64"), 1),
        ("dtype.list", _about(numbers.as_list), ("array",), numbers.as_list, 1),
        ("dtype.float", _about(numbers.as_floats), ("numbers", "record"), numbers.as_floats, 1),
        ("dtype.text", _about(numbers.as_texts), ("numbers", "record"), numbers.as_texts, 1),
    ]
    for name, about, kinds, vary, draws in made:
        yield Variation(name, about, kinds, _on_fields(vary, fields), draws)


def _on_texts(vary: Callable[[str, Random], str], fields: Collection[str]) -> Vary:
    """The variation of a text, or of the texts of a record: names of categories are single words and stay."""

    def varied(value: Any, random: Random) -> Any:
        if isinstance(value, str):
            return vary(value, random)
        return {
            name: vary(member, random) if isinstance(member, str) and _is_varied(name, member, fields) else member
            for name, member in value.items()
        }

    return varied


def _is_varied(name: str, member: str, fields: Collection[str]) -> bool:
    return name in fields if fields else len(member.split()) > 1


def _on_fields(vary: Vary, fields: Collection[str]) -> Vary:
    """The variation of a value, or, where fields are named, of these fields of a record."""

    def varied(value: Any, random: Random) -> Any:
        if not fields or not is_object(value):
            return vary(value, random)
        changed = vary({name: member for name, member in value.items() if name in fields}, random)
        others = {name: member for name, member in value.items() if name not in fields}
        return {name: {**others, **changed}[name] for name in value if name in others or name in changed}

    return varied


def _about(function: Callable[..., Any]) -> str:
    return (function.__doc__ or "").partition("\n")[0].rstrip(".")


def _identity(value: Any) -> str:
    """What tells an input from another one: 1 from 1.0, float32 from float64, and no NaN from itself."""
    if is_array(value):
        return f"{value.dtype} {value.shape} {value.tobytes().hex()}"
    return repr(value)
