"""How often `model errors` and `model drift` find what is not there, and how often what is.

`python tests/evaluation/model_quality.py [--runs 5000] [--planted 200]`:

- predictions that are wrong by chance alone: how many of the searches name any slice;
- populations in which one reason was planted: how often it is the first slice, and how often found at all;
- two samples of one population: how many comparisons call anything drifted, at any size of the index, and in how many
  the test of a feature is below 5 %;
- a reason that began in the middle of the time: how often the interval of its beginning holds that moment.
"""

# ruff: noqa: T201

import argparse

import numpy as np
from tests.analysis.quality.populations import EFFECTS, Columns, Effect, table

from infersight_analysis.quality.drift import drift
from infersight_analysis.quality.slices import Search
from infersight_analysis.quality.tables import predictions_of
from infersight_analysis.times import parse_time

PREDICTIONS = 1_500
SECOND = 10**9


def slices(seed: int, effect: Effect | None) -> list[tuple[str, ...]]:
    """The attributes of each slice that is found."""
    predictions = predictions_of(table(PREDICTIONS, seed, effect))
    found = Search(predictions, predictions.is_wrong).slices()
    return [tuple(sorted(trait.attribute.name for trait in each.traits)) for each in found]


def drifting(count: int, seed: int, changed_at: int | None) -> Columns:
    """Predictions, one a second, whose texts become longer at some time."""
    columns = table(count, seed)
    number = np.arange(count)
    columns["time"] = number * SECOND
    if changed_at is not None:
        columns["length"] = columns["length"] * np.where(number >= changed_at, 2.5, 1.0)
    return columns


def main() -> None:
    """Prints the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5_000)
    parser.add_argument("--planted", type=int, default=200)
    options = parser.parse_args()
    found = sum(bool(slices(seed, None)) for seed in range(options.runs))
    print(f"wrong by chance: {found} of {options.runs} searches name a slice", flush=True)
    for effect in EFFECTS:
        of = [slices(seed, effect) for seed in range(options.planted)]
        first = sum(bool(each) and each[0] == effect.attributes for each in of)
        anywhere = sum(effect.attributes in each for each in of)
        others = sum(len(each) for each in of) - sum(each.count(effect.attributes) for each in of)
        print(f"{effect.name}: first in {first} of {len(of)}, found in {anywhere}, others {others}", flush=True)
    small = any_size = below = tested = 0
    for seed in range(options.runs):
        found_drift = drift(
            predictions_of(table(400, 2 * seed + 1)), predictions_of(table(900, 2 * seed)), threshold=1e-9
        )
        features = [each for group in found_drift.groups for each in group.features]
        any_size += any(each.q_value <= found_drift.level for each in features)
        small += any(each.q_value <= found_drift.level and each.psi - each.psi_noise >= 0.1 for each in features)
        below += sum(each.p_value <= 0.05 for each in features)
        tested += len(features)
    print(f"no drift: {small} of {options.runs} say drift, {any_size} at any size of the index", flush=True)
    print(f"p is at most 0.05 in {below / tested:.2%} of {tested} tests without a drift", flush=True)
    seen = held = 0
    for seed in range(options.planted):
        predictions = predictions_of(drifting(4_000, seed, 2_500))
        times = predictions.time_ns
        assert times is not None
        early = times < 2_000 * SECOND
        of_length = next(
            each
            for each in drift(predictions.only(~early), predictions.only(early)).groups[0].features
            if each.feature == "length"
        )
        if of_length.is_drift and of_length.began is not None:
            seen += 1
            low, high = parse_time(of_length.began.earliest), parse_time(of_length.began.latest)
            held += low <= 2_500 * SECOND <= high
    print(f"drift from 2,500 s on: found with its beginning in {seen} of {options.planted}, interval right in {held}")


if __name__ == "__main__":
    main()
