"""Two versions of a service as their telemetry shows them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint, Sum
from tests.analysis.recording import MS, SECOND, T0, Recording, Source, key_values

CUMULATIVE: Any = 2  # AggregationTemporality


@dataclass(frozen=True)
class Release:
    """One version, how it serves, and when.

    Args:
        number: of its first trace; versions must not share traces.
        between_s: from when to when, seconds after T0.
        count: requests, at equal distances.
        slow: how many times longer each takes.
        slow_explain: the same of requests to `/explain`.
        errors: which share fails.
        caller_errors: in which share of requests the calling service fails.
        positive: which share of predictions is positive.
        confidence: of each prediction.
        right: which share of predictions is right; None where nobody said.
        cpu_ms: CPU time of each request.
        memory_mb: of its process.
    """

    version: str
    number: int
    between_s: tuple[int, int] = (0, 600)
    count: int = 1_200
    slow: float = 1.0
    slow_explain: float = 1.0
    errors: float = 0.0
    caller_errors: float | None = None
    positive: float | None = None
    confidence: float = 0.8
    right: float | None = None
    cpu_ms: float = 20.0
    memory_mb: float = 300.0
    fault: str = "boom"
    resource: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def source(self) -> Source:
        """As the service calls itself."""
        return ("sentiment", f"sentiment-{self.version}", self.version)

    def record(self, recording: Recording) -> None:
        """Put all of it into a recording."""
        rng = np.random.default_rng(self.number)
        start, end = self.between_s
        for place in range(self.count):
            at = int((start + (end - start) * place / self.count) * SECOND)
            self._request(recording, self.number + place, at, rng)
        for second in range(start, end, 10):
            self._metrics(recording, second - start, second)

    def _request(self, recording: Recording, trace: int, at: int, rng: np.random.Generator) -> None:
        is_explain = rng.random() < 0.2
        route = "/explain" if is_explain else "/predict"
        typical = 150 * self.slow_explain if is_explain else 100
        fails = rng.random() < self.errors
        event = (at, "exception", {"exception.type": "ValueError", "exception.message": self.fault})
        if self.caller_errors is not None:
            error = "no answer" if rng.random() < self.caller_errors else None
            gateway: Source = ("gateway", "gateway-1", "1")
            recording.span(trace, 9, "POST", at, 400 * MS, kind="SERVER", source=gateway, error=error)
        recording.span(
            trace, 1, f"POST {route}", at, int(typical * self.slow * rng.lognormal(0, 0.25) * MS), kind="SERVER",
            source=self.source, error="ValueError" if fails else None, events=[event] if fails else (),
            attributes={"http.route": route, "http.response.status_code": 500 if fails else 200},
            parent=9 if self.caller_errors is not None else None, resource=self.resource,
        )  # fmt: skip
        if self.positive is not None:
            self._prediction(recording, trace, at, rng)

    def _prediction(self, recording: Recording, trace: int, at: int, rng: np.random.Generator) -> None:
        label = "positive" if rng.random() < (self.positive or 0) else "negative"
        facts = {
            "infersight.prediction.id": f"{trace:032x}",
            "infersight.prediction.label": label,
            "infersight.prediction.confidence": float(np.clip(rng.normal(self.confidence, 0.1), 0, 1)),
        }
        name = "infersight.prediction"
        recording.log(at, label, trace=trace, span=1, source=self.source, event_name=name, attributes=facts)
        if self.right is not None:
            true = label if rng.random() < self.right else "other"
            known = {"infersight.prediction.id": f"{trace:032x}", "infersight.feedback.label": true}
            recording.log(at + SECOND, true, source=self.source, event_name="infersight.feedback", attributes=known)

    def _metrics(self, recording: Recording, since_s: int, second: int) -> None:
        a_second = self.count / (self.between_s[1] - self.between_s[0])
        begun = T0 + self.between_s[0] * SECOND
        cpu = NumberDataPoint(
            start_time_unix_nano=begun, time_unix_nano=T0 + second * SECOND,
            as_double=(since_s + since_s // 10 % 2) * a_second * self.cpu_ms / 1000,
            attributes=key_values({"cpu.mode": "user"}),
        )  # fmt: skip
        total = Sum(data_points=[cpu], aggregation_temporality=CUMULATIVE, is_monotonic=True)
        recording.metric(Metric(name="process.cpu.time", unit="s", sum=total), self.source)
        memory = NumberDataPoint(
            time_unix_nano=T0 + second * SECOND, as_double=self.memory_mb * 1e6 * (1 + 0.01 * (second % 7))
        )
        recording.metric(Metric(name="process.memory.usage", unit="By", gauge=Gauge(data_points=[memory])), self.source)


def recorded(*releases: Release) -> Recording:
    """What several versions leave behind."""
    recording = Recording()
    for release in releases:
        release.record(recording)
    return recording
