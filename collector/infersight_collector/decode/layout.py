"""Where the walk puts each field of a request, computed from OTLP's own protobuf descriptors.

A request becomes tables of 64-bit slots, one table for each repeated message and each oneof of messages. Slot 0 of a
row is the row of the message around it. Singular messages (`resource`, `scope`, `status`, ...) share the row of the
message around them, which is protobuf's rule for merging when one occurs twice.

- A string or bytes field `f` takes two slots: `f`, where it starts in the request, and `f.length`.
- A oneof `g` takes `g.case`, the number of the field that is set (0: none), `g`, its value, and `g.length`. A field
  of explicit presence (`optional`) is a oneof of its own.
- A message in a oneof is a row of the table named like the oneof; the oneof's value is that row.
- An AnyValue field is its oneof, so an attribute is `key`, `key.length`, `value.case`, `value`, `value.length`. The
  elements of an array or map are rows of `value.values`, whose parent is the row of the array or map in `value`.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import numpy as np
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, EntityRef, KeyValue

from infersight_collector.signals import Signal

MAX_FIELD: Final = 32
"""Field numbers from here on are unknown to every OTLP message."""

# What the walk does with a field. Scalars come first, in one range for each wire type.
UNKNOWN: Final = 0
INT64: Final = 1
INT32: Final = 2
UINT32: Final = 3
SINT32: Final = 4
BOOL: Final = 5
DOUBLE: Final = 6
WORD: Final = 7
TEXT: Final = 8
OPAQUE: Final = 9
MESSAGE: Final = 10  # repeated: a row of its own
INLINE: Final = 11  # singular: in the row of the message around it
CHOICE: Final = 12  # in a oneof: a row of its own, unless the oneof has that case already
ATTRIBUTE: Final = 13  # a repeated KeyValue: as MESSAGE, with a shorter way for the usual form
MANY: Final = 16
"""Added to a scalar's kind when it is repeated, and so packed or not."""

# Slots of every table of KeyValues, and of `value.values`.
KEY: Final = 1
KEY_LENGTH: Final = 2
CASE: Final = 3
VALUE: Final = 4
VALUE_LENGTH: Final = 5

# Cases of an AnyValue.
STRING_CASE: Final = AnyValue.STRING_VALUE_FIELD_NUMBER
BOOL_CASE: Final = AnyValue.BOOL_VALUE_FIELD_NUMBER
INT_CASE: Final = AnyValue.INT_VALUE_FIELD_NUMBER
DOUBLE_CASE: Final = AnyValue.DOUBLE_VALUE_FIELD_NUMBER
ARRAY_CASE: Final = AnyValue.ARRAY_VALUE_FIELD_NUMBER
MAP_CASE: Final = AnyValue.KVLIST_VALUE_FIELD_NUMBER
BYTES_CASE: Final = AnyValue.BYTES_VALUE_FIELD_NUMBER

_KINDS: Final = {
    FieldDescriptor.TYPE_INT64: INT64,
    FieldDescriptor.TYPE_UINT64: INT64,
    FieldDescriptor.TYPE_INT32: INT32,
    FieldDescriptor.TYPE_ENUM: INT32,
    FieldDescriptor.TYPE_UINT32: UINT32,
    FieldDescriptor.TYPE_SINT32: SINT32,
    FieldDescriptor.TYPE_BOOL: BOOL,
    FieldDescriptor.TYPE_DOUBLE: DOUBLE,
    FieldDescriptor.TYPE_FIXED64: DOUBLE,
    FieldDescriptor.TYPE_SFIXED64: DOUBLE,
    FieldDescriptor.TYPE_FIXED32: WORD,
    FieldDescriptor.TYPE_STRING: TEXT,
    FieldDescriptor.TYPE_BYTES: OPAQUE,
}

REQUESTS: Final[dict[Signal, type[Message]]] = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
}

_SHARED_NAMES: Final = {
    f"{level}_{signal}": f"{level}s" for level in ("resource", "scope") for signal in ("spans", "logs", "metrics")
}
"""Tables that are named alike in every signal."""

_PROFILES_ONLY: Final = "key_strindex"


@dataclass
class Layout:
    """The tables of one signal and the walk's instructions to fill them.

    Attributes:
        tables: index of each table; the root, table "", is 0.
        slots: for each table the slot of each column.
        widths: slots of a row of each table.
        fields: `[node, field number]` to (kind, slot or 0 for none, oneof case or 0, child node, the child's table); a
            node is a message type at one place of the request.
    """

    tables: dict[str, int] = field(default_factory=lambda: {"": 0})
    slots: list[dict[str, int]] = field(default_factory=lambda: [{"parent": 0}])
    widths: Any = None
    fields: Any = None


