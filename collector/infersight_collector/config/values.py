"""Values of the configuration that have a form of their own."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, Self

_SECONDS = {"us": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h|d)")
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
