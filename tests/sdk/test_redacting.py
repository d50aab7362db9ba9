"""Nothing that is a secret leaves the process: every signal, every place, as bytes on the wire."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status, StatusCode
from tests.support.leaking import LEAKING, SECRETS

from infersight._config import Options
from infersight._redact import Redactor
from infersight.export.redacting import RedactingSpanExporter, TelemetryRedactor, redactor_of

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Script


@pytest.mark.parametrize("action", ["mask", "hash", "drop"])
def test_no_secret_is_in_any_byte_that_arrives_nor_on_the_console(
    receiver: "Receiver", script: "Script", action: str
) -> None:
    resource = f"deploy.password={SECRETS['password']},process.command_line=serve --token {SECRETS['bearer']}"
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint, "OTEL_RESOURCE_ATTRIBUTES": resource}
    result = script(LEAKING.format(secrets=SECRETS), **environment, INFERSIGHT_REDACT=action)
    assert result.returncode == 0, result.stderr
    assert sorted(row.name[:5] for row in receiver.spans) == ["GET /", "admit", "detai"]
    assert len(receiver.logs) >= 10
    assert "logins" in receiver.metric_names
    received = b"".join(receiver.requests)
    for place, found in (("received", received), ("console", result.stderr.encode())):
        leaked = [name for name, secret in SECRETS.items() if secret.encode() in found]
        assert leaked == [], place
        assert SECRETS["email"].replace("@", "%40").encode() not in found
    assert b"horse" not in received


def test_switched_off_it_sends_everything_as_it_is(receiver: "Receiver", script: "Script") -> None:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint, "INFERSIGHT_REDACT": "off"}
    assert script(LEAKING.format(secrets=SECRETS), **environment).returncode == 0
    received = b"".join(receiver.requests)
    assert [name for name, secret in SECRETS.items() if secret.encode() not in received] == []


class Keeping(SpanExporter):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans += spans
        return SpanExportResult.SUCCESS


def exported(attributes: Mapping[str, Any], status: Status | None = None) -> tuple[ReadableSpan, ReadableSpan]:
    """A span as the application made it, and as it is exported."""
    keeping, original = Keeping(), Keeping()
    provider = TracerProvider(resource=Resource({"service.name": "s"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(original))
    provider.add_span_processor(SimpleSpanProcessor(RedactingSpanExporter(keeping, TelemetryRedactor(Redactor()))))
    with provider.get_tracer("t").start_as_current_span("work", attributes=attributes) as span:
        span.add_event("told", {"to": "a@b.io"})
        span.add_link(span.get_span_context(), {"to": "a@b.io"})
        if status is not None:
            span.set_status(status)
    return original.spans[0], keeping.spans[0]


def test_the_applications_own_span_stays_as_it_is_and_a_copy_has_all_the_rest() -> None:
    original, copy = exported({"to": "a@b.io", "n": 1}, Status(StatusCode.ERROR, "to a@b.io"))
    assert (original.attributes, original.status.description) == ({"to": "a@b.io", "n": 1}, "to a@b.io")
    assert (copy.attributes, copy.status.description) == ({"to": "[redacted:email]", "n": 1}, "to [redacted:email]")
    assert [dict(event.attributes or {}) for event in copy.events] == [{"to": "[redacted:email]"}]
    assert [dict(link.attributes or {}) for link in copy.links] == [{"to": "[redacted:email]"}]
    same = ("name", "context", "parent", "kind", "start_time", "end_time", "resource", "instrumentation_scope")
    for field in same:
        assert getattr(copy, field) == getattr(original, field)
    assert copy.events[0].timestamp == original.events[0].timestamp


def test_what_no_rule_touches_is_not_copied() -> None:
    span = ReadableSpan("work", attributes={"n": 1, "tags": ("a", "b")}, resource=Resource({"service.name": "s"}))
    (kept,) = TelemetryRedactor(Redactor()).spans([span])
    assert kept is span


def test_a_copy_counts_what_the_original_dropped() -> None:
    provider = TracerProvider(span_limits=SpanLimits(max_span_attributes=1, max_events=1), shutdown_on_exit=False)
    span = provider.get_tracer("t").start_span("work", attributes={"n": 1, "to": "a@b.io"})
    span.add_event("one")
    span.add_event("two")
    span.end()
    assert isinstance(span, ReadableSpan)
    (kept,) = TelemetryRedactor(Redactor()).spans([span])
    assert (kept.attributes, kept.dropped_attributes, kept.dropped_events) == ({"to": "[redacted:email]"}, 1, 1)


def test_what_cannot_be_redacted_is_not_sent_and_costs_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(ReadableSpan):
        @property
        def name(self) -> str:
            raise RuntimeError

    good = ReadableSpan("good")
    assert TelemetryRedactor(Redactor()).spans([Broken("bad"), good]) == [good]
    assert "could not redact a record" in caplog.text


def test_options_become_rules() -> None:
    assert redactor_of(Options(redact="off")) is None
    patterns = (("mrn", "MRN-[0-9]+"),)
    redactor = redactor_of(Options(redact_keys=("Patient.Id",), redact_patterns=patterns, max_text=20))
    assert redactor is not None
    assert redactor.attributes({"patient.id": 7}) == {"patient.id": "[redacted:secret]"}
    assert redactor.text("MRN-12") == "[redacted:mrn]"
    assert redactor.text("x" * 30) == "x" * 20 + "\u2026 [10 more characters]"


def test_hashes_are_of_the_given_key_or_of_one_nobody_knows() -> None:
    def hashed(key: str) -> str:
        redactor = redactor_of(Options(redact="hash", redact_hash_key=key))
        assert redactor is not None
        return redactor.text("a@b.io")

    assert hashed("k") == hashed("k") != hashed("other")
    assert hashed("") != hashed("")
