"""How often `compare` finds what is not there, and how often what is.

`python tests/evaluation/false_discoveries.py [--halves 200] [--runs 60]`:

- two random halves of one population, again and again: how many of the comparisons report anything;
- populations in which one thing was planted (`tests/analysis/cohorts/populations.py`): how often it is the first
  finding, how often it is found at all, and how many other findings come with it.
"""

# ruff: noqa: T201

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.analysis.cohorts.populations import EFFECTS, Effect, record
from tests.analysis.recording import Recording

from infersight_analysis import connect
from infersight_analysis.cohorts.comparison import compare
from infersight_analysis.cohorts.question import Question
from infersight_analysis.findings import Distinction
from infersight_analysis.verbs.compare import slow

REQUESTS = 1_500


def halves(path: Path, runs: int) -> list[int]:
    """How many findings each comparison of two random halves has."""
    with connect(path) as connection:
        questions = (Question(f"hash(trace_id || '{seed}') % 2 = 0") for seed in range(runs))
        return [compare(connection, question).found for question in questions]


def planted(path: Path, effect: Effect) -> list[Distinction]:
    """What distinguishes the slow requests of a population with an effect."""
    with connect(path) as connection:
        return compare(connection, replace(slow("300ms"), service=effect.name)).findings


def store(directory: Path, name: str, seed: int, effect: Effect | None) -> Path:
    """A store with one population."""
    recording = Recording()
    record(recording, name, REQUESTS, seed, effect)
    return recording.write(directory / f"{name} {seed}")


def main() -> None:
    """Prints the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--halves", type=int, default=200)
    parser.add_argument("--runs", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        found = halves(store(directory, "nothing", 1, None), options.halves)
        print(f"random halves: {sum(map(bool, found))} of {len(found)} comparisons report anything (at most 5 %)")
        for effect in EFFECTS:
            first = anywhere = others = 0
            for seed in range(1, options.runs + 1):
                findings = planted(store(directory, effect.name, seed, effect), effect)
                right = [sorted(each.attributes) == sorted(effect.attributes) for each in findings]
                first += right[:1] == [True]
                anywhere += any(right)
                others += len(right) - sum(right)
            print(f"{effect.name}: found in {anywhere / options.runs:.0%}, first in {first / options.runs:.0%}, "
                  f"{others / options.runs:.2f} other findings (at least 95 %)")  # fmt: skip


if __name__ == "__main__":
    main()
