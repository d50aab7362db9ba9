"""Tables in several chunks, as processors before may leave them, are processed as each chunk alone would be."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyarrow publishes no types.

from collections.abc import Callable

import pyarrow as pa
import pytest
from tests.support.attribute_rows import attributes_of, spans_batch

from infersight_collector.component import Batch, Processor
from infersight_collector.processors.actions import Action
from infersight_collector.processors.attributes import AttributesProcessor, ResourceProcessor
from infersight_collector.processors.filter import FilterProcessor
from infersight_collector.processors.redaction import RedactionProcessor
from infersight_collector.processors.transform import TransformProcessor

PROCESSORS: dict[str, Callable[[], Processor]] = {
    "attributes": lambda: AttributesProcessor(
        [Action("n", "upsert", "x"), Action("to", "hash"), Action("path", "extract", pattern="(?P<id>[0-9]+)")]
    ),
    "resource": lambda: ResourceProcessor([Action("service.name", "update", "other"), Action("host", "insert", "h")]),
    "filter": lambda: FilterProcessor(spans="attributes['path'] = '/a/1' or attributes['only'] is not null"),
    "transform": lambda: TransformProcessor(
        spans={"name": "concat(name, attributes['path'])", "attributes['path']": "upper(attributes['path'])"}
    ),
    "redaction": RedactionProcessor,
}

CHUNKS = [
    spans_batch({"path": "/a/1", "to": "a@b.io"}, {"path": "/b/2"}, resource={"service.name": "s"}),
    spans_batch({"only": 1, "events": [("to a@b.io", {"to": "a@b.io"})]}, {}),
    spans_batch({"path": "/c/3", "n": [1, "a@b.io"], "links": [{"password": "x"}]}, resource={"host": "own"}),
]


def rows_of(batch: Batch) -> list[object]:
    """The rows as Python values, without keys that a row does not have."""
    spans = batch.tables["spans"]
    events = spans.column("events").to_pylist() if "events" in spans.column_names else [None] * spans.num_rows
    return [
        *zip(
            spans.column("name").to_pylist(),
            attributes_of(spans),
            attributes_of(spans, "resource_attributes"),
            strict=True,
        ),
        [[(event["name"], event["attributes"]) for event in of_row] for of_row in events if of_row],
    ]


@pytest.mark.parametrize("name", PROCESSORS)
def test_chunks_together_become_what_they_become_alone(name: str) -> None:
    processor = PROCESSORS[name]()
    together = pa.concat_tables([part.tables["spans"] for part in CHUNKS], promote_options="permissive")
    assert together.column("name").num_chunks == 3
    alone = [processor.process(part).tables["spans"] for part in CHUNKS]
    expected = Batch(CHUNKS[0].signal, {"spans": pa.concat_tables(alone, promote_options="permissive")})
    for offset in (0, 1):  # slices have offsets into their buffers
        made = processor.process(Batch(CHUNKS[0].signal, {"spans": together.slice(offset)}))
        start = 0 if name == "filter" else offset  # the first row does not pass it
        of_expected = Batch(expected.signal, {"spans": expected.tables["spans"].slice(start)})
        assert rows_of(made) == rows_of(of_expected)


@pytest.mark.parametrize("name", PROCESSORS)
def test_a_table_without_rows_passes(name: str) -> None:
    nothing = Batch(CHUNKS[0].signal, {"spans": CHUNKS[0].tables["spans"].slice(0, 0)})
    assert PROCESSORS[name]().process(nothing) is nothing
