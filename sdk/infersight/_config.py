"""The options of `configure` and where they come from: argument, then `INFERSIGHT_*`, then the default."""

import ipaddress
import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, TypeAlias, TypeVar, cast, get_args
from urllib.parse import urlsplit

Console: TypeAlias = Literal["auto", "human", "json", "off"]
"""How log records reach standard error; `auto` is `human` on a terminal and `json` elsewhere, and leaves an
application that has log handlers of its own alone."""

Protocol: TypeAlias = Literal["grpc", "http/protobuf"]
"""The OTLP transport, by the names of OTEL_EXPORTER_OTLP_PROTOCOL."""

Redact: TypeAlias = Literal["mask", "hash", "drop", "off"]
"""What becomes of a secret: a mark, a keyed hash, nothing at all; or secrets are sent as they are."""

DEFAULT_BLOCKED_SECONDS: Final = 0.1

_MOST_RATE: Final = 1_000

_LOG: Final = logging.getLogger("infersight")
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What `configure` was told, or the default; None leaves a matter to OpenTelemetry (its variables and defaults)."""

    service_name: str | None = None
    service_version: str | None = None
    endpoint: str | None = None
    protocol: Protocol | None = None
    console: Console = "auto"
    log_level: int | None = None
    blocked_seconds: float = DEFAULT_BLOCKED_SECONDS
    shutdown_seconds: float = 3.0
    enabled: bool = True
    spool: str | None = None
    spool_bytes: int = 256 << 20
    sample_ratio: float | None = None
    redact: Redact = "mask"
    redact_keys: tuple[str, ...] = ()
    redact_patterns: tuple[tuple[str, str], ...] = ()  # name and regular expression
    redact_hash_key: str = field(default="", repr=False)
    max_text: int = 16_384
    recorder: bool = True
    recorder_dir: str | None = None
    recorder_requests: int = 50
    recorder_every: int = 0
    slow_seconds: float | None = None
    profile_rate: float = 0.0
    trace_secret: str | None = field(default=None, repr=False)
    trace_allow: tuple[str, ...] = ()  # networks in CIDR notation
    capture_inputs: float = 0.0
    capture_confidence: float = 1.0
    instrument_clients: bool = True
    host_metrics: bool = True
    control: bool = False


def choose_options(arguments: Mapping[str, object]) -> Options:
    """Each option's argument, else its variable's value, else its default.

    Args:
        arguments: what `configure` was called with, by the names of the options; None where nothing was given.

    Raises:
        TypeError: an argument has another type than its option. A wrong value is one warning line.
    """
    defaults = Options()
    chosen: dict[str, Any] = {
        option.name: _choose(option.name, arguments[option.name], getattr(defaults, option.name))
        for option in fields(Options)
    }
    return Options(**chosen)


def _choose(name: str, argument: object, default: object) -> object:
    expected, parse = _OPTIONS[name]
    if argument is None:
        return from_environment(name, parse, default)
    if not isinstance(argument, expected) or (isinstance(argument, bool) and bool not in expected):
        raise TypeError(f"configure({name}=...) takes a {expected[0].__name__}, not {type(argument).__name__}")
    try:
        return parse(_as_text(argument))
    except ValueError as error:
        shown = "..." if name in _SECRET_OPTIONS else repr(argument)
        _LOG.warning("ignoring configure(%s=%s): %s", name, shown, error)
        return default


def _as_text(argument: object) -> str:
    """An argument as its variable would say it."""
    if isinstance(argument, Mapping):
        return json.dumps(cast("Mapping[str, object]", argument))
    if isinstance(argument, list | tuple | set | frozenset):
        return ",".join(str(item) for item in cast("list[object]", argument))
    return str(argument)


def from_environment(name: str, parse: Callable[[str], T], default: T) -> T:
    """Value of `INFERSIGHT_<NAME>`; the default, with one warning line, where it does not parse."""
    variable = f"INFERSIGHT_{name.upper()}"
    value = os.environ.get(variable, "").strip()
    if not value:
        return default
    try:
        return parse(value)
    except ValueError as error:
        _LOG.warning("ignoring %s=%s: %s", variable, "..." if name in _SECRET_OPTIONS else value, error)
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


def parse_ratio(value: str) -> float:
    """A share between 0 and 1.

    Raises:
        ValueError: another text.
    """
    ratio = float(value)
    if not 0 <= ratio <= 1:
        raise ValueError("expected a number from 0 to 1")
    return ratio


def parse_rate(value: str) -> float:
    """How often a second, up to 1 000 times; 0 for never.

    Raises:
        ValueError: another text.
    """
    rate = float(value)
    if not 0 <= rate <= _MOST_RATE:
        raise ValueError("expected a number from 0 to 1000")
    return rate


def parse_count(value: str) -> int:
    """A whole number from 0.

    Raises:
        ValueError: another text.
    """
    if not value.isdecimal():
        raise ValueError("expected a whole number")
    return int(value)


def parse_redact(value: str) -> Redact:
    """One of the ways to redact.

    Raises:
        ValueError: another text.
    """
    return cast("Redact", _one_of(value.lower(), get_args(Redact)))


def parse_words(value: str) -> tuple[str, ...]:
    """Words with commas between them."""
    return tuple(word.strip() for word in value.split(",") if word.strip())


def parse_patterns(value: str) -> tuple[tuple[str, str], ...]:
    """A JSON object of names and regular expressions.

    Raises:
        ValueError: another text, or an expression that does not compile.
    """
    found = json.loads(value)
    if not isinstance(found, dict):
        raise ValueError('expected a JSON object: {"NAME": "EXPRESSION"}')  # noqa: TRY004 - of a text, its value is wrong
    patterns = tuple((str(name), str(expression)) for name, expression in cast("dict[str, object]", found).items())
    for _, expression in patterns:
        try:
            re.compile(expression)
        except re.error as error:
            raise ValueError(f"{error} in the expression {expression}") from None
    return patterns


def parse_networks(value: str) -> tuple[str, ...]:
    """Addresses or networks (CIDR) with commas between them.

    Raises:
        ValueError: one of them is neither.
    """
    return tuple(str(ipaddress.ip_network(word)) for word in parse_words(value))


_LIST: Final = (list, tuple, set, frozenset, str)

_OPTIONS: Final[dict[str, tuple[tuple[type, ...], Callable[[str], object]]]] = {
    "service_name": ((str,), str),
    "service_version": ((str,), str),
    "endpoint": ((str,), parse_endpoint),
    "protocol": ((str,), parse_protocol),
    "console": ((str,), parse_console),
    "log_level": ((str,), parse_log_level),
    "blocked_seconds": ((float, int), parse_seconds),
    "shutdown_seconds": ((float, int), parse_seconds),
    "enabled": ((bool,), parse_bool),
    "spool": ((str, os.PathLike), str),
    "spool_bytes": ((int,), parse_count),
    "sample_ratio": ((float, int), parse_ratio),
    "redact": ((str,), parse_redact),
    "redact_keys": (_LIST, parse_words),
    "redact_patterns": ((Mapping, str), parse_patterns),
    "redact_hash_key": ((str,), str),
    "max_text": ((int,), parse_count),
    "recorder": ((bool,), parse_bool),
    "recorder_dir": ((str, os.PathLike), str),
    "recorder_requests": ((int,), parse_count),
    "recorder_every": ((int,), parse_count),
    "slow_seconds": ((float, int), parse_seconds),
    "profile_rate": ((float, int), parse_rate),
    "trace_secret": ((str,), str),
    "trace_allow": (_LIST, parse_networks),
    "capture_inputs": ((float, int), parse_ratio),
    "capture_confidence": ((float, int), parse_ratio),
    "instrument_clients": ((bool,), parse_bool),
    "host_metrics": ((bool,), parse_bool),
    "control": ((bool,), parse_bool),
}
"""Of each option: what an argument may be, and how its text is read."""

_SECRET_OPTIONS: Final = frozenset({"redact_hash_key", "trace_secret"})
"""Options whose values are never logged."""
