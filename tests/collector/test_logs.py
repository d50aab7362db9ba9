"""The collector's log: where a line comes from, and no flood of the same."""

import json
import logging
from io import StringIO

import pytest

from infersight_collector.logs import JsonFormatter, Repetitions


class Log:
    """A logger whose lines are kept, and a clock to turn."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._output = StringIO()
        handler = logging.StreamHandler(self._output)
        handler.setFormatter(JsonFormatter())
        handler.addFilter(Repetitions(lambda: self.now))
        self.logger = logging.Logger("infersight_collector.test")  # noqa: LOG001 - one for each test
        self.logger.addHandler(handler)

    def fail(self, text: str, component: str = "otlp", level: int = logging.ERROR) -> None:
        """The one place from which everything is logged."""
        self.logger.log(level, "cannot deliver: %s", text, extra={"component": component})

    def messages(self) -> list[str]:
        return [json.loads(line)["message"] for line in self._output.getvalue().splitlines()]

    def lines(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self._output.getvalue().splitlines()]


@pytest.fixture
def log() -> Log:
    return Log()


def test_a_line_tells_which_component_and_pipeline_it_is_about(log: Log) -> None:
    log.logger.warning("slow", extra={"component": "filter", "pipeline": "traces/a", "secret": "not told"})
    log.logger.warning("plain")
    first, second = log.lines()
    assert (first["component"], first["pipeline"], first["message"]) == ("filter", "traces/a", "slow")
    assert "secret" not in first
    assert set(second) == {"time", "level", "logger", "message"}


def test_an_exception_is_in_its_line(log: Log) -> None:
    try:
        int("why")
    except ValueError:
        log.logger.exception("failed")
    (line,) = log.lines()
    assert line["exception"].endswith("invalid literal for int() with base 10: 'why'")


def test_a_trouble_of_hours_writes_a_line_now_and_then(log: Log) -> None:
    for second in range(2 * 3600):
        log.now += 1
        log.fail(f"attempt {second}")
    messages = log.messages()
    assert len(messages) <= 10 + 2 * 3600 // 300
    assert messages[:2] == ["cannot deliver: attempt 0", "cannot deliver: attempt 1"]
    assert messages[-1].endswith("(299 more like it were not written)")


def test_the_troubles_of_others_are_told_meanwhile(log: Log) -> None:
    for _ in range(20):
        log.fail("a")
    log.fail("b", component="otlp/second")
    log.logger.error("something else")
    assert log.messages()[-2:] == ["cannot deliver: b", "something else"]


def test_after_a_silence_a_trouble_is_told_anew(log: Log) -> None:
    for _ in range(12):
        log.fail("a")
    log.now += 301
    log.fail("b")
    log.fail("c")
    assert log.messages()[10:] == ["cannot deliver: b (2 more like it were not written)", "cannot deliver: c"]


def test_what_is_no_trouble_is_always_written(log: Log) -> None:
    for _ in range(50):
        log.fail("fine", level=logging.INFO)
    assert len(log.messages()) == 50
