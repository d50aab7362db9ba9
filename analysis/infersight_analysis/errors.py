"""What the verbs raise on purpose; the message is one line that says what to do."""


class AnalysisError(Exception):
    """A question that cannot be answered as asked: an unknown trace, a time that is none, a statement that writes.

    Args:
        message: one line that says what to do.
        detail: more lines, for a person at a terminal.
    """

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail
