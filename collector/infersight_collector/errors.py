# ruff: noqa: N818 - MalformedRequest, Overloaded read as what they are; the base class carries the suffix
"""The errors that the collector raises on purpose.

    CollectorError
    ├── MalformedRequest    bytes that are no valid OTLP request: refuse them, do not retry
    ├── TooLarge            a request beyond the size limit: do not retry
    │   └── TooManyCopies   its rows would be, since they repeat what they share
    ├── Unauthorized        a request without the right token
    ├── Incomplete          a request whose body did not arrive: the sender should try again
    ├── Overloaded          no room for a request now: the sender should try again
    │   └── MemoryShort     the process takes more memory than it should
    ├── UnreadableFile      an OTLP file is damaged or of an unknown form from some offset on
    ├── ConfigError         a configuration that cannot work, with file and line where it has one
    └── ListenError         an endpoint that cannot be opened

The text of each is one line for a person.
"""

from pathlib import Path


class CollectorError(Exception):
    """Base of every error that the collector raises on purpose."""


class MalformedRequest(CollectorError):
    """A request is not valid OTLP.

    Args:
        reason: what is wrong, for the sender.
        offset: position in the request, in bytes (in characters' bytes for JSON), where it was found.
    """

    def __init__(self, reason: str, offset: int = 0) -> None:
        super().__init__(f"{reason} at byte {offset}")
        self.reason = reason
        self.offset = offset


class UnreadableFile(CollectorError):
    """A file of OTLP requests cannot be read from `offset` on; what came before it was read.

    Args:
        path: the file.
        offset: position in the (decompressed) content, in bytes.
        reason: what is wrong there.
    """

    def __init__(self, path: Path, offset: int, reason: str) -> None:
        super().__init__(f"{path}: {reason} at byte {offset}")
        self.path = path
        self.offset = offset
        self.reason = reason


class TooLarge(CollectorError):
    """A request is larger than the receiver takes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the request is larger than the limit of {limit} bytes: send smaller batches")


class TooManyCopies(TooLarge):
    """The rows of a request would take more memory than one request may."""

    def __init__(self, size: int, limit: int) -> None:
        CollectorError.__init__(
            self,
            f"the rows of the request would take {size // 2**20} MiB, each with a copy of its resource, scope and "
            f"metric, and the limit is {limit // 2**20} MiB: send smaller batches, or less text in what they share",
        )


class Unauthorized(CollectorError):
    """A request came without the token that this collector wants."""

    def __init__(self) -> None:
        super().__init__("a valid bearer token is required in the authorization header")


class Incomplete(CollectorError):
    """The body of a request did not arrive: its sender went away or was too slow."""


class Overloaded(CollectorError):
    """There is no room for a request at the moment; the sender should try again later."""


class MemoryShort(Overloaded):
    """The process takes more memory than the processor `memory_limiter` allows."""

    def __init__(self, limit_mib: int) -> None:
        super().__init__(f"the collector is above its memory limit of {limit_mib} MiB: try again later")


class ConfigError(CollectorError):
    """The configuration cannot work; the text says where and what to write instead."""


class ListenError(CollectorError):
    """An endpoint cannot be opened; the text says what to do."""
