"""Requests with attributes of every kind, of which none, or one, has to do with how long they take."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.analysis.recording import MS, SECOND, Recording

Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class Effect:
    """What makes requests slow.

    Args:
        name: what it is called.
        attributes: what must be found.
        risk: the chance that a request with these attributes is slow.
    """

    name: str
    attributes: tuple[str, ...]
    risk: Callable[[Attributes], float]


BASE = 0.04
"""The chance that a request is slow without any reason."""

EFFECTS = (
    Effect("a value that is five times as likely to be slow", ("app.tenant",),
           lambda request: BASE * (5 if request["app.tenant"] == "tenant-3" else 1)),
    Effect("a value below the request that is five times as likely to be slow", ("infersight.model.version",),
           lambda request: BASE * (5 if request["infersight.model.version"] == "3" else 1)),
    Effect("a number that is larger by one standard deviation", ("http.request.body.size",),
           lambda request: min(1.0, 0.04 * 2.718 ** (request["normal"] - 0.5))),
    Effect("a pair of values, each of which makes no difference without the other", ("app.region", "device"),
           lambda request: BASE * (8 if (request["app.region"], request["device"]) == ("eu", "cuda:1") else 1)),
)  # fmt: skip


def attributes_of(chance: random.Random) -> dict[str, Any]:
    """The attributes of one request."""
    normal = chance.gauss(0, 1)
    return {
        "http.route": "/predict",
        "request.id": f"{chance.getrandbits(64):016x}",
        "enduser.id": f"user-{int(chance.paretovariate(0.8)) % 3_000}",
        "app.tenant": f"tenant-{chance.randrange(10)}",
        "app.region": chance.choice(["eu", "us", "asia"]),
        "app.experiment": chance.choice("ABC"),
        "device": chance.choice(["cuda:0", "cuda:1", "cuda:2"]),
        "cache.hit": chance.random() < 0.7,
        "infersight.batch.size": chance.choice([1, 2, 4, 8, 16, 32]),
        "infersight.requests.in_flight": min(20, int(chance.expovariate(0.3))),
        "http.request.body.size": round(1_000 * 2.718**normal),
        "app.score": chance.random(),
        "infersight.model.version": chance.choice(["1", "2", "3", "3", "4"]),
        "calls": chance.randint(1, 4),
        "normal": normal,
    }


def record(recording: Recording, service: str, requests: int, seed: int, effect: Effect | None = None) -> None:
    """Requests of one service, of which some are slow; each with a forward, some queries, and log records."""
    chance = random.Random(seed)
    for number in range(requests):
        of = attributes_of(chance)
        is_slow = chance.random() < (BASE if effect is None else effect.risk(of))
        trace = seed * 1_000_000 + number + 1
        start, took = number * SECOND // 10, (500 if is_slow else 50) * MS + chance.randrange(40 * MS)
        source = (service, f"{service}-{chance.randrange(4)}", f"1.{chance.randrange(2)}")
        below = {key: of.pop(key) for key in ("infersight.model.version", "calls", "normal")}
        recording.span(trace, 1, "POST /predict", start, took, kind="SERVER", attributes=of, source=source)
        recording.span(
            trace, 2, "forward", start + MS, took // 2, parent=1, source=source,
            attributes={"infersight.model.version": below["infersight.model.version"], "app.tenant": of["app.tenant"]},
        )  # fmt: skip
        for call in range(below["calls"]):
            recording.span(trace, 3 + call, "SELECT items", start + took // 2 + call * MS, MS, parent=1, source=source)
        body = f"scored {chance.randrange(1000)} items for user {chance.randrange(100)}"
        recording.log(start, body if chance.random() < 0.5 else "cache miss", trace=trace, span=1, source=source)
