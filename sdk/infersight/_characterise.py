"""What a model was given, in facts that do not give the input away: text, bytes, arrays, lists and mappings.

The cost is bounded whatever the size of the input: of a large one a regular sample is looked at, and
`infersight.input.sample_size` says how much. Nothing here waits for an accelerator: of an array that lives on one,
only what the host knows is said (shape, dtype, device).
"""

import hashlib
import math
import re
import string
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Final, cast

from infersight import _attributes as names
from infersight._inputs import describe_input, shape_of
from infersight._values import AttributeValue, qualified_name, safe_str

_TEXT_SAMPLE: Final = 4_096  # characters
_SCRIPT_SAMPLE: Final = 128  # letters
_ARRAY_SAMPLE: Final = 16_384  # elements
_LIST_SAMPLE: Final = 512  # numbers, which cost more in a list than in an array
_FIELDS: Final = 64
_HASHED_BYTES: Final = 65_536

_SPECIAL: Final = re.compile(r"[^\w\s]|_")
_DIGIT: Final = re.compile(r"\d")
_LETTER: Final = re.compile(r"[^\W\d_]")
_UPPERCASE: Final = string.ascii_uppercase.encode()
_LOWERCASE: Final = string.ascii_lowercase.encode()

Attributes = dict[str, AttributeValue]


def characterise(value: object) -> Attributes:
    """The `infersight.input.*` attributes of a model's input.

    Args:
        value: text; bytes; anything with a `shape` (NumPy, PyTorch, ...); a list or tuple, nested or not, of numbers;
            a mapping, dataclass or pydantic model, by its fields. Of other types only the type is said, and of a list
            of one item that item.
    """
    found: Attributes = {names.INPUT_TYPE: qualified_name(type(value))}
    fields = fields_of(value)
    if isinstance(value, str):
        found |= _text(value)
    elif isinstance(value, bytes | bytearray):
        found |= {names.INPUT_LENGTH: len(value), names.INPUT_HASH: _digest(*_ends(bytes(value)))}
    elif fields is not None:
        found |= _mapping(fields)
    elif (shape := shape_of(value)) is not None:
        found |= describe_input((value,)) | _array(value, shape)
    elif isinstance(value, list | tuple):
        found |= _list(cast("Sequence[object]", value))
    return found


def fields_of(value: object) -> Mapping[object, object] | None:
    """The fields of a mapping, a dataclass instance or a pydantic model; None for anything else."""
    if isinstance(value, Mapping):
        return cast("Mapping[object, object]", value)
    described = hasattr(type(value), "__dataclass_fields__") or hasattr(type(value), "model_fields")
    return cast("Mapping[object, object]", vars(value)) if described and hasattr(value, "__dict__") else None


def is_on_host(array: object) -> bool:
    """Whether reading an array's elements waits for no accelerator, by its `device`."""
    device = getattr(array, "device", None)
    return device is None or "cpu" in str(device).lower()


def _text(text: str) -> Attributes:
    half = _TEXT_SAMPLE // 2
    sample = text if len(text) <= _TEXT_SAMPLE else text[:half] + text[-half:]
    found: Attributes = {names.INPUT_LENGTH: len(text), names.INPUT_HASH: _digest(*_ends(text))}
    if not sample:
        return found
    if len(sample) < len(text):
        found[names.INPUT_SAMPLE_SIZE] = len(sample)
    found |= {
        names.INPUT_DIGIT_RATIO: len(_DIGIT.findall(sample)) / len(sample),
        names.INPUT_SPECIAL_RATIO: len(_SPECIAL.findall(sample)) / len(sample),
        names.INPUT_WHITESPACE_RATIO: 1 - len("".join(sample.split())) / len(sample),
        names.INPUT_CASE: _case(sample),
    }
    shouted = _uppercase_ratio(sample)
    if shouted is not None:
        found[names.INPUT_UPPERCASE_RATIO] = shouted
    script = dominant_script(sample)
    return found if script is None else found | {names.INPUT_SCRIPT: script}


def _uppercase_ratio(text: str) -> float | None:
    """The share of upper-case letters among all letters; None without a letter."""
    if text.isascii():  # a tenth of the time that it takes to ask each character
        without = text.encode().translate(None, _UPPERCASE)
        upper = len(text) - len(without)
        letters = upper + len(without) - len(without.translate(None, _LOWERCASE))
    else:
        upper, letters = sum(map(str.isupper, text)), sum(map(str.isalpha, text))
    return min(1.0, upper / letters) if letters else None


def _case(text: str) -> str:
    if text.isupper():
        return "upper"
    if text.islower():
        return "lower"
    return "none" if text.upper() == text.lower() else "mixed"


