"""Every verb of the analysis over one store, whoever recorded what is in it."""

import io
import json
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Final

from infersight_analysis.cli import run
from infersight_analysis.macros import MACROS

_EXAMPLE_TRACE: Final = "0af7651916cd43dd8448eb211c80319c"
_NEEDS_MORE_DATA: Final = 3


def ask(store: Path, *arguments: str) -> Any:
    """What a verb answers in JSON; a table of the same must not fail either. Exit code 3 is an answer, 2 is not."""
    answer = ""
    for form in ("table", "json"):
        output, complaints = io.StringIO(), io.StringIO()
        with redirect_stdout(output), redirect_stderr(complaints):
            code = run([*arguments, "--store", str(store), "--format", form])
        assert code in (0, 1, _NEEDS_MORE_DATA), (arguments, form, code, complaints.getvalue())
        answer = output.getvalue()
        assert answer or code == _NEEDS_MORE_DATA, (arguments, form)
    return json.loads(answer) if answer else None


def _ask_around(store: Path) -> list[Any]:
    """`anomaly`, about the slowest request; of a store without series there is nothing to ask."""
    slowest = ask(store, "slow", "--limit", "1")["requests"]
    return [ask(store, "anomaly", "requests", "--at", each["start_time"], "--window", "1h") for each in slowest]


def ask_everything(store: Path, traces: Sequence[str]) -> dict[str, list[Any]]:
    """The answers of each verb, and of each macro's example, about these traces: two at least."""
    around = [(traces[number], traces[(number + 1) % len(traces)]) for number in range(len(traces))]
    return {
        "slow": [ask(store, "slow"), ask(store, "slow", "--over", "p50")],
        "investigate": [ask(store, "investigate", trace) for trace in traces],
        "trace-diff": [ask(store, "trace-diff", one, other) for one, other in around],
        "errors": [ask(store, "errors")],
        "anomaly": _ask_around(store),
        "bursts": [ask(store, "bursts")],
        "anomalies": [ask(store, "anomalies"), ask(store, "anomalies", "requests", "--step", "10s")],
        "deployments": [ask(store, "deployments")],
        "profile list": [ask(store, "profile", "list")],
        "rootcause": [ask(store, "rootcause", "--start", _halfway(store), "--end", "2100-01-01")],
        "rollback check": _check_releases(store),
        "abtest": _ask_about_variants(store),
        "model errors": [ask(store, "model", "errors")],
        "model drift": [ask(store, "model", "drift", "--start", _halfway(store))],
        "model validate": [ask(store, "model", "validate", "--max-length", "10000", "--non-empty")],
        "model fairness": [ask(store, "model", "fairness", "--by", "service_name")],
        "incident": [
            ask(store, "incident", "triage", "--start", _halfway(store), "--end", "2100-01-01"),
            ask(store, "incident", "list"),
        ],
        "compare": [ask(store, "compare", "--slow"), ask(store, "compare", "--errors")],
        "critical-path": [ask(store, "critical-path")],
        "queries": [ask(store, "queries")],
        "sql": [ask(store, "sql", macro.example.replace(_EXAMPLE_TRACE, traces[0])) for macro in MACROS],
    }


def _check_releases(store: Path) -> list[Any]:
    """`rollback check`, of each service of which two versions were seen."""
    seen: dict[str, list[str]] = {}
    for each in ask(store, "deployments")["versions"]:
        if each["service"] and each["version"] and each["version"] not in seen.setdefault(each["service"], []):
            seen[each["service"]].append(each["version"])
    pairs = [(service, *versions[:2]) for service, versions in seen.items() if len(versions) > 1]
    return [
        ask(store, "rollback", "check", "--service", service, "--baseline", baseline, "--candidate", candidate)
        for service, baseline, candidate in pairs
    ]


def _ask_about_variants(store: Path) -> list[Any]:
    """`abtest`, as if the kind of a span were a variant, where spans are of several kinds."""
    kinds = ask(store, "sql", "select distinct kind from spans where kind is not null and trace_id is not null")
    if len(kinds) < 2:
        return []
    measured = ("kind", "--metric", "duration,mean,matters=5%", "--metric", "errors")
    return [ask(store, "abtest", "check", *measured), ask(store, "abtest", "results", *measured)]


def _halfway(store: Path) -> str:
    """The time in the middle of the spans, so that there is an incident and a baseline."""
    middle = "select make_timestamp_ns((min(start_time_ns) // 2 + max(start_time_ns) // 2)::bigint) as time from spans"
    return str(ask(store, "sql", middle)[0]["time"])
