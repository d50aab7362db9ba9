"""Twelve services that call one another, and the shapes of the traces that come of it.

A shape is a tree of spans with all that does not differ between its traces: names, routes, statements, usual durations.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

Role = Literal["server", "client", "database", "cache", "forward", "stage"]

ROLES: Final[tuple[Role, ...]] = ("server", "client", "database", "cache", "forward", "stage")
KINDS: Final[dict[Role, str]] = {
    "server": "SERVER",
    "client": "CLIENT",
    "database": "CLIENT",
    "cache": "CLIENT",
    "forward": "INTERNAL",
    "stage": "INTERNAL",
}
SPREAD: Final[dict[Role, float]] = {
    "server": 0.6,
    "client": 0.7,
    "database": 0.9,
    "cache": 0.5,
    "forward": 0.4,
    "stage": 0.6,
}
"""Standard deviation of the logarithm of a span's own time."""

INSTANCES: Final = {
    "gateway": 4,
    "auth": 2,
    "profile": 2,
    "search": 3,
    "recommend": 3,
    "checkout": 2,
    "fraud": 3,
    "ranker": 4,
    "embedder": 3,
    "feature-store": 3,
    "catalog": 2,
    "notify": 2,
}
"""Processes of each service."""

MODELS: Final = {
    "fraud": ("fraud-gbm", "float64", "[{batch},84]", "LightGBMClassifier", 6.0),
    "ranker": ("item-ranker", "float32", "[{batch},200,64]", "TwoTower", 18.0),
    "embedder": ("text-embedder", "int64", "[{batch},{length}]", "BertModel", 32.0),
}
"""Model servers: model, dtype and shape of its input, class, and usual milliseconds of one call."""

MODEL_VERSIONS: Final = ("1.7.2", "1.8.0", "1.9.0-rc1")


@dataclass(frozen=True)
class Step:
    """What an operation does: a call of another operation, a statement, a stage, a model's forward.

    Args:
        role: the kind of span.
        name: the operation, statement, key or stage.
        milliseconds: usual own time.
        chance: how often it is done at all.
        most: it is done once to so many times.
        together: the repetitions run at the same time, and at that of the step before.
    """

    role: Role
    name: str
    milliseconds: float = 0.5
    chance: float = 1.0
    most: int = 1
    together: bool = False


def _call(name: str, chance: float = 1.0, most: int = 1, *, together: bool = False) -> Step:
    return Step("client", name, 0.6, chance, most, together)


def _query(statement: str, milliseconds: float = 2.0, chance: float = 1.0, most: int = 1) -> Step:
    return Step("database", statement, milliseconds, chance, most)


def _cache(command: str, chance: float = 1.0, most: int = 1, *, together: bool = False) -> Step:
    return Step("cache", command, 0.4, chance, most, together)


def _stage(name: str, milliseconds: float = 1.0, chance: float = 1.0) -> Step:
    return Step("stage", name, milliseconds, chance)


def _forward(service: str, most: int = 1) -> Step:
    return Step("forward", MODELS[service][0], MODELS[service][4], 1.0, most)


