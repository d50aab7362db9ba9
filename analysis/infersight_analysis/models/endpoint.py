"""A model behind HTTP: the request made of a template, the answer read as JSON."""

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from infersight_analysis.models.kinds import as_json
from infersight_analysis.models.paths import Steps, placed

_EXCERPT: Final = 200
_TRACE_BYTES: Final = 16
_SPAN_BYTES: Final = 8


class RefusedError(Exception):
    """An endpoint answered with a status other than success.

    Args:
        status: of HTTP.
        said: the beginning of its body.
    """

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"HTTP {status}: {said}" if said else f"HTTP {status}")
        self.status = status


class UnreachableError(Exception):
    """Nobody answers there."""


@dataclass(frozen=True)
class Endpoint:
    """Where requests go, and of what they are made.

    Attributes:
        url: `http://` or `https://`.
        input_at: where the input lies in the request's JSON; the whole of it without a step.
        template: the rest of the request.
        headers: of each request.
        timeout_s: how long a read may wait.
    """

    url: str
    input_at: Steps = ()
    template: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    timeout_s: float = 10.0

    def ask(self, given: object, trace_id: str) -> Any:
        """The JSON that answers an input; the request belongs to the trace, so that it can be looked up.

        Raises:
            RefusedError: the status is none of success.
            UnreachableError: there is no connection, or it broke.
            TimeoutError: the answer takes too long.
            LookupError: the answer is no JSON.
        """
        body = json.dumps(placed(self.template, self.input_at, as_json(given)), ensure_ascii=False, allow_nan=False)
        headers = {
            "content-type": "application/json",
            "accept": "application/json",
            "traceparent": f"00-{trace_id}-{secrets.token_hex(_SPAN_BYTES)}-01",
            **self.headers,
        }
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            self.url, body.encode("utf-8", "replace"), headers, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as response:  # noqa: S310
                answered: bytes = response.read()
        except urllib.error.HTTPError as error:
            with error:
                raise RefusedError(error.code, _excerpt(error.read(_EXCERPT * 4))) from error
        except TimeoutError:
            raise
        except OSError as error:  # `URLError` is one
            reason = getattr(error, "reason", None) or error
            if isinstance(reason, TimeoutError):
                raise reason from error
            raise UnreachableError(str(reason)) from error
        try:
            return json.loads(answered)
        except ValueError as error:
            raise LookupError(f"it is no JSON: {_excerpt(answered)}") from error


def new_trace_id() -> str:
    """32 hex digits of nobody else's trace."""
    return secrets.token_hex(_TRACE_BYTES)


def _excerpt(body: bytes) -> str:
    return " ".join(body.decode("utf-8", "replace").split())[:_EXCERPT]
