"""The rules for inputs, as `infersight.validate_input` has them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infersight._checks import Rules


@dataclass(frozen=True)
class InputRules:
    """What is asked of inputs; a rule that is not given asks nothing.

    Attributes:
        types: names of classes, one of which an input has to be of, such as `str` or `numpy.ndarray`.
        dtype: of an array, such as `float32`.
        shape: of an array, None for any size.
        range: least and greatest number, None for no bound.
        max_length: most characters of a text, items of a list, first dimension of an array, fields of a record.
        non_empty: whether it has to hold something.
        finite: whether NaN and infinite numbers are wrong.
        fields: that a record has to have, with a value.
    """

    types: Sequence[str] = ()
    dtype: str | None = None
    shape: Sequence[int | None] | None = None
    range: tuple[float | None, float | None] | None = None
    max_length: int | None = None
    non_empty: bool = False
    finite: bool = False
    fields: Sequence[str] = ()

    @property
    def of_sdk(self) -> Rules:
        """The same, but for the types, which the SDK knows as classes."""
        return Rules((), self.dtype, self.shape, self.range, self.max_length, self.non_empty, self.finite, self.fields)

    @property
    def expected(self) -> dict[str, str]:
        """What is asked for, in words, by the name of the check."""
        return dict(self._expected())

    def _expected(self) -> Iterator[tuple[str, str]]:
        if self.types:
            yield "type", " or ".join(self.types)
        if self.dtype is not None:
            yield "dtype", self.dtype
        if self.shape is not None:
            yield "shape", f"({', '.join('any' if size is None else str(size) for size in self.shape)})"
        if self.non_empty:
            yield "non_empty", "something"
        if self.max_length is not None:
            yield "max_length", f"at most {self.max_length}"
        if self.range is not None:
            low, high = self.range
            yield "range", f"{'-inf' if low is None else f'{low:g}'} to {'inf' if high is None else f'{high:g}'}"
        if self.finite:
            yield "finite", "finite elements"
        if self.fields:
            yield "fields", f"a value in {', '.join(self.fields)}"