OPERATIONS: Final[dict[str, tuple[Step, ...]]] = {
    "gateway POST /v1/payments": (
        _call("auth POST /verify"),
        _call("fraud POST /score"),
        _call("checkout POST /orders", 0.8),
        _call("notify POST /messages", 0.4),
    ),
    "gateway GET /v1/search": (_call("auth POST /verify", 0.6), _call("search GET /query")),
    "gateway GET /v1/recommendations": (_call("auth POST /verify"), _call("recommend GET /users/{id}/items")),
    "gateway GET /v1/items/{id}": (_call("catalog GET /items/{id}"), _cache("GET page:?", 0.5)),
    "gateway POST /v1/embeddings": (_call("auth POST /verify"), _call("embedder POST /embed", 1.0, 2)),
    "gateway GET /v1/me": (_call("auth POST /verify"), _call("profile GET /users/{id}")),
    "gateway GET /v1/flags": (_cache("GET flags:?"), _stage("evaluate", 0.2)),
    "auth POST /verify": (_cache("GET session:?"), _query("SELECT * FROM sessions WHERE id = ?", 1.5, 0.3)),
    "profile GET /users/{id}": (
        _cache("GET profile:?"),
        _query("SELECT * FROM users WHERE id = ?", 1.8, 0.5),
        _query("SELECT key, value FROM preferences WHERE user_id = ?", 1.2, 0.4, 3),
    ),
    "search GET /query": (
        _stage("parse_query", 0.4),
        _call("embedder POST /embed", 0.7),
        _query("SELECT id, score FROM items ORDER BY embedding <-> ? LIMIT ?", 9.0, 1.0, 2),
        _call("ranker POST /rank", 0.8),
        _call("catalog GET /items/{id}", 0.5, 4, together=True),
    ),
    "recommend GET /users/{id}/items": (
        _call("profile GET /users/{id}"),
        _call("feature-store POST /features"),
        _call("ranker POST /rank", 1.0, 2, together=True),
        _call("catalog GET /items/{id}", 0.6, 5, together=True),
        _cache("SETEX recommendations:?", 0.7),
    ),
    "checkout POST /orders": (
        _query("BEGIN", 0.3),
        _query("INSERT INTO orders (user_id, item_id, amount) VALUES (?, ?, ?)", 3.0, 1.0, 3),
        _query("UPDATE stock SET count = count - ? WHERE item_id = ?", 2.5, 0.8, 3),
        _query("COMMIT", 4.0),
    ),
    "fraud POST /score": (
        _stage("preprocess", 0.8),
        _call("feature-store POST /features"),
        _stage("queue", 2.0, 0.7),
        _forward("fraud"),
        _stage("postprocess", 0.3),
    ),
    "ranker POST /rank": (
        _call("feature-store POST /features", 0.8),
        _stage("preprocess", 1.5),
        _stage("queue", 3.0, 0.8),
        _forward("ranker", 2),
        _stage("postprocess", 0.5),
    ),
    "embedder POST /embed": (_stage("tokenize", 0.9), _stage("queue", 4.0, 0.9), _forward("embedder")),
    "feature-store POST /features": (
        _cache("MGET feature:?", 1.0, 4, together=True),
        _query("SELECT name, value FROM features WHERE entity = ? AND at <= ?", 3.5, 0.4, 2),
    ),
    "catalog GET /items/{id}": (_cache("GET item:?"), _query("SELECT * FROM items WHERE id = ?", 1.4, 0.35)),
    "notify POST /messages": (_query("INSERT INTO outbox (user_id, body) VALUES (?, ?)", 2.0),),
}
"""Operations by service, method and route, with their steps."""

ENTRANCES: Final = {
    "gateway POST /v1/payments": 0.12,
    "gateway GET /v1/search": 0.17,
    "gateway GET /v1/recommendations": 0.12,
    "gateway GET /v1/items/{id}": 0.26,
    "gateway POST /v1/embeddings": 0.07,
    "gateway GET /v1/me": 0.14,
    "gateway GET /v1/flags": 0.12,
}
"""What users ask for, and how often."""

SHAPES_EACH: Final = 40
LEAST_SPANS, MOST_SPANS = 3, 40


@dataclass(frozen=True)
class Node:
    """A span of a shape.

    Args:
        parent: index of the parent in the shape, -1 of the root.
        server: index of the server span in whose process it is.
        role: the kind of span.
        service: whose process.
        name: the span's name.
        milliseconds: usual own time.
        together: starts with the sibling before it.
        attributes: what is the same in every trace.
    """

    parent: int
    server: int
    role: Role
    service: str
    name: str
    milliseconds: float
    together: bool
    attributes: dict[str, str | int] = field(hash=False)


Shape = tuple[Node, ...]


def shapes(seed: int) -> list[tuple[Shape, float]]:
    """Shapes of traces, each with its share of all traces; parents come before their children."""
    chance = random.Random(seed)
    drawn: list[tuple[Shape, float]] = []
    for entrance, share in ENTRANCES.items():
        for _ in range(SHAPES_EACH):
            nodes: list[Node] = []
            _serve(entrance, -1, nodes, chance)
            while not LEAST_SPANS <= len(nodes) <= MOST_SPANS:
                nodes = []
                _serve(entrance, -1, nodes, chance)
            drawn.append((tuple(nodes), share / SHAPES_EACH))
    return drawn


