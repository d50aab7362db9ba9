"""What to ask a model: texts, records and arrays, out of files or as they are typed."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.models.kinds import as_json, is_array, is_list, is_object
from infersight_analysis.tabular import read_table

_TABLES: Final = frozenset({".csv", ".tsv", ".parquet"})
_LINES: Final = frozenset({".jsonl", ".ndjson"})
_ENDINGS: Final = (".txt", ".json", *sorted(_LINES), *sorted(_TABLES), ".npy")
_INPUT: Final = "input"
_MOST_CHARACTERS: Final = 500
_MOST_ELEMENTS: Final = 64


def read_inputs(given: Sequence[str], column: str | None = None) -> list[Any]:
    """Inputs out of files, or texts as they are.

    A file is `.txt` (a text each line, empty ones too), `.jsonl` or `.json` (any values; of an object with a member
    `input` that one), `.csv`, `.tsv` or `.parquet` (a record each row) or `.npy` (an array for each element of the
    first dimension).

    Args:
        given: paths of files; anything else is a text.
        column: only this column or member of records.

    Raises:
        AnalysisError: a file cannot be read, or there is no input.
    """
    found = [each for one in given for each in _inputs(one)]
    if column is not None:
        found = [_member(each, column) for each in found]
    if not found:
        raise AnalysisError("there is no input: give --input FILE, or --input TEXT")
    return found


def read_lines(path: Path) -> Iterator[Any]:
    """The values of a file of JSON lines.

    Raises:
        AnalysisError: it cannot be read, or a line is no JSON.
    """
    for number, line in enumerate(_text(path).splitlines(), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise AnalysisError(f"line {number} of {path} is no JSON: {error}") from error


def shown(value: Any) -> Any:
    """An input for a report: whole, unless it is long."""
    if is_array(value) and value.size > _MOST_ELEMENTS:
        return f"array of {value.dtype}, shape {tuple(value.shape)}"
    plain = as_json(value)
    text = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, default=str)
    return plain if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}\N{HORIZONTAL ELLIPSIS}"


def _inputs(given: str) -> list[Any]:
    path = Path(given)
    ending = path.suffix.lower()
    if not _is_file(path):
        if ending in _ENDINGS and len(given.split()) == 1:
            raise AnalysisError(f"there is no file {given}")
        return [given]
    if ending in _TABLES:
        return [dict(row) for row in read_table(path).to_pylist()]
    if ending in _LINES:
        return [_value(each) for each in read_lines(path)]
    if ending == ".json":
        return _of_json(path)
    if ending == ".npy":
        return _of_array(path)
    if ending == ".txt":
        return _text(path).splitlines()
    raise AnalysisError(f"{path} has none of the endings {', '.join(_ENDINGS)}")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a text that is too long for a name, or has a NUL
        return False


def _of_json(path: Path) -> list[Any]:
    try:
        value = json.loads(_text(path))
    except ValueError as error:
        raise AnalysisError(f"{path} is no JSON: {error}") from error
    if not is_list(value):
        raise AnalysisError(f"{path} holds no list of inputs")
    return [_value(each) for each in value]


def _of_array(path: Path) -> list[Any]:
    import numpy as np  # noqa: PLC0415 - only for arrays

    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise AnalysisError(f"cannot read {path}: {error}") from error
    if array.ndim == 0:
        raise AnalysisError(f"{path} holds one number, not an array of inputs")
    return list(array)


def _value(each: Any) -> Any:
    return each.get(_INPUT, each) if is_object(each) else each


def _member(each: Any, column: str) -> Any:
    if not is_object(each) or column not in each:
        raise AnalysisError(f"an input has no {column!r}: it is {str(each)[:80]!r}")
    return each[column]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise AnalysisError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise AnalysisError(f"{path} is no UTF-8: {error.reason} at byte {error.start}") from error
