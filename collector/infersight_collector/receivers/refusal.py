"""The one place where errors become what a sender sees, as OTLP wants it: permanent, or to be tried again."""

# pyright: reportMissingTypeStubs=false
# google.rpc has stub files and no marker.

import logging
from dataclasses import dataclass
from typing import Final

from google.protobuf import any_pb2, duration_pb2, json_format
from google.rpc import code_pb2, error_details_pb2, status_pb2

from infersight_collector.errors import Incomplete, MalformedRequest, MemoryShort, Overloaded, TooLarge, Unauthorized
from infersight_collector.store.errors import StoreFull, StoreUnavailable

_log = logging.getLogger(__name__)

RETRY_AFTER_S: Final = 5
"""When a refused sender should come again."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to a request that is not accepted.

    Attributes:
        code: of google.rpc.Code, which are the gRPC status codes.
        http_status: the same over HTTP.
        message: for the sender, without anything of the request in it.
        reason: short name for the counters.
        retryable: whether the same request may be sent again later.
    """

    code: int
    http_status: int
    message: str
    reason: str
    retryable: bool = False

    @classmethod
    def of(cls, error: Exception) -> "Refusal":  # noqa: PLR0911 - one for each kind of error
        """What a sender is told about an error."""
        match error:
            case MalformedRequest():
                return cls(code_pb2.INVALID_ARGUMENT, 400, str(error), "malformed")
            case TooLarge():
                return cls(code_pb2.RESOURCE_EXHAUSTED, 413, str(error), "too_large")
            case Unauthorized():
                return cls(code_pb2.UNAUTHENTICATED, 401, str(error), "unauthorized")
            case Incomplete():
                return cls(code_pb2.UNAVAILABLE, 503, str(error), "incomplete", retryable=True)
            case MemoryShort():
                return cls(code_pb2.UNAVAILABLE, 503, str(error), "memory_limit", retryable=True)
            case Overloaded():
                return cls(code_pb2.UNAVAILABLE, 503, str(error), "overloaded", retryable=True)
            case StoreFull():
                return cls(code_pb2.UNAVAILABLE, 503, "the store is full", "store_full", retryable=True)
            case StoreUnavailable():
                message = "the store cannot be written now"
                return cls(code_pb2.UNAVAILABLE, 503, message, "store_unavailable", retryable=True)
            case _:
                _log.error("a request failed", exc_info=error)
                return cls(code_pb2.INTERNAL, 500, "internal error, see the collector's log", "internal")

    def status(self) -> bytes:
        """The google.rpc.Status as protobuf, with RetryInfo where trying again makes sense."""
        encoded: bytes = self._status().SerializeToString()
        return encoded

    def status_json(self) -> bytes:
        """The same in the JSON form of protobuf."""
        text: str = json_format.MessageToJson(self._status(), indent=None)
        return text.encode()

    def _status(self) -> status_pb2.Status:
        status = status_pb2.Status(code=self.code, message=self.message)
        if self.retryable:
            delay = duration_pb2.Duration(seconds=RETRY_AFTER_S)
            detail = any_pb2.Any()
            detail.Pack(error_details_pb2.RetryInfo(retry_delay=delay))
            status.details.append(detail)
        return status
