"""The processor `redaction`: the SDK's rules, in every place of every table, and nothing changed that is clean."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyarrow publishes no types.

import re
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.attribute_rows import attributes_of, logs_batch, metrics_batch, spans_batch

from infersight._redact import Redactor
from infersight_collector.component import Batch
from infersight_collector.config import ConfigError, load
from infersight_collector.pipeline import KINDS, build
from infersight_collector.processors.redaction import RedactionProcessor

SECRETS = ["hunter22", "jane@example.org", "4111111111111111", "k1-secret-key"]
LEAK = "jane@example.org pays with 4111111111111111 and password=hunter22"
CLEAN = "[redacted:email] pays with [redacted:card] and password=[redacted:secret]"

REDACTION = RedactionProcessor()


def everything(batch: Batch) -> str:
    """All values of all tables, as text."""
    return repr({name: (rows.schema.names, rows.to_pydict()) for name, rows in batch.tables.items()})


def leaked(batch: Batch) -> list[str]:
    found = everything(batch)
    return [secret for secret in SECRETS if secret in found]


LEAKING_ATTRIBUTES: dict[str, Any] = {
    "note": LEAK,
    "api_key": "k1-secret-key",
    "db.password": ["hunter22"],
    "notes": ["ok", LEAK],
    "user": {"password": "hunter22", "inner": {"mail": "jane@example.org"}, "argv": ["--token", "k1-secret-key"]},
    "raw": b"jane@example.org",
    "url.full": "https://u:hunter22@h/p?api_key=k1-secret-key&v=1",
    "of jane@example.org": 1,
    "fine": "ok",
    "n": 1,
}


def leaking_spans() -> Batch:
    # The second span has values of other types, which are kept beside the STRUCT.
    mixed: dict[str, Any] = {"n": LEAK, "fine": ["jane@example.org"], "note": {"secret": "hunter22"}}
    records: list[dict[str, Any]] = [
        {
            **LEAKING_ATTRIBUTES,
            "events": [("paid by jane@example.org", LEAKING_ATTRIBUTES), ("fine", {"fine": 1})],
            "links": [LEAKING_ATTRIBUTES],
        },
        mixed,
        {"note": "fine", "n": 2, "fine": "x"},
    ]
    resource = {"service.name": "of jane@example.org", "process.command_line": "serve --token k1-secret-key"}
    status = {"code": 2, "message": LEAK}
    return spans_batch(*records, resource=resource, name="GET /of/jane@example.org", status=status)


def test_no_secret_is_left_anywhere_in_spans_events_links_and_resources() -> None:
    batch = leaking_spans()
    assert leaked(batch) == SECRETS
    made = REDACTION.process(batch)
    assert leaked(made) == []
    first, second, third = attributes_of(made.tables["spans"])
    assert first["note"] == CLEAN
    assert first["of [redacted:email]"] == 1
    assert first["notes"] == ["ok", CLEAN]
    assert first["url.full"] == "https://u:[redacted:password]@h/p?api_key=[redacted:secret]&v=1"
    assert (second["n"], second["fine"]) == (CLEAN, ["[redacted:email]"])
    assert third == {"note": "fine", "n": 2, "fine": "x"}
    assert made.tables["spans"].column("service_name").to_pylist() == ["of [redacted:email]"] * 3
    assert made.tables["spans"].column("status_message").to_pylist() == [CLEAN] * 3


def test_no_secret_is_left_anywhere_in_log_records() -> None:
    body = {"who": "jane@example.org", "password": "hunter22", "n": 7}
    batch = logs_batch(LEAK, body, [LEAK], b"jane@example.org", 7, "fine", attributes=[LEAKING_ATTRIBUTES] * 6)
    made = REDACTION.process(batch)
    assert leaked(made) == []
    assert made.tables["logs"].column("body").to_pylist()[:3] == [
        CLEAN,
        '{"who":"[redacted:email]","password":"[redacted:secret]","n":7}',
        f'["{CLEAN}"]',
    ]
    assert made.tables["logs"].column("body").to_pylist()[4:] == ["7", "fine"]
    assert made.tables["logs"].column("body_type").equals(batch.tables["logs"].column("body_type"))


def test_no_secret_is_left_anywhere_in_metrics_and_exemplars() -> None:
    made = REDACTION.process(metrics_batch(("logins of jane@example.org", 1, LEAKING_ATTRIBUTES)))
    assert leaked(made) == []
    assert attributes_of(made.tables["exemplars"], "point_attributes") == attributes_of(made.tables["metrics"])


def test_a_clean_batch_is_the_same_object() -> None:
    record: dict[str, Any] = {
        "a": "x",
        "list": ["x", 1],
        "raw": b"x",
        "events": [("e", {"n": 1})],
        "links": [{"k": "v"}],
    }
    for batch in (spans_batch(record, {"a": 5}), logs_batch("x", {"k": 1}, 7), metrics_batch(("m", 1, {"k": "v"}))):
        assert REDACTION.process(batch) is batch
        assert REDACTION.process(REDACTION.process(leaking_spans())) is not batch


def test_redacting_twice_changes_nothing_more() -> None:
    once = REDACTION.process(leaking_spans())
    assert REDACTION.process(once) is once


def test_a_map_with_a_key_twice_hides_nothing() -> None:
    rows = logs_batch({"k": "v"}).tables["logs"]
    body = pa.array(['{"who":"jane@example.org","who":"x","password":"hunter22","password":"k1-secret-key"}'])
    rows = rows.set_column(rows.schema.get_field_index("body"), "body", body)
    made = REDACTION.process(Batch(logs_batch("x").signal, {"logs": rows}))
    assert leaked(made) == []
    assert made.tables["logs"].column("body").to_pylist()[0].count('"who"') == 2


def test_rules_of_ones_own() -> None:
    own = RedactionProcessor(keys=["Patient.ID"], patterns={"mrn": "MRN-[0-9]{6}"})
    (found,) = attributes_of(own.process(spans_batch({"patient.id": 7, "t": "MRN-123456"})).tables["spans"])
    assert found == {"patient.id": "[redacted:secret]", "t": "[redacted:mrn]"}


def test_hashes_keep_equal_values_equal_and_depend_on_the_key() -> None:
    batch = spans_batch({"to": "a@b.io", "token": "t"}, {"to": "a@b.io", "token": "t"}, {"to": "c@b.io", "token": "u"})
    one, two, three = attributes_of(RedactionProcessor("hash", hash_key="k").process(batch).tables["spans"])
    assert one == two
    assert one["to"] != three["to"]
    assert one["token"] != three["token"]
    (other, *_) = attributes_of(RedactionProcessor("hash", hash_key="l").process(batch).tables["spans"])
    assert other["to"] != one["to"]


def test_drop_takes_attributes_and_texts_away() -> None:
    made = RedactionProcessor("drop").process(spans_batch({"token": "x", "to": "mail a@b.io now"}, {"token": 5}))
    assert attributes_of(made.tables["spans"]) == [{"to": "mail  now"}, {}]


def test_long_texts_are_kept_whole() -> None:
    text = "x" * 100_000 + " a@b.io"
    (found,) = attributes_of(REDACTION.process(spans_batch({"t": text})).tables["spans"])
    assert found["t"] == "x" * 100_000 + " [redacted:email]"


KEYS = st.sampled_from(["note", "password", "user.token", "n", "to a@b.io"])
TEXTS = st.sampled_from(["fine", LEAK, "a@b.io", "?sig=abc", "x=y", "Cookie: a=b", "--token x", '{"secret": "a"}', ""])
VALUES = st.recursive(
    st.one_of(TEXTS, st.integers(0, 3), st.booleans(), TEXTS.map(str.encode)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=5,
)


@given(st.lists(st.dictionaries(KEYS, VALUES), min_size=1, max_size=5))
def test_attributes_become_what_the_sdk_would_have_made_of_them(records: list[dict[str, Any]]) -> None:
    redactor = Redactor()
    expected = [dict(redactor.attributes(record)) for record in records]
    assert attributes_of(REDACTION.process(spans_batch(*records)).tables["spans"]) == expected


CONFIGURATION = """\
receivers: {otlp: }
processors:
  redaction: {PLACE}
exporters: {store: }
service: {pipelines: {traces: {receivers: [otlp], processors: [redaction], exporters: [store]}}}
"""


@pytest.mark.parametrize(
    ("configured", "message"),
    [
        ("action: remove", "file.yaml:3: unknown value 'remove'"),
        ("action: hash", "file.yaml:3: 'action: hash' and 'hash_key' belong together"),
        ("hash_key: k", "file.yaml:3: 'action: hash' and 'hash_key' belong together"),
        ("patterns: {mrn: '['}", "file.yaml:3: the pattern 'mrn' cannot be read"),
        ("patterns: {mrn: '(?=x)'}", "file.yaml:3: the pattern 'mrn' cannot be read"),
    ],
)
def test_rules_that_cannot_work_are_refused(configured: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)) as refused:
        build(load(CONFIGURATION.replace("PLACE", configured), "file.yaml", KINDS, {}))
    assert "\n" not in str(refused.value)


def test_the_hash_key_is_not_shown() -> None:
    assert "sesame" not in repr(RedactionProcessor("hash", hash_key="sesame"))