@cache
def layout_of(signal: Signal) -> Layout:
    """The layout of one signal's requests."""
    builder = _Builder()
    request: Any = REQUESTS[signal].DESCRIPTOR
    builder.node(request, "", "")
    layout = builder.layout
    layout.widths = np.array([len(slots) for slots in layout.slots], np.int64)
    fields = np.array(builder.fields, np.int64)
    layout.fields = np.dstack([fields, np.array(builder.table_of, np.int64)[fields[:, :, 3]]])
    return layout


class _Builder:
    """Walks the descriptors; a node is known by its message, its table and its column prefix."""

    def __init__(self) -> None:
        self.layout = Layout()
        self.nodes: dict[tuple[str, str, str], int] = {}
        self.table_of: list[int] = []
        self.fields: list[list[tuple[int, int, int, int]]] = []

    def node(self, message: Descriptor, table: str, prefix: str) -> int:
        key = (message.full_name, table, prefix)
        if key not in self.nodes:
            node = self.empty_node(key, table)
            for known in message.fields:
                if known.name != _PROFILES_ONLY:
                    self.fields[node][known.number] = self.instruction(known, table, prefix)
        return self.nodes[key]

    def empty_node(self, key: tuple[str, str, str], table: str) -> int:
        node = self.nodes[key] = len(self.nodes)
        self.table_of.append(self.table(table))
        self.fields.append([(UNKNOWN, 0, 0, 0)] * MAX_FIELD)
        return node

    def table(self, name: str) -> int:
        if name not in self.layout.tables:
            self.layout.tables[name] = len(self.layout.slots)
            self.layout.slots.append({"parent": 0})
        return self.layout.tables[name]

    def slot(self, table: str, name: str) -> int:
        slots = self.layout.slots[self.table(table)]
        return slots.setdefault(name, len(slots))

    def instruction(self, known: FieldDescriptor, table: str, prefix: str) -> tuple[int, int, int, int]:
        name = prefix + known.name
        if known.containing_oneof is not None:
            return self.oneof_case(known, table, prefix)
        if known.is_repeated:
            return self.repeated(known, table, name)
        if known.message_type is not None:
            return (INLINE, 0, 0, self.node(known.message_type, table, name + "."))
        slot = self.slot(table, name)
        if _KINDS[known.type] in (TEXT, OPAQUE):
            self.slot(table, name + ".length")
        return (_KINDS[known.type], slot, 0, 0)

    def oneof_case(self, known: FieldDescriptor, table: str, prefix: str) -> tuple[int, int, int, int]:
        oneof: Any = known.containing_oneof
        is_value = known.containing_type is AnyValue.DESCRIPTOR
        name = prefix[:-1] if is_value and prefix else prefix + oneof.name.lstrip("_")
        case = self.slot(table, name + ".case")
        slot = self.slot(table, name)
        if slot != case + 1:
            raise AssertionError(f"the walk expects a oneof's case in the slot before its value: {table} {name}")
        if any(case.type in _KINDS and _KINDS[case.type] in (TEXT, OPAQUE) for case in oneof.fields):
            self.slot(table, name + ".length")
        if known.message_type is not None:
            self.table(oneof.name)
            return (CHOICE, slot, known.number, self.node(known.message_type, oneof.name, ""))
        return (_KINDS[known.type], slot, known.number, 0)

    def repeated(self, known: FieldDescriptor, table: str, name: str) -> tuple[int, int, int, int]:
        message = known.message_type
        if message is None:
            kind = _KINDS[known.type]
            if kind in (TEXT, OPAQUE):  # only in entity references, which are kept whole
                return (kind, 0, 0, 0)
            child = f"{table}.{name}"
            return (kind + MANY, self.slot(child, "value"), 0, self.empty_node(("", child, name), child))
        if message.full_name in (KeyValue.DESCRIPTOR.full_name, AnyValue.DESCRIPTOR.full_name):
            return self.attributes(message, f"{table}.{name}")
        child = _SHARED_NAMES.get(known.name, known.name)
        kept_whole = message.full_name == EntityRef.DESCRIPTOR.full_name
        self.table(child)
        slot = self.slot(child, "message") if kept_whole else 0
        if kept_whole:
            self.slot(child, "message.length")
        return (MESSAGE, slot, 0, self.node(message, child, ""))

    def attributes(self, message: Descriptor, child: str) -> tuple[int, int, int, int]:
        for slot, column in enumerate(("parent", "key", "key.length", "value.case", "value", "value.length")):
            if self.slot(child, column) != slot:
                raise AssertionError(f"the slots of attributes are fixed: {child} {column}")
        is_attribute = message.full_name == KeyValue.DESCRIPTOR.full_name
        return (ATTRIBUTE if is_attribute else MESSAGE, 0, 0, self.node(message, child, ""))
