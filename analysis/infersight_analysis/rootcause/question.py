"""What is asked: the incident, what to compare it with, and what is known beforehand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.options import Window
from infersight_analysis.times import SECOND_NS

_LEAST_BASELINE_NS: Final = 3600 * SECOND_NS

Calls = Mapping[str, frozenset[str]]
"""The services that each service calls."""


@dataclass(frozen=True)
class Symptom:
    """Where the incident was noticed.

    Args:
        service: the service.
        metric: name of the metric that showed it, None where that is not known.
    """

    service: str
    metric: str | None = None

    @classmethod
    def of(cls, text: str) -> "Symptom":
        """A symptom as the command line names it: `SERVICE`, or `SERVICE:METRIC`."""
        service, colon, metric = text.rpartition(":")
        return cls(service, metric) if colon and service and metric else cls(text)


@dataclass(frozen=True)
class Question:
    """An incident.

    Args:
        start_ns: when it began, nanoseconds since the epoch.
        end_ns: when it ended.
        baseline: when all was well; the hour before the incident, or as long as it took, by default.
        symptom: where it was noticed, where that is known.
        calls: who calls whom, beside what the spans say.
    """

    start_ns: int
    end_ns: int
    baseline: Window = field(default_factory=Window)
    symptom: Symptom | None = None
    calls: Calls | None = None

    @property
    def baseline_ns(self) -> tuple[int, int]:
        """First time of the baseline, and the first one after it."""
        end_ns = self.start_ns if self.baseline.end_ns is None else self.baseline.end_ns
        length_ns = max(self.end_ns - self.start_ns, _LEAST_BASELINE_NS)
        return (end_ns - length_ns if self.baseline.start_ns is None else self.baseline.start_ns), end_ns

    @property
    def guard_ns(self) -> int:
        """How long before and after the incident nothing counts, because hardly anybody knows when it really began.

        Half as long as it took, as far as the baseline can spare it.
        """
        from_ns, until_ns = self.baseline_ns
        return max(0, min((self.end_ns - self.start_ns) // 2, (until_ns - from_ns) // 4))

    @property
    def times(self) -> dict[str, int]:
        """The times as the queries name them."""
        from_ns, until_ns = self.baseline_ns
        return {
            "from_ns": self.start_ns,
            "until_ns": self.end_ns,
            "baseline_from_ns": from_ns,
            "baseline_until_ns": until_ns,
            "guard_from_ns": self.start_ns - self.guard_ns,
            "guard_until_ns": self.end_ns + self.guard_ns,
        }


def read_calls(path: Path) -> Calls:
    """Who calls whom, from a JSON file: `{"edges": [["caller", "callee"], ...]}`.

    Raises:
        AnalysisError: the file cannot be read, or has another form.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        edges: list[tuple[str, str]] = [(str(caller), str(callee)) for caller, callee in document["edges"]]
    except OSError as error:
        raise AnalysisError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        form = '{"edges": [["caller", "callee"], ...]}'
        raise AnalysisError(f"{path} does not say who calls whom: write it as {form}") from error
    calls: dict[str, set[str]] = {}
    for caller, callee in edges:
        calls.setdefault(caller, set()).add(callee)
    return {caller: frozenset(callees) for caller, callees in calls.items()}