def _serve(operation: str, parent: int, nodes: list[Node], chance: random.Random) -> None:
    service, method, route = operation.split(" ")
    here = len(nodes)
    attributes: dict[str, str | int] = {
        "http.request.method": method,
        "http.route": route,
        "url.scheme": "https" if parent < 0 else "http",
        "server.address": f"{service}.shop.internal",
        "server.port": 8443 if parent < 0 else 8080,
        "network.protocol.version": "2" if parent < 0 else "1.1",
    }
    nodes.append(Node(parent, here, "server", service, f"{method} {route}", 0.4, False, attributes))
    for step in _done(OPERATIONS[operation], chance):
        if step.role == "client":
            nodes.append(Node(here, here, "client", service, *_client(step)))
            _serve(step.name, len(nodes) - 1, nodes, chance)
        else:
            nodes.append(Node(here, here, step.role, service, *_LEAVES[step.role](service, step)))


def _done(steps: Sequence[Step], chance: random.Random) -> Iterator[Step]:
    for step in steps:
        if chance.random() < step.chance:
            yield from [step] * chance.randint(1, step.most)


_Rest = tuple[str, float, bool, dict[str, str | int]]


def _client(step: Step) -> _Rest:
    service, method, route = step.name.split(" ")
    attributes: dict[str, str | int] = {
        "http.request.method": method,
        "url.template": route,
        "url.scheme": "http",
        "server.address": f"{service}.shop.internal",
        "server.port": 8080,
        "network.protocol.version": "1.1",
        "code.function.name": f"clients.{service.replace('-', '_')}.{method.lower()}",
    }
    return f"{method} {route}", step.milliseconds, step.together, attributes


def _database(service: str, step: Step) -> _Rest:
    verb = step.name.split(" ")[0]
    words = step.name.split(" ")
    table = next((words[at + 1] for at, word in enumerate(words) if word in {"FROM", "INTO", "UPDATE"}), "")
    attributes: dict[str, str | int] = {
        "db.system.name": "postgresql",
        "db.namespace": service.replace("-", "_"),
        "db.operation.name": verb,
        "db.query.text": step.name,
        "db.query.summary": f"{verb} {table}".strip(),
        "server.address": f"{service}-db.shop.internal",
        "server.port": 5432,
        "code.function.name": f"{service.replace('-', '_')}.store.{verb.lower()}_{table or 'all'}",
    }
    if table:
        attributes["db.collection.name"] = table
    return f"{verb} {table}".strip(), step.milliseconds, step.together, attributes


def _cached(service: str, step: Step) -> _Rest:
    verb = step.name.split(" ")[0]
    attributes: dict[str, str | int] = {
        "db.system.name": "redis",
        "db.namespace": "0",
        "db.operation.name": verb,
        "db.query.text": step.name,
        "server.address": "cache.shop.internal",
        "server.port": 6379,
        "code.function.name": f"{service.replace('-', '_')}.cache.{verb.lower()}",
        "code.file.path": f"/app/{service}/cache.py",
    }
    return verb, step.milliseconds, step.together, attributes


def _model(service: str, step: Step) -> _Rest:
    model, dtype, _, kind, _ = MODELS[service]
    attributes: dict[str, str | int] = {
        "infersight.operation": "forward",
        "infersight.model.name": model,
        "infersight.module.type": kind,
        "infersight.model.dtype": "float16" if kind == "BertModel" else "float32",
        "infersight.input.dtype": dtype,
    }
    return f"{kind}.forward", step.milliseconds, step.together, attributes


def _stage_of(service: str, step: Step) -> _Rest:
    attributes: dict[str, str | int] = {
        "infersight.operation": "queue" if step.name == "queue" else "stage",
        "code.function.name": f"{service}.pipeline.{step.name}",
        "code.file.path": f"/app/{service}/pipeline.py",
        "code.line.number": 40 + 13 * len(step.name),
    }
    if service in MODELS:
        attributes["infersight.model.name"] = MODELS[service][0]
    return step.name, step.milliseconds, step.together, attributes


_LEAVES: Final = {"database": _database, "cache": _cached, "forward": _model, "stage": _stage_of}
