"""The names of the collector's own metrics: the only place that has them.

Names, units (UCUM) and kinds are those of the OTLP form. On the page for Prometheus a name is translated by
OpenTelemetry's rules: dots become underscores, the unit is written out, a counter ends in `_total`.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

_UNITS: Final = {"s": "seconds", "By": "bytes"}

DURATION_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the buckets of durations, in seconds."""


Kind: TypeAlias = Literal["counter", "updowncounter", "gauge", "histogram"]
"""A sum that only grows, a sum that also shrinks, a value of the moment, or a distribution of durations."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """What is counted or measured.

    Attributes:
        name: in the OTLP form, dots between namespaces.
        kind: see `Kind`.
        unit: in UCUM: `s`, `By`, or what is counted, as `{request}`.
        about: one line for people.
        attributes: the keys that tell its series apart.
    """

    name: str
    kind: Kind
    unit: str
    about: str
    attributes: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """Its name on the page for Prometheus, for a counter without `_total`."""
        name = self.name.replace(".", "_")
        unit = _UNITS.get(self.unit)
        return name if unit is None or name.endswith(unit) else f"{name}_{unit}"


def _own(name: str, kind: Kind, unit: str, about: str, *attributes: str) -> Instrument:
    return Instrument(f"infersight.collector.{name}", kind, unit, about, attributes)


ACCEPTED_REQUESTS: Final = _own("accepted_requests", "counter", "{request}", "Requests acknowledged", "signal")
ACCEPTED_RECORDS: Final = _own(
    "accepted_records", "counter", "{record}", "Spans, log records and data points acknowledged", "signal"
)
ACCEPTED_BYTES: Final = _own("accepted_bytes", "counter", "By", "Size of the acknowledged requests", "signal")
REFUSED_REQUESTS: Final = _own(
    "refused_requests", "counter", "{request}", "Requests not acknowledged", "signal", "reason"
)
DROPPED_RECORDS: Final = _own(
    "dropped_records", "counter", "{record}", "Records left out after they were acknowledged", "signal", "reason"
)

RECEIVER_FILES: Final = _own("receiver.files", "gauge", "{file}", "Files that a receiver follows", "receiver")
RECEIVER_UNREAD: Final = _own(
    "receiver.unread", "gauge", "By", "What is in followed files and was not taken over yet", "receiver"
)

LOG_SIZE: Final = _own("log.size", "gauge", "By", "Size of the write-ahead log")
LOG_LIMIT: Final = _own("log.limit", "gauge", "By", "Size of the write-ahead log at which senders are refused")
LOG_SEGMENTS: Final = _own("log.segments", "gauge", "{segment}", "Finished log segments that wait for an exporter")
LOG_OLDEST_AGE: Final = _own("log.oldest_age", "gauge", "s", "How long the oldest record has waited in the log")

FLUSH_DURATION: Final = _own("flush.duration", "histogram", "s", "Time of a flush, from the log to the exporters")
FLUSH_FAILURES: Final = _own("flush.failures", "counter", "{flush}", "Flushes in which an exporter could not deliver")
STORED_SEGMENTS: Final = _own("stored_segments", "counter", "{segment}", "Log segments that every exporter delivered")
QUARANTINED_SEGMENTS: Final = _own(
    "quarantined_segments", "counter", "{segment}", "Log segments set aside because something in them failed"
)

EXPORTER_FAILURES: Final = _own(
    "exporter.failures", "counter", "{attempt}", "Segments that an exporter could not deliver at once", "exporter"
)
EXPORTER_RETRY_DELAY: Final = _own(
    "exporter.retry_delay", "gauge", "s", "Time between the attempts of an exporter that fails, else 0", "exporter"
)

EXPORTER_QUEUE_SIZE: Final = _own(
    "exporter.queue.size", "gauge", "By", "What waits in the sending queue of an exporter", "exporter"
)
EXPORTER_SENT_REQUESTS: Final = _own(
    "exporter.sent_requests", "counter", "{request}", "Requests that a receiver has taken from an exporter", "exporter"
)
EXPORTER_SENT_BYTES: Final = _own("exporter.sent", "counter", "By", "Size of these requests, unpacked", "exporter")
EXPORTER_FAILED_SENDS: Final = _own(
    "exporter.failed_sends", "counter", "{attempt}", "Attempts to send a request that failed", "exporter"
)
EXPORTER_SET_ASIDE_REQUESTS: Final = _own(
    "exporter.set_aside_requests", "counter", "{request}", "Requests that a receiver has refused for good", "exporter"
)
EXPORTER_REJECTED_RECORDS: Final = _own(
    "exporter.rejected_records", "counter", "{record}", "Records that a receiver left out of what it took", "exporter"
)

PROCESSOR_DURATION: Final = _own(
    "processor.duration", "histogram", "s", "Time that a processor took for a batch", "processor", "pipeline"
)
PROCESSOR_ROWS_IN: Final = _own(
    "processor.rows_in", "counter", "{row}", "Rows that came to a processor", "processor", "pipeline"
)
PROCESSOR_ROWS_OUT: Final = _own(
    "processor.rows_out", "counter", "{row}", "Rows that left a processor", "processor", "pipeline"
)

PROCESSOR_FAILURES: Final = _own(
    "processor.failures", "counter", "{batch}", "Batches for rows of which an expression failed", "processor"
)

SAMPLING_WAITING_TRACES: Final = _own(
    "tail_sampling.waiting_traces", "gauge", "{trace}", "Traces that wait for their decision", "processor"
)
SAMPLING_DECIDED_TRACES: Final = _own(
    "tail_sampling.decided_traces",
    "counter",
    "{trace}",
    "Traces `kept` or `dropped`, by the policy that decided; `none` where no policy would keep them",
    "processor",
    "policy",
    "decision",
)
SAMPLING_EARLY_TRACES: Final = _own(
    "tail_sampling.early_traces", "counter", "{trace}", "Traces decided early because too many waited", "processor"
)
SAMPLING_LATE_SPANS: Final = _own(
    "tail_sampling.late_spans", "counter", "{span}", "Spans that came after the decision about their trace", "processor"
)
SAMPLING_DURATION: Final = _own(
    "tail_sampling.decision_duration", "histogram", "s", "Time to decide about traces that came together", "processor"
)

STORE_COMMITS: Final = _own("store.commits", "counter", "{commit}", "Writes to a table of the store", "table")
STORE_ROWS: Final = _own("store.rows", "counter", "{row}", "Rows written to a table of the store", "table")
STORE_BYTES: Final = _own("store.written", "counter", "By", "Size of the files written for new rows", "table")
STORE_SIZE: Final = _own(
    "store.size", "gauge", "By", "Size of the live files of a table, looked at each minute", "exporter", "table"
)
STORE_FILES: Final = _own("store.files", "gauge", "{file}", "Live files of a table", "exporter", "table")
STORE_LIMIT: Final = _own(
    "store.limit", "gauge", "By", "Size of all tables together at which the oldest hours are dropped", "exporter"
)
STORE_OLDEST_AGE: Final = _own(
    "store.oldest_age", "gauge", "s", "Time since the oldest hour of the store began, 0 while it is empty", "exporter"
)
STORE_DROPPED_ROWS: Final = _own("store.dropped_rows", "counter", "{row}", "Rows dropped by the retention", "table")
STORE_DROPPED_BYTES: Final = _own("store.dropped", "counter", "By", "Size of the files of these rows", "table")
STORE_DELETED_FILES: Final = _own("store.deleted_files", "counter", "{file}", "Files deleted that no table has")
COMPACTION_DURATION: Final = _own(
    "compaction.duration", "histogram", "s", "Time of a round of maintenance that merged files"
)
COMPACTION_FILES: Final = _own("compaction.merged_files", "counter", "{file}", "Files merged into larger ones")
COMPACTION_FAILURES: Final = _own("compaction.failures", "counter", "{failure}", "Things that maintenance could not do")

UPTIME: Final = _own("uptime", "gauge", "s", "Time since the collector started")

# Semantic conventions.
CPU_TIME: Final = Instrument("process.cpu.time", "counter", "s", "CPU time of the process", ("cpu.mode",))
MEMORY_USAGE: Final = Instrument("process.memory.usage", "updowncounter", "By", "Resident memory of the process")
THREAD_COUNT: Final = Instrument("process.thread.count", "updowncounter", "{thread}", "Threads of the process")
FILE_DESCRIPTORS: Final = Instrument(
    "process.unix.file_descriptor.count", "updowncounter", "{file_descriptor}", "Open files of the process"
)
