"""The file in which a process that ends leaves its last requests: OTLP, for `infersight import`.

Each request is whole in it: its spans, its log records, and the detail that was kept back. What was sent before is in
it as well, so the file is complete by itself; the resource attribute `infersight.recorder.dump` tells the two apart.
Each OTLP message follows its length in four bytes, big-endian.
"""

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from infersight import _attributes as names
from infersight._configure import state
from infersight._faults import report
from infersight._recording import Recording, Replay
from infersight._redact import Redactor
from infersight._request import current_request
from infersight._version import __version__
from infersight.export.redacting import TelemetryRedactor

if TYPE_CHECKING:
    from infersight._providers import Providers

_FILES: Final = 32
"""Files of this kind that are left in the folder, the newest."""

_AGAIN_SECONDS: Final = 60.0
"""A process that runs out of memory does so many times: one file a minute tells enough."""


class SentSpans(SpanProcessor):
    """Shows each ended span to the recording of its request."""

    def on_end(self, span: ReadableSpan) -> None:
        """Remember the span: of this task's request, or of one in its trace where a batcher or a device ended it."""
        running, context = state.running, span.context
        if running is None or running.recorder is None or context is None:
            return
        if (span.attributes or {}).get(names.OPERATION) == names.OPERATION_DETAIL:
            return  # is kept already, in the recording that it was sent from
        request = current_request.get()
        recording = None if request is None else request.recording
        if recording is None or recording.trace_id != context.trace_id:
            recording = running.recorder.recording_of(context.trace_id)
        if recording is not None:
            recording.sent_spans.append(span)


class BlackBox:
    """Writes recordings to files of a folder.

    Args:
        folder: made when the first file is written.
        providers: whose resource sent the requests.
        redactor: what is written is redacted with; None where it is not.
    """

    def __init__(self, folder: str, providers: "Providers", redactor: Redactor | None) -> None:
        self._folder = Path(folder)
        self._providers = providers
        self._redactor = None if redactor is None else TelemetryRedactor(redactor)
        self._lock = threading.Lock()
        self._written: dict[str, float] = {}

    def write(self, recordings: Sequence[Recording], reason: str) -> None:
        """Write one file; nothing when there are no requests, or one was written for this reason a moment ago."""
        try:
            if recordings and self._is_due(reason):
                self._write(recordings, reason)
        except Exception:  # noqa: BLE001 - a process that ends has other troubles
            report("write the last requests")

    def _is_due(self, reason: str) -> bool:
        now = time.monotonic()
        with self._lock:
            last = self._written.get(reason)
            if last is not None and now - last < _AGAIN_SECONDS:
                return False
            self._written[reason] = now
            return True

    def _collected(self, recordings: Sequence[Recording]) -> tuple[list[ReadableSpan], list[ReadableLogRecord]]:
        """All spans and log records of the requests; those that were kept back are made here."""
        spans: dict[int, ReadableSpan] = {}
        logs: list[ReadableLogRecord] = []
        made_spans, made_logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
        resource = getattr(self._providers.tracer, "resource", None) or Resource.get_empty()
        tracers = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False)
        tracers.add_span_processor(SimpleSpanProcessor(made_spans))
        loggers = LoggerProvider(resource, shutdown_on_exit=False)
        loggers.add_log_record_processor(SimpleLogRecordProcessor(made_logs))
        tracer = tracers.get_tracer(names.SCOPE, __version__, names.SCHEMA_URL)
        for recording in recordings:
            for span in (recording.span, *recording.sent_spans):
                if isinstance(span, ReadableSpan) and span.context is not None:
                    spans[span.context.span_id] = span  # one that is open has no end time
            logs += [_readable(record) for record in recording.sent_logs]
            Replay(recording, tracer, loggers, None).run()
        return [*spans.values(), *made_spans.get_finished_spans()], [*logs, *made_logs.get_finished_logs()]

    def _write(self, recordings: Sequence[Recording], reason: str) -> None:
        spans, logs = self._collected(recordings)
        if self._redactor is not None:
            spans, logs = self._redactor.spans(spans), self._redactor.logs(logs)
        mark = KeyValue(key=names.RECORDER_DUMP, value=AnyValue(string_value=reason))
        of_spans, of_logs = encode_spans(spans), encode_logs(logs)
        for of_resource in (*of_spans.resource_spans, *of_logs.resource_logs):
            of_resource.resource.attributes.append(mark)
        messages = [message.SerializeToString() for message in (of_spans, of_logs)]
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"recorder-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{reason}-{os.getpid()}.pb"
        unfinished = path.with_suffix(".part")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for message in messages:
                if message:
                    file.write(len(message).to_bytes(4, "big") + message)
        unfinished.replace(path)
        for old in sorted(self._folder.glob("recorder-*.pb"))[:-_FILES]:
            old.unlink(missing_ok=True)


def _readable(record: ReadWriteLogRecord) -> ReadableLogRecord:
    return ReadableLogRecord(
        record.log_record, record.resource or Resource.get_empty(), record.instrumentation_scope, record.limits
    )
