"""How often a burst is seen where there is none, and how often one is found.

`python tests/evaluation/bursts.py [--runs 100]` draws series of 480 steps, of failures that come independently, in
clusters, by requests that come and go, or at a rate that wanders by itself, and counts those in which `stats.scan` sees
a burst; then series with a planted burst.
"""

# ruff: noqa: T201

import argparse
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.stats.scan import bursts

STEPS: Final = 480
AT: Final = 150
ONES: Final = np.ones(STEPS)
DAY: Final = 100 * np.exp(0.8 * np.sin(np.arange(STEPS) / STEPS * 2 * np.pi))

Counts = npt.NDArray[np.int64]
Draw = Callable[[np.random.Generator], tuple[Counts, npt.NDArray[np.float64]]]


def poisson(mean: float, exposure: npt.NDArray[np.float64] = ONES) -> Draw:
    """Failures that come independently."""
    return lambda random: (random.poisson(mean * exposure), exposure)


def clustered(mean: float, times: float) -> Draw:
    """Failures whose variance is so many times their mean (NB1)."""
    extra = times - 1
    return lambda random: (random.negative_binomial(mean / extra, 1 / times, STEPS), ONES)


def wandering(mean: float, deviation: float, memory: float) -> Draw:
    """Failures at a rate whose logarithm is AR(1), by its standard deviation and the correlation of neighbours."""

    def draw(random: np.random.Generator) -> tuple[Counts, npt.NDArray[np.float64]]:
        level = np.empty(STEPS)
        level[0] = random.normal(0, deviation)
        for step in range(1, STEPS):
            level[step] = memory * level[step - 1] + random.normal(0, deviation * np.sqrt(1 - memory**2))
        return random.poisson(mean * np.exp(level - deviation**2 / 2)), ONES

    return draw


def planted(base: Draw, count: float, length: int) -> Draw:
    """A burst of so many failures more, over so many steps."""

    def draw(random: np.random.Generator) -> tuple[Counts, npt.NDArray[np.float64]]:
        counts, exposure = base(random)
        counts[AT : AT + length] += random.poisson(count / length, length)
        return counts, exposure

    return draw


NOTHING: Final[dict[str, Draw]] = {
    "0.02 a step": poisson(0.02),
    "0.2 a step": poisson(0.2),
    "2 a step": poisson(2),
    "50 a step": poisson(50),
    "1 % of requests by day and night": poisson(0.01, DAY),
    "0.02 a step, variance 2 times the mean": clustered(0.02, 2),
    "0.2 a step, variance 2 times the mean": clustered(0.2, 2),
    "2 a step, variance 3 times the mean": clustered(2, 3),
    "20 a step, variance 5 times the mean": clustered(20, 5),
    "1 a step, rate wanders by 0.3 (0.7)": wandering(1, 0.3, 0.7),
    "2 a step, rate wanders by 0.5 (0.9)": wandering(2, 0.5, 0.9),
}

BURSTS: Final[dict[str, Draw]] = {
    "0.02 a step, 8 more in one": planted(poisson(0.02), 8, 1),
    "0.2 a step, 10 more in two": planted(poisson(0.2), 10, 2),
    "0.2 a step, 30 more in twenty": planted(poisson(0.2), 30, 20),
    "2 a step, 24 more in four": planted(poisson(2), 24, 4),
    "2 a step, variance 3 times the mean, 60 more in four": planted(clustered(2, 3), 60, 4),
}


def main() -> None:
    """Prints how many of the series have a burst."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    options = parser.parse_args()
    for title, draws in (("a burst is seen where there is none", NOTHING), ("a planted burst is found", BURSTS)):
        print(f"| {title} | of {options.runs} |\n|---|---:|")
        for place, (name, draw) in enumerate(draws.items()):
            random = np.random.default_rng(place)
            series = [draw(random) for _ in range(options.runs)]
            found = [bursts(counts, exposure) for counts, exposure in series]
            if draws is BURSTS:
                found = [[each for each in seen if each.start <= AT + 20 and each.stop > AT] for seen in found]
            print(f"| {name} | {sum(map(bool, found))} |", flush=True)
        print()


if __name__ == "__main__":
    main()
