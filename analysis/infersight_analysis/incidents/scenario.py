"""What is done to see a failure, and when it is one."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.results import Json
from infersight_analysis.times import SECOND_NS, parse_duration, short_duration

NON_ZERO: Final = "nonzero"
_STATUS: Final = re.compile(r"[1-5](xx|\d\d)")


@dataclass(frozen=True)
class Predicate:
    """When an attempt shows the failure: as soon as one of these holds, of those that are given.

    Args:
        exit_code: the command exits with it; `nonzero` is any but 0.
        matches: a regular expression that is found in what was printed, or in the body of an answer.
        status: of an HTTP answer, `503` or `5xx`.
        slower_than_ns: it takes longer, nanoseconds.
    """

    exit_code: str | None = None
    matches: str | None = None
    status: str | None = None
    slower_than_ns: int | None = None

    @classmethod
    def of(cls, exit_code: str | None, matches: str | None, status: str | None, slower_than: str | None) -> "Predicate":
        """The predicate as the command line says it.

        Raises:
            AnalysisError: one of them is none.
        """
        if exit_code not in (None, NON_ZERO) and not str(exit_code).isdecimal():
            raise AnalysisError(f"{exit_code!r} is no exit code: give a number, or nonzero")
        if status is not None and not _STATUS.fullmatch(status):
            raise AnalysisError(f"{status!r} is no HTTP status: write it as 503 or 5xx")
        try:
            re.compile(matches or "")
        except re.error as error:
            raise AnalysisError(f"{matches!r} is no regular expression: {error}") from error
        return cls(exit_code, matches, status, None if slower_than is None else parse_duration(slower_than))

    def holds(self, attempt: "Attempt") -> bool:
        """Whether an attempt shows the failure."""
        code, status = attempt.exit_code, attempt.status
        return (
            (self.exit_code is not None and code is not None and _is_exit(code, self.exit_code))
            or (self.matches is not None and re.search(self.matches, attempt.output) is not None)
            or (self.status is not None and status is not None and _is_status(status, self.status))
            or (self.slower_than_ns is not None and attempt.duration_ns > self.slower_than_ns)
        )

    def __str__(self) -> str:
        parts = {
            "exits with {}": self.exit_code,
            "prints {}": self.matches,
            "answers {}": self.status,
            "takes more than {}": None if self.slower_than_ns is None else short_duration(self.slower_than_ns),
        }
        return " or ".join(text.format(value) for text, value in parts.items() if value is not None)


def _is_exit(code: int, wanted: str) -> bool:
    return code != 0 if wanted == NON_ZERO else code == int(wanted)


def _is_status(status: int, wanted: str) -> bool:
    return str(status)[0] == wanted[0] if wanted.endswith("xx") else str(status) == wanted


@dataclass(frozen=True)
class Request:
    """An HTTP request.

    Raises:
        AnalysisError: the URL is of another scheme.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str | None = None

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise AnalysisError(f"{self.url!r} is no URL to ask: it begins with http:// or https://")


@dataclass(frozen=True)
class Scenario:
    """What is done in each attempt, and when that shows the failure.

    Args:
        command: program and arguments; empty where requests are sent.
        requests: sent one after the other; the failure of one is that of the attempt.
        predicate: when an attempt shows the failure.
        attempts: how many.
        concurrency: how many at a time.
        timeout_ns: how long one may take, nanoseconds.
    """

    command: Sequence[str] = ()
    requests: Sequence[Request] = ()
    predicate: Predicate = field(default_factory=Predicate)
    attempts: int = 10
    concurrency: int = 1
    timeout_ns: int = 60 * SECOND_NS

    @property
    def shows(self) -> Predicate:
        """The predicate, or where it says nothing what fails in any case: an exit code, a 5xx, no end in time."""
        if self.predicate != Predicate():
            return self.predicate
        if self.command:
            return Predicate(exit_code=NON_ZERO, slower_than_ns=self.timeout_ns)
        return Predicate(status="5xx", slower_than_ns=self.timeout_ns)

    def __str__(self) -> str:
        if self.command:
            return shlex.join(self.command)
        return ", ".join(f"{request.method} {request.url}" for request in self.requests)

    @classmethod
    def restored(cls, payload: Mapping[str, Any]) -> "Scenario":
        """A scenario as it was recorded."""
        return cls(
            command=tuple(payload["command"]),
            requests=tuple(Request(**each) for each in payload["requests"]),
            predicate=Predicate(**payload["predicate"]),
            attempts=payload["attempts"],
            concurrency=payload["concurrency"],
            timeout_ns=payload["timeout_ns"],
        )

    def recorded(self) -> dict[str, Json]:
        """The scenario as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Attempt:
    """One attempt.

    Args:
        duration_ns: how long it took, nanoseconds.
        exit_code: of the command; None of requests, and where it took too long.
        status: of the last answer; None of commands, and where there was none.
        output: what was printed or answered, the end of it.
        answered: whether it got anywhere: the command could be started, the server be reached.
        reproduced: whether it shows the failure.
    """

    duration_ns: int
    exit_code: int | None
    status: int | None
    output: str
    answered: bool = True
    reproduced: bool = False


def read_requests(path: Path) -> list[Request]:
    """Requests out of a file: a JSON object for each, `url`, `method`, `headers`, `body`, alone or in a list.

    A body that is no text is sent as JSON.

    Raises:
        AnalysisError: the file cannot be read, or has another form.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        listed: list[Any] = document if isinstance(document, list) else [document]  # pyright: ignore[reportUnknownVariableType]
        return [_request(each) for each in listed]
    except OSError as error:
        raise AnalysisError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, TypeError, AttributeError) as error:
        form = '{"url": "http://...", "method": "POST", "headers": {}, "body": {...}}'
        raise AnalysisError(f"{path} has no requests: write each as {form} ({error})") from error


def _request(said: dict[str, Any]) -> Request:
    body = said.get("body")
    if body is not None and not isinstance(body, str):
        headers = {"content-type": "application/json"} | said.get("headers", {})
        said = said | {"body": json.dumps(body), "headers": headers}
    return Request(**said)
