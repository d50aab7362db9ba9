"""Trees as rows of the tables of spans and exemplars."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tests.benchmarks.synthetic.columns import Flags, Ints, hexadecimal, numbers, picked, struct, table, text
from tests.benchmarks.synthetic.population import INTERVAL_NS
from tests.benchmarks.synthetic.services import KINDS, MODEL_VERSIONS, MODELS, ROLES, Role
from tests.benchmarks.synthetic.trees import Rows, World

ERRORS: Final = (
    ("TimeoutError", "timed out after ", " ms", 504),
    ("ConnectionRefusedError", "[Errno 111] connect call failed ('10.4.0.12', ", ")", 503),
    ("torch.OutOfMemoryError", "CUDA out of memory. Tried to allocate ", " MiB", 500),
    ("ValueError", "expected 84 features, got ", "", 500),
    ("psycopg.errors.DeadlockDetected", "deadlock detected: waiting for process ", "", 500),
)
EXEMPLAR_SHARE: Final = 0.05
_SCOPES: Final[dict[Role, str]] = {
    "server": "opentelemetry.instrumentation.fastapi",
    "client": "opentelemetry.instrumentation.httpx",
    "database": "opentelemetry.instrumentation.psycopg",
    "cache": "opentelemetry.instrumentation.redis",
    "forward": "infersight",
    "stage": "infersight",
}
_STACK: Final = (
    "Traceback (most recent call last):\n"
    '  File "/app/service/api.py", line 88, in handle\n    return await self.run(request)\n'
    '  File "/app/service/pipeline.py", line 141, in run\n    result = await step(payload, timeout=self.timeout)\n'
    '  File "/app/service/clients.py", line 57, in step\n    raise_for(response)\n'
)
_BATCHES: Final = np.array([1, 2, 4, 8, 16, 32])


@dataclass(frozen=True)
class Spans:
    """The spans of a slice, and what logs and exemplars about them need."""

    rows: Rows
    table: pa.Table
    user: pa.Array


def spans(world: World, rows: Rows, chance: np.random.Generator) -> Spans:
    """The rows as a stored table."""
    count, traces = rows.node.size, int(rows.trace.max()) + 1
    span_id = hexadecimal(chance.integers(0, 256, (count, 8), dtype=np.uint8))
    user = world.people.users(traces, chance)[rows.trace]
    resource, service = world.people.resources(rows.instance, rows.start)
    role = world.role[rows.node]
    columns = {
        "trace_id": hexadecimal(chance.integers(0, 256, (traces, 16), dtype=np.uint8)).take(pa.array(rows.trace)),
        "span_id": span_id,
        "parent_span_id": span_id.take(pa.array(rows.parent, mask=rows.parent < 0)),
        "flags": numbers(np.full(count, 0x101)),
        "name": picked([node.name for node in world.nodes], rows.node),
        "kind": picked([KINDS[role] for role in ROLES], role),
        "start_time_ns": numbers(rows.start),
        "end_time_ns": numbers(rows.start + rows.duration),
        "duration_ns": numbers(rows.duration),
        "status_code": picked(["UNSET", "ERROR"], rows.failed.astype(np.int64)),
        "scope_name": picked([_SCOPES[role] for role in ROLES], role),
        "scope_version": picked(["0.65b0" if role != "forward" else "1.0.0" for role in ROLES], role),
        "sample_weight": numbers(np.ones(count)),
        **service,
        "resource_attributes": resource,
        "attributes": _attributes(world, rows, user, chance),
        "events": _exceptions(rows, chance),
    }
    return Spans(rows, table("spans", columns), world.people.user_ids.take(pa.array(user)))


def exemplars(world: World, made: Spans, chance: np.random.Generator) -> pa.Table:
    """Some server spans as exemplars of the histogram that they are counted in."""
    rows = made.rows
    server = np.flatnonzero(world.role[rows.node] == ROLES.index("server"))
    chosen = server[chance.random(server.size) < EXEMPLAR_SHARE]
    of = made.table.take(pa.array(chosen))
    end = rows.start[chosen] + rows.duration[chosen]
    beat = world.people.beats[rows.instance[chosen]]
    attributes: Any = of["attributes"].combine_chunks()
    point = ("http.request.method", "http.route", "http.response.status_code")
    columns = {
        "time_ns": numbers(end),
        "metric_name": picked(["http.server.request.duration"], np.zeros(chosen.size, np.int64)),
        "metric_type": picked(["histogram"], np.zeros(chosen.size, np.int64)),
        "value": numbers(rows.duration[chosen] / 1e9),
        "point_time_ns": numbers(((end - beat) // INTERVAL_NS + 1) * INTERVAL_NS + beat),
        "point_attributes": struct({key: attributes.field(key) for key in point}),
    }
    same = ("trace_id", "span_id", "service_name", "service_version", "service_instance_id", "resource_attributes")
    return table("exemplars", columns | {name: of[name].combine_chunks() for name in same})


def _attributes(world: World, rows: Rows, user: Ints, chance: np.random.Generator) -> pa.Array:
    """Some 15 attributes a span, by its role."""
    people, count = world.people, rows.node.size
    server, client, database, cache, forward, stage = (world.role[rows.node] == index for index in range(len(ROLES)))
    fixed = {key: values.take(pa.array(rows.node)) for key, values in world.fixed.items()}
    request = hexadecimal(chance.integers(0, 256, (int(rows.trace.max()) + 1, 8), dtype=np.uint8))
    columns = fixed | {
        "enduser.id": people.user_ids.take(pa.array(user)),
        "app.tenant": people.tenants.take(pa.array(user)),
        "app.experiment": people.variants.take(pa.array(user)),
        "thread.id": numbers(140_000 + rows.instance * 64 + chance.integers(0, 12, count)),
        "infersight.request.id": request.take(pa.array(rows.trace, mask=~(server | forward | stage))),
        "url.path": _paths(world, rows, chance),
        "http.response.status_code": _status(rows, server | client, chance),
        "http.request.body.size": numbers(chance.lognormal(6.5, 1, count).astype(np.int64), server),
        "user_agent.original": people.agents.take(pa.array(user, mask=~server)),
        "client.address": pc.if_else(
            pa.array(rows.parent < 0),
            people.clients.take(pa.array(user)),
            people.addresses.take(pa.array(rows.instance, mask=~server)),
        ),
        "network.peer.port": numbers(chance.integers(32_768, 61_000, count), server),
        "network.peer.address": people.addresses.take(pa.array(rows.instance, mask=~(client | database | cache))),
        "infersight.requests.in_flight": numbers(1 + chance.poisson(3, count), server),
        "infersight.event_loop.lag": numbers(chance.exponential(0.0008, count), server),
        "cache.hit": numbers(chance.random(count) < 0.85, cache),
        "cache.item.size": numbers(chance.lognormal(6, 1.2, count).astype(np.int64), cache),
        "db.response.returned_rows": numbers(chance.geometric(0.3, count), database),
        "infersight.input.length": numbers(chance.lognormal(6, 1, count).astype(np.int64), stage),
        "error.type": picked([error[0] for error in ERRORS], rows.trace % len(ERRORS), rows.failed),
    }
    return struct(columns | _model(world, rows, forward, chance), json=("infersight.input.shape",))


def _model(world: World, rows: Rows, forward: Flags, chance: np.random.Generator) -> dict[str, pa.Array]:
    """What the spans of a model's calls have besides."""
    people, count = world.people, rows.node.size
    servers = list(MODELS)
    of_service = np.array([servers.index(name) if name in MODELS else -1 for name in people.services])
    model = of_service[world.service[rows.node]]
    batch = _BATCHES[chance.integers(0, _BATCHES.size, count)]
    length = np.minimum(512, 8 + chance.lognormal(3.5, 0.9, count).astype(np.int64))
    shapes: Any = pa.nulls(count, pa.string())
    for index, (_, _, shape, _, _) in enumerate(MODELS.values()):
        shapes = pc.if_else(pa.array(forward & (model == index)), _filled(shape, batch, length), shapes)
    return {
        "infersight.model.version": picked(MODEL_VERSIONS, people.version(rows.instance, rows.start), model >= 0),
        "infersight.device": picked([f"cuda:{index}" for index in range(4)], rows.instance % 4, forward),
        "infersight.batch.size": numbers(batch, forward),
        "infersight.input.shape": shapes,
        # A model gives a float32, which is widened.
        "infersight.prediction.confidence": numbers(
            chance.beta(6, 1.5, count).astype(np.float32).astype(np.float64), forward
        ),
        "infersight.prediction.label": picked(people.labels, chance.integers(0, len(people.labels), count), forward),
        "infersight.batch.queue.duration": numbers(chance.exponential(0.004, count), forward),
        # CUDA events give milliseconds as a float32.
        "infersight.device.duration": numbers(
            (rows.duration / 1e6 * chance.normal(0.93, 0.02, count)).astype(np.float32).astype(np.float64) / 1e3,
            forward,
        ),
    }


