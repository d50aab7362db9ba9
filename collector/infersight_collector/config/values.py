"""Values of the configuration that have a form of their own."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, Self

_SECONDS = {"us": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h|d)")
_BYTES = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(?:(%)|([KMGT]i?|)B)")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.[0-9]*|\.?[0-9]+)([eE][+-]?[0-9]+)?")

PRIVATE: Final = {"private": True}
"""Metadata of a field that names a file with a secret in it, which only the collector should be able to read."""

Scalar = str | int | float | bool
"""A value whose type is that in which it is written: `text`, `"5"`, `5`, `0.5`, `true`."""


def parse_scalar(text: str) -> Scalar:
    """The value that an unquoted text says.

    Only `true` and `false` are truth values, as in YAML 1.2: `yes` and `no` are texts.

    Raises:
        ValueError: an integer that does not fit 64 bits.
    """
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.fullmatch(text):
        number = int(text)
        if not -(2**63) <= number < 2**63:
            raise ValueError(f"{text} does not fit 64 bits: put it in quotes to make it a text")
        return number
    return float(text) if _NUMBER.fullmatch(text) else text


class Duration(float):
    """A time span in seconds, written `100us`, `500ms`, `1s`, `2m`, `1h` or `14d`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The duration that a text says; raises ValueError where it says none above zero."""
        match = _DURATION.fullmatch(text)
        seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
        if not seconds:
            raise ValueError(f"'{text}' is no duration: write 500ms, 1s, 2m, 1h or 14d")
        return cls(seconds)


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
        """The size that a text says; raises ValueError where it says none above zero, or more than all."""
        match = _SIZE.fullmatch(text)
        size = cls(float(match[1]) * _BYTES[match[3] or ""], match[2] is not None) if match else cls(0.0)
        if size.amount < 1 or (size.is_percent and size.amount > 100):
            raise ValueError(f"'{text}' is no size: write 500MB, 50GB, 1TB or, of the file system, 50%")
        return size

    def of(self, total: int) -> int:
        """The size in bytes, on a file system of so many bytes."""
        return int(self.amount * total / 100 if self.is_percent else self.amount)


class Count(int):
    """A whole number above zero."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The number that a text says; raises ValueError where it says none above zero."""
        if not text.isdecimal() or not int(text):
            raise ValueError(f"expected a whole number above zero, found '{text}'")
        return cls(text)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to listen, written `HOST:PORT`; port 0 lets the system choose."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """The endpoint that a text says.

        Raises:
            ValueError: it is not of the form HOST:PORT or [IPV6]:PORT.
        """
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        host = host.strip("[]") if bracketed else host
        valid = colon and host and port.isdecimal() and int(port) <= 65535 and (bracketed or ":" not in host)
        if not valid:
            raise ValueError(f"'{text}' is no endpoint: write HOST:PORT, as in 127.0.0.1:4317")
        return cls(host, int(port))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


HEALTH_ENDPOINT: Final = Endpoint("127.0.0.1", 13133)
"""Where the collector serves its health pages, unless it is told otherwise."""
