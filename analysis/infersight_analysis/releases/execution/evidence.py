"""What is kept before anything is changed: a sealed copy of the telemetry, the verdict, and a pin."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import PreservedEvidence, ReleaseCheck
from infersight_analysis.incidents.evidence import of_file, of_finding
from infersight_analysis.incidents.incident import Incident
from infersight_analysis.inventory import take
from infersight_analysis.options import Window
from infersight_analysis.preservation import preserve
from infersight_analysis.times import SECOND_NS, parse_time
from infersight_collector.store.duplicate import CHECKSUMS, COPIES, check_digests
from infersight_collector.store.pins import pin

_HOUR_NS: Final = 3_600 * SECOND_NS


def evidence_window(check: ReleaseCheck | None, window: Window) -> Window:
    """What is kept: what was looked at, until now where that has no end.

    Without a start it begins with the first request that was compared; without that, an hour ago.
    """
    now_ns = time.time_ns()
    sides = () if check is None else (check.baseline, check.candidate)
    compared = min((parse_time(side.start) for side in sides if side.start is not None), default=now_ns - _HOUR_NS)
    return Window(compared if window.start_ns is None else window.start_ns, window.end_ns or now_ns)


def preserved(
    incident: Incident, check: ReleaseCheck | None, window: Window, told: Callable[[str], None]
) -> PreservedEvidence:
    """Copy the telemetry of a window into an incident, with the verdict; pin the same rows in the store.

    Args:
        incident: the incident.
        check: the verdict, where there is one.
        window: what to keep, see `evidence_window`.
        told: hears how far it is.

    Raises:
        AnalysisError: it cannot be kept.
        StoreError: the same.
    """
    store, folder = incident.log.store, incident.log.path(incident.id)
    name = f"{incident.id}-rollback-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"  # two may be tried within a second
    reason = "before a rollback" if check is None else _reason(check)
    waiting = take(store).waiting.segments
    path = folder / COPIES / name
    copy = preserve(store, path, window, told)
    if changed := check_digests(path):
        raise AnalysisError(f"the copy in {path} is not what was written: {changed[0]}")
    if check is not None and not copy.rows["spans"]:
        raise AnalysisError(f"the copy in {path} has no requests, but the check had")
    pin(store, name, reason=reason, start_ns=window.start_ns, end_ns=window.end_ns)
    if check is not None:
        incident.add_evidence(of_finding(json.dumps(asdict(check), ensure_ascii=False), reason))
    sums = path / CHECKSUMS
    incident.add_evidence(of_file(sums, about=f"digests of the files of {COPIES}/{name}"))
    return PreservedEvidence(
        path=str(path.resolve()),
        sha256=hashlib.sha256(sums.read_bytes()).hexdigest(),
        rows=copy.rows,
        pin=name,
        problems=copy.problems,
        waiting=waiting,
    )


def _reason(check: ReleaseCheck) -> str:
    return f"rollback check of {check.service} {check.candidate.version}: {check.verdict}"
