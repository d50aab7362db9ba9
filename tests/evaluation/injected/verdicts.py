"""What `infersight investigate` says about requests whose cause is known, and how often it is right."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from click import Command
from click.testing import CliRunner
from tests.evaluation.injected.causes import HEALTHY, RELEASE

from infersight_analysis import connect
from infersight_analysis.verbs.compare import compare_command
from infersight_analysis.verbs.investigate import investigate_command

CONFIDENT: Final = 0.5


@dataclass(frozen=True)
class Target:
    """A request to ask about: its id, and why it is slow."""

    cause: str
    seed: int
    service: str
    request_id: str


@dataclass(frozen=True)
class Verdict:
    """What was said about a request.

    Args:
        target: which one.
        trace_id: of it.
        duration_ms: of it.
        said: causes with their confidence and statement, the most likely first.
    """

    target: Target
    trace_id: str
    duration_ms: float
    said: Sequence[tuple[str, float, str]]

    @property
    def rank(self) -> int | None:
        """The place of the right cause, from 1; None where it was not named."""
        causes = list(dict.fromkeys(cause for cause, _, _ in self.said))
        return causes.index(self.target.cause) + 1 if self.target.cause in causes else None

    @property
    def is_confident(self) -> bool:
        """Whether a cause was named with confidence."""
        return any(cause != "unknown" and confidence >= CONFIDENT for cause, confidence, _ in self.said)

    @property
    def is_wrong(self) -> bool:
        """Whether the right cause is not first, or a healthy request has a confident one."""
        return self.is_confident if self.target.cause == HEALTHY else self.rank != 1

    def as_json(self) -> dict[str, Any]:
        """For the file of results."""
        return asdict(self) | {"rank": self.rank, "confident": self.is_confident}


def judge(store: Path, targets: Iterable[Target]) -> list[Verdict]:
    """Ask the command about each request."""
    with connect(store) as connection:
        rows = connection.execute(
            "select service_name, attributes['infersight.request.id'], trace_id, duration_ns from spans"
            " where kind = 'SERVER'"
        ).fetchall()
    traces = {(service, request_id): (trace, duration) for service, request_id, trace, duration in rows}
    verdicts: list[Verdict] = []
    for target in targets:
        trace, duration = traces[target.service, target.request_id]
        answer = _ask(investigate_command, [trace, "--store", str(store)])
        said = [(each["cause"], each["confidence"], each["statement"]) for each in answer["hypotheses"]]
        verdicts.append(Verdict(target, trace, round(duration / 1e6, 1), said))
    return verdicts


def releases_found(store: Path, targets: Iterable[Target]) -> list[bool]:
    """Whether `infersight compare` tells the slow requests of a service by its version, for each slower release."""
    found: list[bool] = []
    for target in targets:
        if target.cause == RELEASE:
            arguments = ["--slow", "--over", "p60", "--service", target.service]
            findings = _ask(compare_command, [*arguments, "--store", str(store)])["findings"][:1]
            told = [name for each in findings for name in (*each["attributes"], *_names(each["same_as"]))]
            found.append("service_version" in told)
    return found


def _names(alike: Iterable[dict[str, Any]]) -> list[str]:
    return [each["attribute"] for each in alike]


def _ask(command: Command, arguments: Sequence[str]) -> dict[str, Any]:
    answer = CliRunner().invoke(command, [*arguments, "--format", "json"])
    if answer.exception is not None:
        raise answer.exception
    result: dict[str, Any] = json.loads(answer.output)
    return result


def summary(verdicts: Sequence[Verdict], releases: Sequence[bool]) -> dict[str, Any]:
    """The shares that the goals are about; None where nothing of the kind was asked."""
    slow = [verdict for verdict in verdicts if verdict.target.cause != HEALTHY]
    healthy = [verdict for verdict in verdicts if verdict.target.cause == HEALTHY]
    return {
        "injected": len(slow),
        "first": _share(verdict.rank == 1 for verdict in slow),
        "first_two": _share(verdict.rank in (1, 2) for verdict in slow),
        "release_compared": _share(releases),
        "healthy": len(healthy),
        "healthy_confident": _share(verdict.is_confident for verdict in healthy),
    }


def confusion(verdicts: Sequence[Verdict]) -> str:
    """A table of what was injected by what was said first."""
    counts = Counter((verdict.target.cause, verdict.said[0][0]) for verdict in verdicts)
    said = sorted({cause for _, cause in counts})
    injected = list(dict.fromkeys(verdict.target.cause for verdict in verdicts))
    width = max(map(len, injected)) + 2
    lines = [" " * width + " ".join(f"{cause[:12]:>12}" for cause in said)]
    for cause in injected:
        cells = (str(counts[cause, other] or ".") for other in said)
        lines.append(f"{cause:{width}}" + " ".join(f"{cell:>12}" for cell in cells))
    return "\n".join(lines)


def _share(found: Iterable[bool]) -> float | None:
    values = list(found)
    return round(sum(values) / len(values), 4) if values else None
