"""What a forked child must not inherit: counts that its parent will report, and locks that a lost thread holds.

OpenTelemetry's SDK gives the child its own exporting threads, queues and `service.instance.id`; exporters build their
connections anew (`export/otlp.py`). Metrics it leaves as they were: the child would report its parent's counts as its
own, and hang where a thread of the parent was recording or collecting at that moment.
"""

import os
from functools import cache
from threading import Lock
from typing import Any

from infersight._configure import state
from infersight._faults import report


@cache
def follow_forks() -> None:
    """Let the children that this process forks from now on begin anew; a second call does nothing."""
    os.register_at_fork(after_in_child=_in_child)


def _in_child() -> None:
    running = state.running
    if running is None:
        return
    try:
        running.telemetry.forget()
        running.providers.helpers.begin_anew()
        if running.recorder is not None:
            running.recorder.forget()
        for provider in running.providers.owned:
            if hasattr(provider, "_measurement_consumer"):
                begin_metrics_anew(provider)
    except Exception:  # noqa: BLE001 - the child goes on in any case
        report("begin anew after a fork")


def begin_metrics_anew(provider: Any) -> None:
    """Empty storage and free locks for each reader; no public way changes them without asking those locks."""
    consumer = provider._measurement_consumer  # noqa: SLF001 - see above
    consumer._lock = Lock()  # noqa: SLF001 - see above
    storages = consumer._reader_storages  # noqa: SLF001 - see above
    for reader in storages:
        if hasattr(reader, "_export_lock"):
            reader._export_lock = Lock()  # noqa: SLF001 - see above
    consumer._reader_storages = {  # noqa: SLF001 - see above
        reader: type(storage)(
            consumer._sdk_config,  # noqa: SLF001 - see above
            reader._instrument_class_temporality,  # noqa: SLF001 - see above
            reader._instrument_class_aggregation,  # noqa: SLF001 - see above
        )
        for reader, storage in storages.items()
    }
