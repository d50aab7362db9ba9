"""The errors that the collector raises on purpose.

    CollectorError
    ├── MalformedRequest    bytes that are no valid OTLP request: refuse them, do not retry
    └── UnreadableFile      an OTLP file is damaged or of an unknown form from some offset on

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
