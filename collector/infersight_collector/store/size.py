"""Room on a disk, as people write it."""

import re
from dataclasses import dataclass
from typing import Final, Self

_UNITS: Final = {
    "": 1.0,
    "K": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?) ?(?:(%)|([KMGT]i?|)B)")


@dataclass(frozen=True, slots=True)
class Size:
    """Room on a disk, written `500MB`, `50GB` or `1.5TiB`, or as a part of the file system, `50%`.

    Attributes:
        amount: bytes, or percent.
        is_percent: which of them.
    """

    amount: float
    is_percent: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """The size that a text says.

        Raises:
            ValueError: it says none, or nothing above zero, or more than all.
        """
        match = _SIZE.fullmatch(text)
        size = cls(float(match[1]) * _UNITS[match[3] or ""], match[2] is not None) if match else cls(0.0)
        if size.amount < 1 or (size.is_percent and size.amount > 100):
            raise ValueError(f"'{text}' is no size: write 500MB, 50GB, 1TB or, of the file system, 50%")
        return size

    def of(self, total: int) -> int:
        """The size in bytes, on a file system of so many bytes."""
        return int(self.amount * total / 100 if self.is_percent else self.amount)
