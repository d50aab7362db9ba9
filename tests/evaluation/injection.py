"""Truth by injection: a real server is made slow for a known cause, and `infersight investigate` is asked why.

Twelve causes and healthy requests, each with as many seeds as `--seeds`. Every cause and seed has a server of its own,
a real process under steady load, instrumented as usual, whose name in the telemetry says nothing; all send to one real
collector. Prints what was said about what, and writes it as JSON.

    python tests/evaluation/injection.py --seeds 1 --causes queueing,retries --keep DIR
    python tests/evaluation/injection.py --judge DIR
"""

# ruff: noqa: T201

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Final

import duckdb
from tests.evaluation.injected.application import Settings
from tests.evaluation.injected.causes import CAUSES, VERSION, Scene, stage
from tests.evaluation.injected.processes import Profiles
from tests.evaluation.injected.verdicts import Target, Verdict, confusion, judge, releases_found, summary
from tests.support.collectors import Collectors, RunningCollector, wait_until

TARGETS: Final = "targets.json"
GOALS: Final = {"first": 0.9, "first_two": 0.98, "release_compared": 0.9}
HEALTHY_GOAL: Final = 0.05


def record(directory: Path, causes: Sequence[str], seeds: int) -> list[Target]:
    """Stage all causes; their telemetry is then in `directory`, with a list of what to ask about."""
    collectors = Collectors(directory)
    profiles = Profiles()
    targets: list[Target] = []
    try:
        collector = collectors.start(store=directory / "store")
        for seed in range(seeds):
            for cause in causes:
                began = time.monotonic()
                targets += _staged(cause, seed, collector, profiles)
                print(f"seed {seed} {cause:20} {time.monotonic() - began:5.1f} s", file=sys.stderr, flush=True)
                (directory / TARGETS).write_text(json.dumps([asdict(target) for target in targets], indent=1))
        expected = {target.request_id for target in targets}
        wait_until(lambda: expected <= _arrived(collector), 60)
        collector.stop()
    finally:
        profiles.stop()
        collectors.end()
    return targets


def _staged(cause: str, seed: int, collector: RunningCollector, profiles: Profiles) -> list[Target]:
    name = f"ranking-{sha256(f'{cause} {seed}'.encode()).hexdigest()[:8]}"
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.grpc}",
        "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": "state",
    }
    settings = Settings(name, VERSION, environment, profiles.url)
    return [Target(cause, seed, name, request_id) for request_id in stage(cause, Scene(settings, profiles, seed))]


def _arrived(collector: RunningCollector) -> set[str]:
    try:
        rows = collector.query("select attributes['infersight.request.id'] from spans where kind = 'SERVER'")
    except duckdb.BinderException:  # no request has arrived, so that there is no such attribute
        return set()
    return {request_id for (request_id,) in rows}


def report(verdicts: Sequence[Verdict], releases: Sequence[bool], output: Path | None) -> bool:
    """Print what came out, and write it; whether the goals are reached."""
    shares = summary(verdicts, releases)
    for verdict in verdicts:
        if verdict.is_wrong:
            _print_wrong(verdict)
    print(confusion(verdicts))
    print("\n".join(f"{name:18} {value}" for name, value in shares.items()))
    if output is not None:
        result = {"summary": shares, "verdicts": [verdict.as_json() for verdict in verdicts]}
        output.write_text(json.dumps(result, indent=1))
    reached = all(shares[name] is None or shares[name] >= goal for name, goal in GOALS.items())
    return reached and (shares["healthy_confident"] or 0) <= HEALTHY_GOAL


def _print_wrong(verdict: Verdict) -> None:
    target = verdict.target
    print(f"{target.cause} (seed {target.seed}), {verdict.duration_ms} ms, trace {verdict.trace_id}:")
    for cause, confidence, statement in verdict.said:
        print(f"    {confidence:5} {cause}: {statement}")


def main() -> int:
    """Run, judge, report; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, help="how often each cause is staged")
    parser.add_argument("--causes", default=",".join(CAUSES), help="with commas between them")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the store and the targets there")
    parser.add_argument("--judge", type=Path, metavar="DIR", help="only ask again about what was kept")
    parser.add_argument("--output", type=Path, metavar="FILE", help="the verdicts as JSON")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(143))  # ends the processes too
    causes = options.causes.split(",")
    if unknown := set(causes) - set(CAUSES):
        parser.error(f"no such cause: {', '.join(sorted(unknown))}; there are {', '.join(CAUSES)}")
    with tempfile.TemporaryDirectory() as scratch:
        directory: Path = options.judge or options.keep or Path(scratch)
        if options.judge is None:
            shutil.rmtree(directory / "store", ignore_errors=True)
            directory.mkdir(parents=True, exist_ok=True)
            record(directory, causes, options.seeds)
        elif not (directory / TARGETS).is_file():
            parser.error(f"{directory} has no {TARGETS}: give --judge a directory that --keep has filled")
        kept = [Target(**target) for target in json.loads((directory / TARGETS).read_text())]
        asked = [target for target in kept if target.cause in causes]
        verdicts = judge(directory / "store", asked)
        return 0 if report(verdicts, releases_found(directory / "store", asked), options.output) else 1


if __name__ == "__main__":
    sys.exit(main())
