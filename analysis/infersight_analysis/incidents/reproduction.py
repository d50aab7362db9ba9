"""Reproducing a failure: the same thing done several times, and how often it fails, with an interval."""

import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.incidents.scenario import Attempt, Request, Scenario
from infersight_analysis.releases.execution.processes import run
from infersight_analysis.stats.proportions import wilson
from infersight_analysis.times import SECOND_NS

_KEPT: Final = 2_000
"""Characters of an output that are kept."""

_KILLED: Final = 128
"""What shells add to the number of a signal."""

_EXAMPLES: Final = 5
_BODY: Final = 1 << 20


@dataclass(frozen=True)
class Reproduction:
    """How often a failure was seen.

    Args:
        attempts: how many attempts got anywhere.
        reproduced: how many of them show the failure.
        interval: Wilson's, of the share of attempts that do, 95 %.
        unanswered: attempts that got nowhere, and count for nothing.
        median_ns: of the attempts' durations.
        examples: some attempts, those that fail first.
    """

    attempts: int
    reproduced: int
    interval: tuple[float, float]
    unanswered: int
    median_ns: int
    examples: list[Attempt]

    @property
    def statement(self) -> str:
        """What was seen, in a line."""
        low, high = self.interval
        share = f"{self.reproduced} of {self.attempts} attempts fail ({low:.0%} to {high:.0%} with 95 % confidence)"
        return share + (f", {self.unanswered} got no answer" if self.unanswered else "")


def play(scenario: Scenario) -> Reproduction:
    """Try to see the failure.

    Raises:
        AnalysisError: no attempt got anywhere.
    """
    with ThreadPoolExecutor(scenario.concurrency) as pool:
        attempts = list(pool.map(_attempt, [scenario] * scenario.attempts))
    answered = [attempt for attempt in attempts if attempt.answered]
    if not answered:
        raise AnalysisError(f"no attempt got anywhere: {attempts[0].output}")
    reproduced = sum(attempt.reproduced for attempt in answered)
    durations = sorted(attempt.duration_ns for attempt in answered)
    return Reproduction(
        attempts=len(answered),
        reproduced=reproduced,
        interval=wilson(reproduced, len(answered)),
        unanswered=len(attempts) - len(answered),
        median_ns=durations[len(durations) // 2],
        examples=sorted(answered, key=lambda attempt: not attempt.reproduced)[:_EXAMPLES],
    )


def _attempt(scenario: Scenario) -> Attempt:
    predicate = scenario.shows
    if scenario.command:
        tries = [_run(scenario.command, scenario.timeout_ns)]
    else:
        tries = [_send(request, scenario.timeout_ns) for request in scenario.requests]
    shown = next((each for each in tries if predicate.holds(each)), None)
    last = shown or tries[-1]
    return Attempt(
        duration_ns=last.duration_ns,
        exit_code=last.exit_code,
        status=last.status,
        output=last.output[-_KEPT:],
        answered=all(each.answered for each in tries),
        reproduced=shown is not None,
    )


def _run(command: Sequence[str], timeout_ns: int) -> Attempt:
    done = run(command, timeout_s=timeout_ns / SECOND_NS, told=lambda _: None)
    code = {"exited": done.code, "killed": _KILLED + (done.code or 0)}.get(done.ending)
    has_started = done.ending not in {"not found", "not started"}
    said = f"{done.output}{done.complaints}" if has_started else f"{command[0]}: {done.complaints}"
    return Attempt(done.duration_ns, code, None, said, answered=has_started)


def _send(request: Request, timeout_ns: int) -> Attempt:
    asked = urllib.request.Request(  # noqa: S310 - `Request` is of http or https
        request.url,
        method=request.method,
        headers=dict(request.headers),
        data=None if request.body is None else request.body.encode(),
    )
    begun = time.perf_counter_ns()
    try:
        with urllib.request.urlopen(asked, timeout=timeout_ns / SECOND_NS) as answer:  # noqa: S310
            status, output = answer.status, _text(answer.read(_BODY))
    except urllib.error.HTTPError as error:
        status, output = error.code, _text(error.read(_BODY))
    except TimeoutError:
        return Attempt(time.perf_counter_ns() - begun, None, None, "no answer in time")
    except OSError as error:
        is_late = isinstance(getattr(error, "reason", None), TimeoutError)
        return Attempt(time.perf_counter_ns() - begun, None, None, f"{request.url}: {error}", answered=is_late)
    return Attempt(time.perf_counter_ns() - begun, None, status, output)


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace")
