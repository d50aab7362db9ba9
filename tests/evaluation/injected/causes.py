"""Faults, each with a request that is slow because of it."""

import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tests.evaluation.injected.application import SHORT_LENGTH, Settings
from tests.evaluation.injected.processes import ModelServer, Profiles
from tests.evaluation.injected.traffic import Traffic, post
from tests.support.collectors import wait_until

HEALTHY: Final = "healthy"
RELEASE: Final = "deployment"
HEALTHY_TRACES: Final = 5
"""Traces of each seed that are looked at although nothing is wrong."""

BEFORE: Final = 70
BESIDE: Final = 20
AFTER: Final = 20
"""Ordinary requests before, beside and after the one with the fault."""

VERSION: Final = "1.4.0"
NEXT_VERSION: Final = "1.5.0"


@dataclass
class Scene:
    """A server under ordinary load, for one fault with one seed."""

    settings: Settings
    profiles: Profiles
    seed: int
    traffic: Traffic = field(init=False)
    servers: list[ModelServer] = field(default_factory=list[ModelServer])

    def start(self, **changes: Any) -> ModelServer:
        """One more process of the server, with other settings."""
        server = ModelServer(replace(self.settings, **changes))
        self.servers.append(server)
        return server

    def begin(self, **changes: Any) -> ModelServer:
        """The first process, warm."""
        server = self.start(**changes)
        self.traffic = Traffic(self.seed, server.port)
        self.traffic.steady(BEFORE)
        return server

    def target(self, server: ModelServer, fault: str = "", text: str | None = None, key: str | None = None) -> str:
        """Send the request that is slow; returns its id."""
        key = key or self.traffic.key()
        post(server.port, "/predict", {"key": key, "text": text or self.traffic.text(), "fault": fault})
        return key

    def simple(self, fault: str, **how: Any) -> list[str]:
        """A request with a fault of its own, beside ordinary ones."""
        server = self.begin()
        return self.among(lambda: self.target(server, fault, **how))

    def disturbed(
        self, server: ModelServer, fault: str, ready: Callable[[dict[str, Any]], bool], own: str = ""
    ) -> list[str]:
        """A request while another one is in its way, as soon as the server's state says so."""

        def send() -> str:
            with ThreadPoolExecutor(1) as pool:
                order = {"key": self.traffic.key(), "fault": fault}
                other = pool.submit(post, server.port, "/refresh", order)
                wait_until(lambda: ready(server.state()), 60)
                key = self.target(server, own)
                other.result()
            return key

        return self.among(send)

    def among(self, send: Callable[[], str]) -> list[str]:
        """What `send` returns, with ordinary requests beside and after it."""
        with self.traffic.beside(BESIDE):
            key = send()
        self.traffic.steady(AFTER)
        return [key]


def _queueing(scene: Scene) -> list[str]:
    return scene.disturbed(scene.begin(), "queueing", lambda state: state["waiting"] > 200)


def _blocked_event_loop(scene: Scene) -> list[str]:
    if scene.seed % 2:
        return scene.simple("blocked_event_loop")
    return scene.disturbed(scene.begin(), "blocked_event_loop", lambda _: True, own="arrives")


def _cold_start(scene: Scene) -> list[str]:
    kind = scene.seed % 3
    first = scene.begin(compiled=kind != 2)
    if kind == 0:
        key = scene.target(
            first, text="x" * (SHORT_LENGTH - 1)
        )  # alone, for an ordinary one would be its batch's shape
        scene.traffic.steady(AFTER)
        return [key]
    second = scene.start(compiled=kind != 2, lazy=kind == 2)
    key = scene.target(second)
    scene.traffic.ports.append(second.port)
    scene.traffic.steady(BESIDE + AFTER)
    return [key]


def _large_input(scene: Scene) -> list[str]:
    words = random.Random(scene.seed).randint(22_000, 26_000)
    return scene.simple("", text="<p>word</p>" * words)


def _slow_dependency(scene: Scene) -> list[str]:
    if scene.seed % 2:
        return scene.simple("slow query")
    key = f"{random.Random(-1 - scene.seed).getrandbits(64):016x}"
    scene.profiles.slow.add(key)
    return scene.simple("", key=key)


def _n_plus_one(scene: Scene) -> list[str]:
    return scene.simple("n_plus_one")


def _thread_pool(scene: Scene) -> list[str]:
    return scene.disturbed(scene.begin(), "thread_pool", lambda state: state["held"] > 4)


def _lock_contention(scene: Scene) -> list[str]:
    ready: Callable[[dict[str, Any]], bool] = lambda state: state["locked"]  # noqa: E731 - its type
    return scene.disturbed(scene.begin(), "lock_contention", ready, own="lock_contention")


def _gc_or_memory(scene: Scene) -> list[str]:
    server = scene.begin(objects=4_000_000)
    if scene.seed % 2:
        return scene.among(lambda: scene.target(server, "gc_or_memory"))
    return scene.disturbed(server, "gc_or_memory", lambda _: True, own="gc_or_memory, beside it")


def _device(scene: Scene) -> list[str]:
    server = scene.begin()

    def send() -> str:
        with server.starved():
            return scene.target(server)

    return scene.among(send)


def _retries(scene: Scene) -> list[str]:
    key = f"{random.Random(-1 - scene.seed).getrandbits(64):016x}"
    scene.profiles.failing[key] = 2
    return scene.simple("", key=key)


def _deployment(scene: Scene) -> list[str]:
    old = scene.begin()
    new = scene.start(version=NEXT_VERSION, extra_seconds=0.25)
    scene.traffic.ports[:] = [new.port]
    old.stop()
    scene.traffic.steady(BESIDE)
    return scene.among(lambda: scene.target(new))


def _healthy(scene: Scene) -> list[str]:
    scene.begin()
    scene.traffic.steady(BESIDE + AFTER)
    return random.Random(scene.seed).sample(scene.traffic.sent[10:], HEALTHY_TRACES)


CAUSES: Final[Mapping[str, Callable[[Scene], list[str]]]] = {
    "queueing": _queueing,
    "blocked_event_loop": _blocked_event_loop,
    "cold_start": _cold_start,
    "large_input": _large_input,
    "slow_dependency": _slow_dependency,
    "n_plus_one": _n_plus_one,
    "thread_pool": _thread_pool,
    "lock_contention": _lock_contention,
    "gc_or_memory": _gc_or_memory,
    "device": _device,
    "retries": _retries,
    RELEASE: _deployment,
    HEALTHY: _healthy,
}
"""Each stages its fault and returns the ids of the requests to ask about."""


def stage(cause: str, scene: Scene) -> list[str]:
    """Stage a fault; when this returns, the servers have sent all that they know of it."""
    try:
        return CAUSES[cause](scene)
    finally:
        for server in scene.servers:
            server.stop()
