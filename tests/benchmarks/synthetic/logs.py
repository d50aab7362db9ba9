"""Log records: half of them about a span, the others of a process as such."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false, reportUnknownLambdaType=false
# pyarrow publishes no types and makes its compute functions at import.

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tests.benchmarks.synthetic.columns import Flags, Ints, hexadecimal, numbers, picked, struct, table, text
from tests.benchmarks.synthetic.services import ROLES
from tests.benchmarks.synthetic.spans import ERRORS, Spans, exception
from tests.benchmarks.synthetic.trees import World

_Template = tuple[str, str]  # severity, text with places

ABOUT_SPANS: Final[Sequence[_Template]] = (
    ("INFO", "request {hex} of {user} accepted, {int} bytes"),
    ("INFO", "scored item {item} for {user} in {float} ms"),
    ("INFO", "batch of {small} released after {float} ms, {small} waiting"),
    ("INFO", "loaded {int} features for entity {user}"),
    ("INFO", "cache hit ratio {float} over {int} keys"),
    ("INFO", "ranked {int} candidates, best {item} with {float}"),
    ("INFO", "order {hex} placed by {user}: {small} items, total {float} EUR"),
    ("INFO", "GET /items/{item} answered in {float} ms"),
    ("DEBUG", "tokenized {int} characters into {small} tokens"),
    ("DEBUG", "connection {small} taken from the pool, {small} left"),
    ("DEBUG", "query plan {hex} reused"),
    ("WARN", "retrying call to {address} after {float} ms, attempt {small} of 5"),
    ("WARN", "feature {item} is older than {int} s, using the default"),
    ("WARN", "queue is {int} long, shedding load below priority {small}"),
    ("ERROR", "call to {address} failed after {float} ms"),
)
OF_PROCESSES: Final[Sequence[_Template]] = (
    ("INFO", "health check passed in {float} ms"),
    ("INFO", "heartbeat: {int} requests in the last minute, {small} open"),
    ("INFO", "gpu {small}: {int} MiB of 24576 MiB used, {small} % busy"),
    ("INFO", "refreshed {int} feature definitions from {address}"),
    ("INFO", "connection pool of {address}: {small} busy, {small} idle"),
    ("DEBUG", "garbage collection took {float} ms, freed {int} objects"),
    ("DEBUG", "config version {hex} unchanged"),
    ("WARN", "certificate of {address} expires in {int} hours"),
    ("WARN", "clock differs from {address} by {float} ms"),
    ("ERROR", "could not reach {address}: connection refused, next try in {small} s"),
)
_WEIGHTS: Final = {"INFO": 10.0, "DEBUG": 5.0, "WARN": 1.0, "ERROR": 0.4}
_NUMBERS: Final = {"DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17}
_PLACE: Final = re.compile(r"\{(\w+)\}")


def logs(world: World, made: Spans, start_ns: int, end_ns: int, chance: np.random.Generator) -> pa.Table:
    """Half as many records as there are spans, in the order of their times."""
    count = made.rows.node.size // 2
    traced = count // 2
    span = np.concatenate((chance.integers(0, made.rows.node.size, traced), np.full(count - traced, -1)))
    about = span >= 0
    time_ns = np.where(
        about,
        made.rows.start[span] + (made.rows.duration[span] * chance.random(count)).astype(np.int64),
        chance.integers(start_ns, end_ns, count),
    )
    order = np.argsort(time_ns, kind="stable")
    return _records(world, made, span[order], time_ns[order], chance)


def _records(world: World, made: Spans, span: Ints, time_ns: Ints, chance: np.random.Generator) -> pa.Table:
    about, count = span >= 0, span.size
    at = pa.array(span, mask=~about)
    prediction = about & (world.role[made.rows.node[span]] == ROLES.index("forward"))
    template = np.where(
        about, _drawn(ABOUT_SPANS, count, chance), len(ABOUT_SPANS) + _drawn(OF_PROCESSES, count, chance)
    )
    severities = [severity for severity, _ in (*ABOUT_SPANS, *OF_PROCESSES)]
    severity = picked(severities, template, ~prediction).fill_null("INFO")
    instance = np.where(about, made.rows.instance[span], chance.integers(0, world.people.service_of.size, count))
    resource, service = world.people.resources(instance, time_ns)
    columns = {
        "time_ns": numbers(time_ns),
        "observed_time_ns": numbers(time_ns + chance.integers(20_000, 400_000, count)),
        "trace_id": made.table["trace_id"].combine_chunks().take(at),
        "span_id": made.table["span_id"].combine_chunks().take(at),
        "flags": numbers(np.ones(count, np.int64), about),
        "severity_text": severity,
        "severity_number": picked(pa.array([_NUMBERS[name] for name in severities], pa.int32()), template),
        "body": _bodies(world, made, template, at, prediction, chance=chance),
        "body_type": picked(["string"], np.zeros(count, np.int64), ~prediction),
        "event_name": picked(["infersight.prediction"], np.zeros(count, np.int64), prediction),
        "scope_name": picked([f"app.module_{number}" for number in range(40)], template % 40),
        "sample_weight": numbers(np.ones(count)),
        **service,
        "resource_attributes": resource,
        "attributes": _attributes(made, span, template, prediction, chance),
    }
    return table("logs", columns)


def _drawn(templates: Sequence[_Template], count: int, chance: np.random.Generator) -> Ints:
    weights = np.array([_WEIGHTS[severity] for severity, _ in templates])
    return chance.choice(len(templates), count, p=weights / weights.sum())


def _attributes(made: Spans, span: Ints, template: Ints, prediction: Flags, chance: np.random.Generator) -> pa.Array:
    """Where the record was written, for whom, and what was predicted or raised."""
    count, at = span.size, pa.array(span, mask=span < 0)
    severities = np.array([severity for severity, _ in (*ABOUT_SPANS, *OF_PROCESSES)])
    raised = (severities[template] == "ERROR") & ~prediction
    of_span: Any = made.table["attributes"].combine_chunks()
    taken = {
        key: of_span.field(key).take(pa.array(span, mask=~prediction))
        for key in (
            "infersight.model.name",
            "infersight.model.version",
            "infersight.prediction.label",
            "infersight.prediction.confidence",
        )
    }
    identity = hexadecimal(chance.integers(0, 256, (count, 8), dtype=np.uint8))
    errors = exception(chance.integers(0, len(ERRORS), count), chance)
    return struct(
        {
            "code.file.path": picked([f"/app/service/module_{at % 9}.py" for at in range(40)], template, ~prediction),
            "code.function.name": picked([f"Service.step_{at}" for at in range(40)], template, ~prediction),
            "code.line.number": picked([31 + 17 * at for at in range(40)], template, ~prediction),
            "thread.name": picked([f"worker-{at}" for at in range(12)], chance.integers(0, 12, count)),
            "enduser.id": made.user.take(at),
            **taken,
            "infersight.prediction.id": pc.if_else(pa.array(prediction), identity, None),
            **{key: pc.if_else(pa.array(raised), values, None) for key, values in errors.items()},
        }
    )


def _bodies(
    world: World, made: Spans, template: Ints, at: pa.Array, prediction: Flags, *, chance: np.random.Generator
) -> pa.Array:
    """Each record's text: its template with values; predictions have none."""
    parts: list[Any] = []
    rows: list[Ints] = []
    for index, (_, words) in enumerate((*ABOUT_SPANS, *OF_PROCESSES)):
        mine = np.flatnonzero((template == index) & ~prediction)
        if not mine.size:
            continue
        pieces = _PLACE.split(words)
        values = [_VALUES[kind](world, made, at.take(pa.array(mine)), chance) for kind in pieces[1::2]]
        joined: list[str | pa.Array] = [pieces[0]]
        for value, after in zip(values, pieces[2::2], strict=True):
            joined += [value, after]
        parts.append(text(*joined))
        rows.append(mine)
    place = np.zeros(template.size, dtype=np.int64)
    place[np.concatenate(rows)] = np.arange(sum(part.size for part in rows))
    return pa.concat_arrays(parts).take(pa.array(place, mask=prediction))


_Value = Callable[[World, Spans, pa.Array, np.random.Generator], pa.Array]

_VALUES: Final[dict[str, _Value]] = {
    "user": lambda _, made, at, __: made.user.take(at),
    "item": lambda world, _, at, chance: world.people.items(len(at), chance),
    "hex": lambda _, __, at, chance: hexadecimal(chance.integers(0, 256, (len(at), 6), dtype=np.uint8)),
    "int": lambda _, __, at, chance: numbers(chance.lognormal(6, 1.5, len(at)).astype(np.int64)),
    "small": lambda _, __, at, chance: numbers(chance.integers(1, 64, len(at))),
    "float": lambda _, __, at, chance: numbers(np.round(chance.lognormal(2, 1.2, len(at)), 3)),
    "address": lambda world, _, at, chance: world.people.addresses.take(
        pa.array(chance.integers(0, len(world.people.addresses), len(at)))
    ),
}
