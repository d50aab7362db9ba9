"""What a stack trace says, whatever language printed it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Frame:
    """A frame of a stack trace, without its line, which moves between releases.

    Args:
        function: without what a compiler numbers anew: lambdas, closures, generated classes.
        file: as it was printed; of Java the source file.
        is_own: whether it is the application's code rather than a library's, the language's or the instrumentation's.
        statement: the line of source, where the trace has it.
    """

    function: str
    file: str
    is_own: bool
    statement: str = ""

    def __str__(self) -> str:
        """The function and the last two parts of its file's path, which releases and machines share."""
        return f"{self.function} ({short_path(self.file)})" if self.file else self.function


@dataclass(frozen=True)
class Raised:
    """An exception out of a stack trace.

    Args:
        type: its class, empty where the trace does not say it.
        message: what it says.
        frames: innermost first.
        cause: what it was raised for, or while that was handled.
        members: those of a group (`ExceptionGroup`, `AggregateError`).
    """

    type: str
    message: str
    frames: Sequence[Frame]
    cause: "Raised | None" = None
    members: Sequence["Raised"] = field(default=())

    @property
    def chain(self) -> Iterator["Raised"]:
        """It and its causes, the first of them last."""
        raised: Raised | None = self
        while raised is not None:
            yield raised
            raised = raised.cause

    @property
    def root(self) -> "Raised":
        """The first cause that has frames."""
        return [raised for raised in self.chain if raised.frames or raised is self][-1]

    @property
    def location(self) -> Frame | None:
        """The innermost frame of the application, of anything where there is none."""
        own = (frame for frame in self.frames if frame.is_own)
        return next(own, self.frames[0] if self.frames else None)


def short_path(path: str) -> str:
    """The last two parts of a path."""
    return "/".join(path.replace("\\", "/").rsplit("/", 2)[-2:])
