"""The processor `log_templates`: tells which log records say the same thing."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.component import Batch, Surroundings
from infersight_collector.processors.edited import EditedAttributes, array_of
from infersight_collector.templates import MAX_TEMPLATES, Learned, masked, template_id

TEMPLATE: Final = "infersight.log.template"
TEMPLATE_ID: Final = "infersight.log.template.id"

GIVEN_TEMPLATES: Final = (
    "message_template.text",
    "logfire.msg_template",
    "sentry.message.template",
    "{OriginalFormat}",
)
"""Attributes in which senders say the template themselves: Serilog, Logfire, Sentry, .NET."""

_PLACEHOLDER: Final = r"%(?:\(\w+\))?[#0 +-]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[diouxXeEfFgGcrsa]|\{[^{}]*\}"
"""A place for a value in the formats of Python and of message templates (messagetemplates.org)."""

Columns = tuple[Any, Any]
"""Template and id of each row, two Arrow arrays of strings."""


@dataclass
class LogTemplates:
    """Configuration of `log_templates`.

    Attributes:
        max_templates: most templates of one service that are kept in mind; the one that was used longest ago is
            forgotten first.
    """

    max_templates: int = 1_000

    def __post_init__(self) -> None:
        if not 1 <= self.max_templates <= MAX_TEMPLATES:
            raise ValueError(f"max_templates is {self.max_templates}: write a number from 1 to {MAX_TEMPLATES}")
        self._learned = Learned(self.max_templates)

    def start(self, surroundings: Surroundings) -> None:
        """Takes over what was learned before."""
        self._learned.open(surroundings.directory / "templates.json")

    def process(self, batch: Batch) -> Batch:
        """The batch with template and id on each log record that says something in words.

        A record that has an id already keeps it, so that a collector behind this one changes nothing.
        """
        rows = batch.tables.get("logs")
        if rows is None or not rows.num_rows:
            return batch
        attributes = EditedAttributes.of(rows, "attributes")
        service = pc.fill_null(array_of(rows, "service_name"), "").dictionary_encode()
        given = _given(attributes, rows.num_rows)
        said = pc.if_else(pc.equal(array_of(rows, "body_type"), "string"), array_of(rows, "body"), None)
        said = pc.if_else(given.is_valid(), None, said)
        columns = zip(
            _of_each(service, given.dictionary_encode(), lambda _, texts: list(texts)),
            _of_each(service, _masked(said), self._learned.templates),
            strict=True,
        )
        self._learned.save()
        where = ~attributes.holds(TEMPLATE_ID)
        for key, (of_given, of_learned) in zip((TEMPLATE, TEMPLATE_ID), columns, strict=True):
            values = pc.coalesce(of_given, of_learned)
            attributes.assign(key, values, where & values.is_valid().to_numpy(zero_copy_only=False))
        return batch.replaced({"logs": attributes.write(rows, "attributes")})


def _given(attributes: EditedAttributes, rows: int) -> Any:
    """The templates that senders say, in our form."""
    found = [attributes.strings(key) for key in GIVEN_TEMPLATES if key in attributes.fields]
    texts = pc.coalesce(*found) if found else pa.nulls(rows, pa.string())
    return pc.replace_substring_regex(texts, _PLACEHOLDER, "<*>")


def _masked(texts: Any) -> Any:
    """The texts without their values, each distinct text looked at once; as a dictionary array."""
    texts = texts.dictionary_encode()
    patterns = masked(texts.dictionary)
    patterns = pc.if_else(pc.equal(patterns, ""), None, patterns).dictionary_encode()
    return pa.DictionaryArray.from_arrays(patterns.indices.take(texts.indices), patterns.dictionary)


def _of_each(services: Any, texts: Any, make: Callable[[str, Sequence[str]], list[str]]) -> Columns:
    """Template and id of rows, made once for each service and text.

    Args:
        services: the service of each row, a dictionary array without nulls.
        texts: the text of each row, a dictionary array.
        make: the templates of texts of a service.
    """
    count = len(texts.dictionary)
    pairs = pc.add(pc.multiply(services.indices.cast(pa.int64()), count), texts.indices.cast(pa.int64()))
    distinct = np.sort(pairs.unique().drop_null().to_numpy(zero_copy_only=False))
    templates: list[str] = []
    ids: list[str] = []
    for service in np.unique(distinct // max(count, 1)).tolist():
        members = distinct[distinct // count == service] % count
        name = services.dictionary[service].as_py()
        made = make(name, texts.dictionary.take(pa.array(members)).to_pylist())
        templates += made
        ids += [template_id(name, template) for template in made]
    index = pc.index_in(pairs, pa.array(distinct))
    return pa.array(templates, pa.string()).take(index), pa.array(ids, pa.string()).take(index)