def dominant_script(text: str) -> str | None:
    """The Unicode script of most of the text's letters, such as `Latin`, `Cyrillic` or `Han`; None without a letter.

    Read from the characters' names, which begin with the script; the standard library has no table of scripts.
    """
    if text.isascii():
        return "Latin" if _LETTER.search(text) else None
    letters = _LETTER.findall(text)
    scripts = Counter(_script(letter) for letter in letters[:: 1 + len(letters) // _SCRIPT_SAMPLE])
    del scripts[""]
    return scripts.most_common(1)[0][0] if scripts else None


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """Script of one letter; empty for letters of no script (mathematical alphabets, unnamed ones)."""
    words = unicodedata.name(letter, "").removeprefix("FULLWIDTH ").removeprefix("HALFWIDTH ").split()
    if not words or words[0] in {"MATHEMATICAL", "DOUBLE-STRUCK", "MODIFIER", "FEMININE", "MASCULINE", "MICRO"}:
        return ""
    return "Han" if words[0] == "CJK" else words[0].capitalize()


def _array(array: Any, shape: Sequence[int]) -> Attributes:
    # An array that is read exists in NumPy's terms; without NumPy (a bare PyTorch) only its structure is told.
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or not is_on_host(array) or not hasattr(array, "dtype"):
        return {}
    try:
        sample = _sample(array, shape, numpy)
    except Exception:  # noqa: BLE001 - sparse, quantised or otherwise unreadable: its structure has been told
        return {}
    found: Attributes = {}
    if sample.size < math.prod(shape):
        found[names.INPUT_SAMPLE_SIZE] = int(sample.size)
    if sample.dtype.kind in "buif":
        sample = sample.astype("float64")
        kept = sample[numpy.isfinite(sample)]
        nans = int(numpy.isnan(sample).sum())
        found |= {names.INPUT_NAN_COUNT: nans, names.INPUT_INF_COUNT: int(sample.size - kept.size) - nans}
        if kept.size:
            found |= _summary(kept.min(), kept.max(), kept.mean(), kept.std())
    if sample.dtype.kind != "O":  # the bytes of an array of objects are addresses
        found[names.INPUT_HASH] = _digest(repr(tuple(shape)).encode(), sample.tobytes())
    return found


def _sample(array: Any, shape: Sequence[int], numpy: Any) -> Any:
    """At most about `_ARRAY_SAMPLE` elements at regular distances, without a copy of the whole."""
    steps = [1] * len(shape)
    excess = math.prod(shape) / _ARRAY_SAMPLE
    for axis in sorted(range(len(shape)), key=lambda axis: -shape[axis]):
        if excess > 1:
            steps[axis] = min(math.ceil(excess), shape[axis])
            excess /= steps[axis]
    part = array[tuple(slice(None, None, step) for step in steps)]
    if hasattr(part, "detach"):  # PyTorch; NumPy has no bfloat16
        part = part.detach()
        part = (part.double() if part.is_floating_point() else part).numpy()
    return numpy.ascontiguousarray(part)


def _summary(low: float, high: float, mean: float, std: float) -> Attributes:
    return {
        names.INPUT_MIN: float(low),
        names.INPUT_MAX: float(high),
        names.INPUT_MEAN: float(mean),
        names.INPUT_STD: float(std),
    }


def _list(items: Sequence[object]) -> Attributes:
    found = describe_input((items,))
    if len(items) == 1 and not isinstance(items[0], list | tuple | int | float):
        return found | characterise(items[0])
    numbers = list(islice(leaves(items), _LIST_SAMPLE + 1))
    if not numbers or not all(isinstance(number, int | float) for number in numbers):
        return found
    sample = [float(cast("float", number)) for number in numbers[:_LIST_SAMPLE]]
    kept = [number for number in sample if math.isfinite(number)]
    nans = sum(map(math.isnan, sample))
    found |= {names.INPUT_NAN_COUNT: nans, names.INPUT_INF_COUNT: len(sample) - len(kept) - nans}
    if len(sample) < len(numbers):
        found[names.INPUT_SAMPLE_SIZE] = len(sample)
    if kept:
        mean = math.fsum(kept) / len(kept)
        variance = math.fsum((number - mean) ** 2 for number in kept) / len(kept)
        found |= _summary(min(kept), max(kept), mean, math.sqrt(variance))
    found[names.INPUT_HASH] = _digest(repr(sample).encode())
    return found


def leaves(items: Sequence[object], depth: int = 8) -> Iterator[object]:
    """What lies in nested lists and tuples, in order; an empty list lies there itself."""
    for item in items:
        if isinstance(item, list | tuple) and item and depth:
            yield from leaves(cast("Sequence[object]", item), depth - 1)
        else:
            yield item


def _mapping(fields: Mapping[object, object]) -> Attributes:
    kept = {safe_str(key): value for key, value in islice(fields.items(), _FIELDS)}
    ordered = sorted(kept)
    return {
        **describe_input((fields,)),
        names.INPUT_LENGTH: len(fields),
        names.INPUT_FIELDS: cast("list[AttributeValue]", ordered),
        names.INPUT_MISSING: [key for key in ordered if is_missing(kept[key])],
        names.INPUT_HASH: _digest(repr([(key, _identity(kept[key])) for key in ordered]).encode("utf-8", "replace")),
    }


def _identity(value: object) -> object:
    """What tells a field's value from another one, in a few dozen facts; structure only, for arrays."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str | bytes):
        return _digest(*_ends(value))
    fields = fields_of(value)
    if fields is not None:
        return sorted(safe_str(key) for key in islice(fields, _FIELDS))
    if isinstance(value, list | tuple):
        items = islice(leaves(cast("Sequence[object]", value)), _FIELDS)
        return [item if isinstance(item, bool | int | float) else _identity_of_leaf(item) for item in items]
    return qualified_name(type(value)), shape_of(value)


def _identity_of_leaf(item: object) -> str:
    return _digest(*_ends(item)) if isinstance(item, str | bytes) else qualified_name(type(item))


def is_missing(value: object) -> bool:
    """Whether a field's value says that there is none: None, NaN or empty text."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _ends(content: str | bytes) -> tuple[bytes, ...]:
    """The content's size with its first and last bytes: all of it unless it is large."""
    half = _HASHED_BYTES // 2
    parts = (content,) if len(content) <= _HASHED_BYTES else (content[:half], content[-half:])
    encoded = (part.encode("utf-8", "replace") if isinstance(part, str) else part for part in parts)
    return (str(len(content)).encode(), *encoded)


def _digest(*parts: bytes) -> str:
    """16 hex digits of BLAKE2b (RFC 7693)."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
