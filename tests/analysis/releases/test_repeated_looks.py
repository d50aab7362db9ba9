# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# (scipy publishes no types)
"""How often a check that is looked at again and again errs, by simulation."""

import pytest
from scipy.stats import binom
from tests.analysis.releases.traffic import MIX, Version, first

from infersight_analysis.findings.releases import Verdict
from infersight_analysis.releases.comparison import ERROR
from infersight_analysis.releases.judgement import compare_requests

LOOKS = [round(60 * 1.3**step) for step in range(18)]
"""Requests of the candidate at each look, 60 to 5 200."""

GOOD = Version()
AT_ITS_LIMITS = Version(slower=1.25, errors=0.05)
"""The worst candidate that may not be rolled back: everything is exactly what is allowed."""

ONE_ROUTE_AT_ITS_LIMIT = Version(slow_routes={"/explain": 1.25})
OTHER_MIX = Version(mix={"/predict": 0.2, "/explain": 0.7, "/health": 0.1})


def verdicts(candidate: Version, seed: int, *, ratio: float | None = 1.0) -> list[Verdict]:
    """The verdict of each look; with the baseline growing along, or as it was."""
    base = Version(errors=0.0, mix=GOOD.mix).serve(LOOKS[-1], 2 * seed)
    served = candidate.serve(LOOKS[-1], 2 * seed + 1)
    return [
        compare_requests(
            first(base, round(look * ratio)) if ratio else first(base, 1_500),
            first(served, look),
            side_by_side=ratio is not None,
        ).verdict
        for look in LOOKS
    ]


def most(runs: int, share: float) -> float:
    """As often as a thing of this probability happens at most, but for 1 in 1 000 such tests."""
    return float(binom.ppf(0.999, runs, share))


def ever(verdict: Verdict, candidate: Version, runs: int, *, ratio: float | None = 1.0) -> int:
    """In how many runs it was said at any look."""
    return sum(verdict in verdicts(candidate, seed, ratio=ratio) for seed in range(runs))


@pytest.mark.parametrize("candidate", [GOOD, AT_ITS_LIMITS, ONE_ROUTE_AT_ITS_LIMIT, OTHER_MIX])
def test_what_is_within_its_limits_is_seldom_rolled_back_at_any_look(candidate: Version) -> None:
    assert ever("roll back", candidate, 60) <= most(60, ERROR)


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [1.0, None, 5.0])
@pytest.mark.parametrize("candidate", [GOOD, AT_ITS_LIMITS, ONE_ROUTE_AT_ITS_LIMIT, OTHER_MIX])
def test_of_five_hundred_within_their_limits_at_most_one_in_twenty_is_rolled_back(
    candidate: Version, ratio: float | None
) -> None:
    assert ever("roll back", candidate, 500, ratio=ratio) <= most(500, ERROR)


def test_what_is_beyond_its_limit_is_seldom_kept_at_any_look() -> None:
    assert ever("keep", Version(slower=1.27, mix=MIX), 60) <= most(60, ERROR)


def test_a_route_of_twice_the_duration_is_rolled_back_and_a_good_candidate_kept_in_the_end() -> None:
    assert ever("roll back", Version(slow_routes={"/explain": 2.0}), 15) == 15
    assert sum(verdicts(GOOD, seed)[-1] == "keep" for seed in range(15)) == 15
