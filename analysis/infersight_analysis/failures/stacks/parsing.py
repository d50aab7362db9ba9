"""A stack trace of any language that is read here."""

from functools import lru_cache

from infersight_analysis.failures.stacks import go, java, javascript, python
from infersight_analysis.failures.stacks.frames import Raised

_LONGEST = 200_000


@lru_cache(maxsize=4096)
def parse(text: str | None) -> Raised | None:
    """The exception that a stack trace is about, None where it is none that is known.

    Args:
        text: a trace of Python, Java, JavaScript or Go; of a very long one the beginning and the end.
    """
    if not text or "\n" not in text.strip():
        return None
    if len(text) > _LONGEST:
        text = text[: _LONGEST // 2] + "\n" + text[-_LONGEST // 2 :]
    text = text.replace("\r\n", "\n")
    if python.is_python(text):
        return python.parse(text)
    if java.is_java(text):
        return java.parse(text)
    if go.is_go(text):
        return go.parse(text)
    return javascript.parse(text) if javascript.is_javascript(text) else None
