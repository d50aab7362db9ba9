"""What the verbs raise on purpose; the message is one line that says what to do."""


class AnalysisError(Exception):
    """A question that cannot be answered as asked: an unknown trace, a time that is none, a statement that writes."""
