"""Stack traces that someone damaged, or made up to keep a reader busy."""

import random
import time

import pytest
from tests.analysis.failures.cases import LANGUAGES, stacks

from infersight_analysis.failures.fingerprint import fault_of
from infersight_analysis.failures.stacks.parsing import parse

ENDS = {
    "python": '\n  File "a", line 1, in f\n',
    "java": "\n\tat a.b(C.java:1)\n",
    "javascript": "\n    at f (/a.js:1:1)\n",
    "go": "\nmain.f()\n\t/a.go:1\n",
}
PIECES = ("\n", "|", "+-+-- 1 --", " at ", "Caused by: ", "\t", "(", '"', "[cause]: ", "goroutine 1 [running]:\n")


def damaged(text: str, others: list[str], random_: random.Random) -> str:
    """A trace with a few parts left out, moved, or taken from another one."""
    for _ in range(random_.randint(1, 6)):
        start = random_.randrange(len(text) + 1)
        stop = min(len(text), start + random_.randint(0, 80))
        other = random_.choice(others)
        place = random_.randrange(len(other))
        inserted = random_.choice(["", random_.choice(PIECES), other[place : place + random_.randint(0, 300)]])
        text = text[:start] + inserted + text[stop:]
    return text


def test_damaged_traces_are_read_without_an_error() -> None:
    random_ = random.Random(1)
    texts = [text for language in LANGUAGES for text in stacks(language).values() if len(text) < 3000]
    for _ in range(2000):
        text = damaged(random_.choice(texts), texts, random_)
        assert fault_of(None, text, parse(text)).fingerprint


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_line_of_one_thing_again_and_again_takes_no_time(language: str) -> None:
    """A pattern that tries every split of such a line would take hours."""
    started = time.process_time()
    for unit in ("a.", "a/", "a(", "(", "@", "at ", "a.(*b).", ": ", '"', "[", "\t", "+-", "1.", "a@a/", "| "):
        parse(unit * (20_000 // len(unit)) + ENDS[language])
    assert time.process_time() - started < 5
