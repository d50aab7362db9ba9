"""Calls that a request made again and again: many of one kind, failed ones made again, time-outs."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

from infersight_analysis.breakdown import operation_of
from infersight_analysis.findings import RepeatedCalls
from infersight_analysis.investigation.baseline import Baseline
from infersight_analysis.investigation.pieces import OPERATION_QUERY
from infersight_analysis.reading import OPERATION
from infersight_analysis.trace import Node

RESENT: Final = "http.request.resend_count"
_TIME_OUT: Final = re.compile(r"time.?d?.?out|deadline", re.IGNORECASE)
_TEMPLATES: Final = ("db.query.text", "db.statement", "db.query.summary", "url.template", "http.route")


def repeated_calls(request: Node, baseline: Baseline) -> list[RepeatedCalls]:
    """Calls of one kind from one place: where there are several, or one that failed; the longest first."""
    groups: defaultdict[tuple[int, str | None, str, str], list[Node]] = defaultdict(list)
    for node in request.below():
        if node.parent is not None and node is not request and _is_call(node):
            template = next((str(value) for key in _TEMPLATES if (value := node.span.attributes.get(key))), "")
            groups[id(node.parent), node.span.service, node.span.name, template].append(node)
    found = [_repeated(calls, request, baseline) for calls in groups.values() if len(calls) > 1 or _failed(calls)]
    return sorted(found, key=lambda calls: (-calls.duration_ns, calls.name))


def _repeated(calls: Sequence[Node], request: Node, baseline: Baseline) -> RepeatedCalls:
    calls = sorted(calls, key=lambda node: node.start_ns)
    first = calls[0]
    operation = operation_of(first, request)
    counts = [other.calls.get(operation, 0) for other in baseline.anatomies]
    failed = _failed(calls)
    errors = [_error(node) for node in failed]
    parent = first.parent or request
    return RepeatedCalls(
        name=first.span.name,
        service=first.span.service,
        parent_span_id=parent.span.span_id,
        count=len(calls),
        baseline_count=float(median(counts)) if baseline.is_enough else None,
        duration_ns=sum(node.duration_ns for node in calls),
        failed=len(failed),
        timed_out=sum(_TIME_OUT.search(error) is not None for error in errors),
        retried_ns=_retried_ns(calls, failed),
        error=next((error for error in errors if error), None),
    )


def _retried_ns(calls: Sequence[Node], failed: Sequence[Node]) -> int:
    """From the first attempt to the start of the last; failed calls beside each other are no retries."""
    resent = [node for node in calls if isinstance(node.span.attributes.get(RESENT), int)]
    again = [node for node in calls if failed and node.start_ns >= failed[0].end_ns] or resent
    first = failed[0] if failed else calls[0]
    return max(0, again[-1].start_ns - first.start_ns) if again else 0


def _is_call(node: Node) -> bool:
    return node.span.kind in ("CLIENT", "PRODUCER") or node.span.attributes.get(OPERATION) == OPERATION_QUERY


def _failed(calls: Iterable[Node]) -> list[Node]:
    return [node for node in calls if node.span.status == "ERROR" or "error.type" in node.span.attributes]


def _error(node: Node) -> str:
    return str(node.span.attributes.get("error.type") or node.span.attributes.get("exception.type") or "")
