"""`infersight collector status`: asks a running collector twice, and shows its state and its rates."""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from infersight_collector.config.values import Endpoint
from infersight_collector.errors import CollectorError

WINDOW_S: Final = 1.0
"""Time between the two looks that rates are taken from, in seconds."""

_TIMEOUT_S: Final = 5.0

_RATES: Final = {"accepted_records": "records", "accepted_requests": "requests", "accepted_bytes": "bytes"}

State = dict[str, Any]
"""What a collector tells, see `status.report`."""


class NoAnswer(CollectorError):  # noqa: N818 - it reads as what it is
    """No collector tells its state at this endpoint."""


def observe(endpoint: Endpoint) -> State:
    """The state of the collector at a health endpoint, with `rates`: each total's growth a second, by signal.

    Raises:
        NoAnswer: there is none.
    """
    before = _ask(endpoint)
    began = time.monotonic()
    time.sleep(WINDOW_S)
    state = _ask(endpoint)
    window_s = time.monotonic() - began

    def growth(signal: str, total: str) -> float:
        grown: int = state["signals"][signal][total] - before["signals"][signal][total]
        return max(0, grown) / window_s

    state["rates"] = {
        "window_s": window_s,
        "cpu": max(0.0, (state["process"]["cpu_s"] - before["process"]["cpu_s"]) / window_s),
        **{signal: {name: growth(signal, total) for total, name in _RATES.items()} for signal in state["signals"]},
    }
    return state


def table(state: State) -> str:
    """The state for a person at a terminal."""
    return "\n".join(line.rstrip() for line in (*_summary(state), "", *_signals(state), "", *_pipelines(state)))


def _ask(endpoint: Endpoint) -> State:
    url = f"http://{endpoint}/status"
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as response:
            state: State = json.loads(response.read())
    except (urllib.error.HTTPError, http.client.HTTPException, ValueError) as error:
        raise NoAnswer(f"what answers at {url} is no health endpoint ({error}): name it by --health-endpoint") from None
    except OSError as error:
        reason = getattr(error, "reason", error)
        why = getattr(reason, "strerror", None) or reason
        raise NoAnswer(f"no collector answers at {url} ({why}): start one, or name its --health-endpoint") from None
    return state


def _summary(state: State) -> Iterator[str]:
    word = "ready" if state["ready"] else f"not ready: {state['reason']}"
    yield f"infersight collector {state['version']}, pid {state['pid']}, up {_time(state['uptime_s'])}: {word}"
    log = state["log"]
    if "bytes" not in log:
        return
    waiting = f"{_size(log['bytes'])} of {_size(log['max_bytes'])}"
    if log["bytes"]:
        waiting += f", the oldest record waits {_time(log['oldest_s'])}"
    yield f"log         {waiting}, in {log['path']}"
    if flush := state["last_flush"]:
        yield f"last flush  {_time(flush['ago_s'])} ago, took {_time(flush['duration_s'])}"
    if log["quarantined_segments"]:
        yield f"quarantine  {log['quarantined_segments']} segments set aside since the start, see its log"
    yield f"process     {_size(state['process']['memory_bytes'])} of memory, {state['rates']['cpu']:.0%} of a CPU"


def _signals(state: State) -> Iterator[str]:
    rows = [["", "records/s", "requests/s", "bytes/s", "records", "refused requests", "dropped records"]]
    for signal, totals in state["signals"].items():
        rates = state["rates"][signal]
        rows.append(
            [
                signal,
                f"{rates['records']:,.0f}",
                f"{rates['requests']:,.0f}",
                _size(rates["bytes"]),
                f"{totals['accepted_records']:,}",
                _by_reason(totals["refused_requests"]),
                _by_reason(totals["dropped_records"]),
            ]
        )
    return _aligned(rows, left=(0, 5, 6))


def _pipelines(state: State) -> Iterator[str]:
    for name, parts in state["pipelines"].items():
        steps = [", ".join(parts["receivers"]), *parts["processors"], ", ".join(parts["exporters"])]
        yield f"{name:11} {' -> '.join(steps)}"
    for name, exporter in state["exporters"].items():
        if exporter.get("store_bytes"):
            yield (
                f"exporter {name}: {_size(exporter['store_bytes'])} of {_size(exporter['store_max_bytes'])}, "
                f"the oldest hour began {_time(exporter['store_oldest_s'])} ago"
            )
        if exporter.get("queue_bytes"):
            yield f"exporter {name}: {_size(exporter['queue_bytes'])} wait in its queue"
        if exporter["failing"]:
            yield (
                f"exporter {name}: nothing delivered for {_time(exporter['failing_s'])}, "
                f"next attempt in {_time(exporter['retry_s'])}: {exporter['reason']}"
            )


def _by_reason(counts: Mapping[str, int]) -> str:
    total = f"{sum(counts.values()):,}"
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in sorted(counts.items()))
    return f"{total} ({reasons})" if counts else total


def _aligned(rows: Sequence[Sequence[str]], left: Sequence[int]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        yield "  ".join(
            cell.ljust(width) if index in left else cell.rjust(width) for index, (cell, width) in enumerate(cells)
        )


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def _time(seconds: float) -> str:
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
