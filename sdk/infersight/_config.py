"""The options of `configure` and where they come from: argument, then `INFERSIGHT_*`, then the default."""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar, cast, get_args
from urllib.parse import urlsplit

Console: TypeAlias = Literal["auto", "human", "json", "off"]
"""How log records reach standard error; `auto` is `human` on a terminal and `json` elsewhere, and leaves an
application that has log handlers of its own alone."""

Protocol: TypeAlias = Literal["grpc", "http/protobuf"]
"""The OTLP transport, by the names of OTEL_EXPORTER_OTLP_PROTOCOL."""

DEFAULT_BLOCKED_SECONDS: Final = 0.1
DEFAULT_SHUTDOWN_SECONDS: Final = 3.0

_LOG: Final = logging.getLogger("infersight")
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Options:
    """What `configure` was told; None leaves a matter to OpenTelemetry (its `OTEL_*` variables and defaults)."""

    service_name: str | None
    service_version: str | None
    endpoint: str | None
    protocol: Protocol | None
    console: Console
    log_level: int | None
    blocked_seconds: float
    shutdown_seconds: float
    enabled: bool


def from_environment(name: str, parse: Callable[[str], T], default: T) -> T:
    """Value of `INFERSIGHT_<NAME>`; the default, with one warning line, where it does not parse."""
    variable = f"INFERSIGHT_{name.upper()}"
    value = os.environ.get(variable, "").strip()
    if not value:
        return default
    try:
        return parse(value)
    except ValueError as error:
        _LOG.warning("ignoring %s=%s: %s", variable, value, error)
        return default


def parse_bool(value: str) -> bool:
    """True or false in the usual spellings.

    Raises:
        ValueError: another text.
    """
    lowered = value.lower()
    if lowered in _TRUE | _FALSE:
        return lowered in _TRUE
    raise ValueError("expected true or false")


def parse_seconds(value: str) -> float:
    """A positive number of seconds.

    Raises:
        ValueError: another text.
    """
    seconds = float(value)
    if not 0 < seconds < float("inf"):
        raise ValueError("expected a positive number of seconds")
    return seconds


def parse_endpoint(value: str) -> str:
    """An `http(s)://HOST:PORT` URL; without a scheme, http.

    Raises:
        ValueError: another text.
    """
    url = value if "://" in value else f"http://{value}"
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:  # .port raises as well
        raise ValueError("expected http://HOST:PORT")
    return url


def parse_console(value: str) -> Console:
    """One of the console modes.

    Raises:
        ValueError: another text.
    """
    return cast("Console", _one_of(value.lower(), get_args(Console)))


def parse_protocol(value: str) -> Protocol:
    """One of the OTLP protocols.

    Raises:
        ValueError: another text.
    """
    return cast("Protocol", _one_of(value.lower(), get_args(Protocol)))


def parse_log_level(value: str) -> int:
    """Number of a level that the standard library's logging knows by this name.

    Raises:
        ValueError: another text.
    """
    level = logging.getLevelNamesMapping().get(value.upper())
    if level is None:
        raise ValueError("expected DEBUG, INFO, WARNING, ERROR or CRITICAL")
    return level


def _one_of(value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"expected one of {', '.join(allowed)}")
    return value
