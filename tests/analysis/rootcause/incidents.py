"""A shop of four services, an hour of it without faults, and incidents of ten minutes whose origin is known.

gateway -> orders -> payments -> ledger, and orders -> stock. Nothing has attributes; a visit logs two records.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint
from tests.analysis.recording import MS, SECOND, T0, Recording, Source

MINUTE: Final = 60 * SECOND
INCIDENT: Final = (60 * MINUTE, 70 * MINUTE)
CALLS: Final = {
    "gateway": ["orders"],
    "orders": ["stock", "payments"],
    "payments": ["ledger"],
    "stock": [],
    "ledger": [],
}


@dataclass
class Visit:
    """What a visit does, before it is recorded; times in milliseconds.

    Args:
        service: whose visit it is.
        in_incident: whether it is one of the incident.
        own_ms: how long the service itself works.
        network_ms: how long its caller waits beyond that.
        error: what it fails with, None where it does not.
        is_there: whether it leaves any record; else its caller waits in vain.
        calls: whom it calls.
        steps: what it does inside.
        messages: what it logs.
    """

    service: str
    in_incident: bool
    own_ms: float
    network_ms: float
    calls: list[str]
    steps: list[str] = field(default_factory=lambda: ["load", "check"])
    error: str | None = None
    is_there: bool = True
    messages: list[str] = field(default_factory=lambda: ["began with 17 items", "done after 3 tries"])


Fault = Callable[[Visit], None]


class Shop:
    """Records requests through the shop, and metrics of its services.

    Args:
        fault: changes what a visit of the incident does.
        seed: of everything that varies.
        rename: the names of the services in the telemetry.
        instances: how many there are of each service.
        mix: changes what any visit does, as what is asked for does.
    """

    def __init__(
        self,
        fault: Fault | None = None,
        *,
        seed: int = 1,
        rename: dict[str, str] | None = None,
        instances: int = 1,
        mix: Fault | None = None,
    ) -> None:
        self.recording = Recording()
        self._fault = fault
        self._mix = mix
        self._chance = random.Random(seed)
        self._names = rename or {}
        self._instances = instances
        self._span = 0

    def requests(self, before: int, during: int) -> "Shop":
        """Record requests, evenly over the hour before the incident and over the incident."""
        for number in range(before + during):
            in_incident = number >= before
            place = (number - before) / during if in_incident else number / before
            start_ns = INCIDENT[0] + int(place * 10 * MINUTE) if in_incident else int(place * 60 * MINUTE)
            self._visit("gateway", number + 1, None, start_ns, in_incident)
        return self

    def gauge(self, service: str, name: str, before: float, during: float, *, noise: float = 0.05) -> "Shop":
        """Record a reading a minute."""
        points = [
            NumberDataPoint(
                time_unix_nano=T0 + minute * MINUTE + SECOND,
                as_double=(during if minute >= 60 else before) * (1 + self._chance.gauss(0, noise)),
            )
            for minute in range(70)
        ]
        self.recording.metric(Metric(name=name, unit="1", gauge=Gauge(data_points=points)), self.source(service))
        return self

    def write(self, path: Path) -> Path:
        """Put everything into a store."""
        return self.recording.write(path)

    def source(self, service: str, instance: int = 0) -> Source:
        """The resource of a service."""
        name = self._names.get(service, service)
        return (name, f"{name}-{instance}", None)

    def _visit(
        self, service: str, trace: int, parent: int | None, start_ns: int, in_incident: bool
    ) -> tuple[int, bool]:
        """Record a visit and all that it calls; how long its caller waits, and whether it failed."""
        own_ms, network_ms = self._chance.lognormvariate(2, 0.3), self._chance.lognormvariate(0, 0.3)
        visit = Visit(service, in_incident, own_ms, network_ms, list(CALLS[service]))
        source = self.source(service, self._chance.randrange(self._instances))
        if self._mix is not None:
            self._mix(visit)
        if in_incident and self._fault is not None:
            self._fault(visit)
        if not visit.is_there:
            return 3 * MS, True
        own_ns, half_ns = int(visit.own_ms * MS), int(visit.network_ms * MS / 2)
        top = self._next()
        at = start_ns + half_ns + own_ns // 2
        for callee in visit.calls:
            client, called_at = self._next(), at
            waited_ns, failed = self._visit(callee, trace, client, at, in_incident)
            at += waited_ns
            self.recording.span(
                trace, client, "HTTP GET", called_at, waited_ns, parent=top, kind="CLIENT", source=source
            )
            if failed:
                visit.error = "a call failed"
                break
        end_ns = at + own_ns - own_ns // 2
        error = visit.error
        self.recording.span(
            trace, top, f"GET /{service}", start_ns + half_ns, end_ns - start_ns - half_ns,
            parent=parent, kind="SERVER", source=source, error=error,
        )  # fmt: skip
        for step in visit.steps if error is None else visit.steps[:1]:
            self.recording.span(trace, self._next(), step, start_ns + half_ns, 0, parent=top, source=source)
        for message in visit.messages if error is None else visit.messages[:1]:
            self.recording.log(start_ns + half_ns, message, trace=trace, span=top, source=source)
        if error is not None:
            self.recording.log(end_ns, error, trace=trace, span=top, source=source, severity=17)
        return end_ns + half_ns - start_ns, error is not None

    def _next(self) -> int:
        self._span += 1
        return self._span


def fails(service: str, error: str = "no such account", share: float = 0.5, seed: int = 5) -> Fault:
    """A part of the visits to a service fails."""
    chance = random.Random(seed)

    def fault(visit: Visit) -> None:
        if visit.service == service and chance.random() < share:
            visit.error, visit.calls = error, []

    return fault


def is_slow(service: str, more_ms: float) -> Fault:
    """A service takes longer itself."""

    def fault(visit: Visit) -> None:
        visit.own_ms += more_ms * (visit.service == service)

    return fault


def is_far(service: str, more_ms: float) -> Fault:
    """The way to a service takes longer."""

    def fault(visit: Visit) -> None:
        visit.network_ms += more_ms * (visit.service == service)

    return fault


def leaves_out(service: str) -> Fault:
    """A service returns early, silently, and its callers give up without an error."""

    def fault(visit: Visit) -> None:
        if visit.service == service:
            visit.steps, visit.messages, visit.calls = visit.steps[:1], visit.messages[:1], []
        elif service in CALLS[visit.service]:
            visit.messages = ["nothing came back"]

    return fault


def is_down(service: str, share: float = 1.0, seed: int = 5) -> Fault:
    """A service does not answer."""
    chance = random.Random(seed)

    def fault(visit: Visit) -> None:
        visit.is_there = visit.service != service or chance.random() >= share

    return fault