def _filled(shape: str, batch: Ints, length: Ints) -> pa.Array:
    before, _, rest = shape.partition("{batch}")
    middle, _, after = rest.partition("{length}")
    return text(before, numbers(batch), middle, *((numbers(length), after) if after else ()))


def _paths(world: World, rows: Rows, chance: np.random.Generator) -> pa.Array:
    """The route of server spans, with an item's id where it has a place for one."""
    routes = [node.attributes.get("http.route") for node in world.nodes]
    pieces = [str(route).partition("{id}") if route else (None, "", "") for route in routes]
    before, places, after = (picked([piece[at] for piece in pieces], rows.node) for at in range(3))
    items = pc.if_else(pc.equal(places, "{id}"), world.people.items(rows.node.size, chance), "")
    return text(before, items, after)


def _status(rows: Rows, has: Flags, chance: np.random.Generator) -> pa.Array:
    refused = chance.choice([200, 201, 404, 422], rows.node.size, p=[0.93, 0.055, 0.01, 0.005])
    failed = np.array([error[3] for error in ERRORS])[rows.trace % len(ERRORS)]
    return numbers(np.where(rows.failed, failed, refused), has)


def exception(error: Ints, chance: np.random.Generator) -> dict[str, pa.Array]:
    """Attributes of the exceptions of these kinds, indexes into `ERRORS`."""
    kinds, before, after = (picked([one[at] for one in ERRORS], error) for at in range(3))
    message = text(before, numbers(chance.integers(100, 60_000, error.size)), after)
    return {
        "exception.type": kinds,
        "exception.message": message,
        "exception.stacktrace": text(_STACK, kinds, ": ", message),
    }


def _exceptions(rows: Rows, chance: np.random.Generator) -> pa.Array:
    """The events of each span: an exception where an error began."""
    at = np.flatnonzero(rows.raised)
    ends = rows.start[at] + rows.duration[at]
    elements = {
        "time_ns": numbers(ends - chance.integers(10_000, 90_000, at.size)),
        "name": picked(["exception"], np.zeros(at.size, np.int64)),
        "attributes": struct(exception(rows.trace[at] % len(ERRORS), chance)),
        "attributes_other": pa.nulls(at.size, pa.string()),
        "dropped_attributes_count": pa.nulls(at.size, pa.int64()),
    }
    offsets = np.concatenate(([0], np.cumsum(rows.raised))).astype(np.int32)
    struct_type = pa.StructArray.from_arrays(list(elements.values()), names=list(elements))
    return pa.ListArray.from_arrays(pa.array(offsets), struct_type)
