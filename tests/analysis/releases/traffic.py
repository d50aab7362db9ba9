"""Requests of two versions of a service: the shapes that the tests of releases share."""

from dataclasses import dataclass, field

import numpy as np

from infersight_analysis.releases.requests import Requests

MIX = {"/predict": 0.6, "/explain": 0.3, "/health": 0.1}
TYPICAL_MS = {"/predict": 100.0, "/explain": 200.0, "/health": 30.0}


@dataclass(frozen=True)
class Version:
    """How a version serves.

    Args:
        slower: how many times longer each request takes.
        errors: the share of requests that fail.
        refused: the share that it refuses.
        mix: what it is asked for.
        slow_routes: how many times longer requests of some routes take.
    """

    slower: float = 1.0
    errors: float = 0.005
    refused: float = 0.0
    mix: dict[str, float] = field(default_factory=lambda: dict(MIX))
    slow_routes: dict[str, float] = field(default_factory=dict[str, float])

    def serve(self, count: int, seed: int) -> Requests:
        """Some requests, ten a second."""
        rng = np.random.default_rng(seed)
        names = np.array(list(self.mix))
        routes = names[rng.choice(len(names), count, p=np.array(list(self.mix.values())))]
        typical = np.array([TYPICAL_MS.get(name, 100.0) * self.slow_routes.get(name, 1.0) for name in routes])
        draw = rng.random(count)
        return Requests.of(
            rng.lognormal(0, 0.6, count) * typical * self.slower * 1e6,
            failed=draw < self.errors,
            succeeded=draw >= self.errors + self.refused,
            routes=[str(name) for name in routes],
            times_ns=np.arange(count) * 100_000_000,
        )


def first(requests: Requests, count: int) -> Requests:
    """The first of them."""
    return requests.where(np.arange(len(requests)) < count)
