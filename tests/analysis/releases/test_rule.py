"""What is kept, rolled back, investigated, or has to wait."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.releases.traffic import MIX, Version, first

from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import ReleaseCheck, ReleaseMeasure
from infersight_analysis.releases.judgement import compare_requests
from infersight_analysis.releases.limits import DEFAULTS, Limits
from infersight_analysis.releases.requests import Requests

GOOD = Version()


def judge(
    candidate: Version, count: int = 4_000, *, baseline: Version = GOOD, limits: Limits | None = None
) -> ReleaseCheck:
    return compare_requests(baseline.serve(count, 1), candidate.serve(count, 2), limits=limits or Limits())


def asked_for(requests: Requests) -> list[str]:
    return [requests.routes[int(code)] for code in requests.route]


def of(found: ReleaseCheck, name: str, route: str | None = None) -> ReleaseMeasure:
    every = [*found.measures, *found.routes]
    return next(each for each in every if each.name == name and each.route == route)


@pytest.mark.parametrize("candidate", [GOOD, Version(slower=0.7), Version(slower=1.05), Version(errors=0.0)])
def test_a_candidate_that_is_as_good_or_better_is_kept(candidate: Version) -> None:
    found = judge(candidate)
    assert (found.verdict, found.more_seconds) == ("keep", None)
    assert len(found.reasons) == 4


def test_errors_above_five_percent_are_rolled_back_with_their_counts() -> None:
    found = judge(Version(errors=0.08))
    assert found.verdict == "roll back"
    assert found.reasons[0].startswith("error rate 8.")
    assert "(4,000) instead of 0." in found.reasons[0]
    assert "beyond the limit of 5%" in found.reasons[0]


def test_errors_of_two_percent_are_investigated_and_watched_not_rolled_back() -> None:
    found = judge(Version(errors=0.02))
    assert found.verdict == "keep"
    assert len(found.investigate) == 1
    assert found.investigate[0].startswith("error rate 2.")
    assert found.investigate[0].endswith("investigate, and go on watching")


def test_errors_below_one_percent_are_investigated() -> None:
    found = judge(Version(errors=0.008), 20_000, baseline=Version(errors=0.001))
    assert found.verdict == "keep"
    assert found.investigate[0].startswith("error rate 0.")
    assert found.investigate[0].endswith("worse: investigate")


def test_errors_that_the_baseline_has_as_well_are_nothing_that_rolling_back_would_mend() -> None:
    found = judge(Version(errors=0.08), 60_000, baseline=Version(errors=0.08))
    assert found.verdict == "keep"
    assert of(found, "error rate").standing == "within"


def test_slower_by_more_than_a_quarter_is_rolled_back_and_by_a_tenth_investigated() -> None:
    assert judge(Version(slower=1.6)).verdict == "roll back"
    slightly = judge(Version(slower=1.1), 20_000)
    assert slightly.verdict == "keep"
    assert any(line.startswith("p50 ") and "worse: investigate" in line for line in slightly.investigate)


def test_failures_that_end_at_once_do_not_make_a_version_fast() -> None:
    base = GOOD.serve(4_000, 1)
    failing = Version(errors=0.03).serve(4_000, 2)
    quick = Requests.of(
        np.where(failing.failed, 1.0, failing.durations_ns),
        failed=failing.failed,
        routes=asked_for(failing),
    )
    found = compare_requests(base, quick)
    assert of(found, "p50").candidate == pytest.approx(of(compare_requests(base, failing), "p50").candidate)


def test_requests_that_are_refused_count_against_success_not_as_errors() -> None:
    found = judge(Version(refused=0.12))
    assert found.verdict == "roll back"
    assert found.reasons[0].startswith("success rate ")
    assert of(found, "error rate").standing == "within"


def test_a_regression_of_one_route_is_found_and_named_though_the_whole_looks_fine() -> None:
    rare = Version(mix={"/predict": 0.95, "/explain": 0.05})
    found = judge(Version(mix=rare.mix, slow_routes={"/explain": 2.5}), baseline=rare)
    assert of(found, "p50").standing == "within"
    assert found.verdict == "roll back"
    assert any(reason.startswith("/explain (") and "of the requests): p50 " in reason for reason in found.reasons)
    assert not any(reason.startswith("/predict") for reason in found.reasons)


def test_more_of_the_slow_route_is_not_slower() -> None:
    """The candidate's median is twice the baseline's, because it was asked for other things."""
    found = judge(Version(mix={"/predict": 0.1, "/explain": 0.85, "/health": 0.05}))
    assert found.verdict == "keep"
    assert any("different mixes of routes" in note for note in found.notes)
    assert of(found, "p50").change == pytest.approx(0, abs=0.1)


def test_fewer_of_the_slow_route_does_not_hide_that_it_is_slower() -> None:
    found = judge(Version(slower=1.6, mix={"/predict": 0.5, "/explain": 0.05, "/health": 0.45}))
    assert found.verdict == "roll back"


def test_a_new_route_that_fails_is_rolled_back_and_one_that_works_is_noted() -> None:
    mix = {**{name: part / 2 for name, part in MIX.items()}, "/new": 0.5}
    works = judge(Version(mix=mix))
    assert works.verdict == "keep"
    assert any("only the candidate was asked for /new" in note for note in works.notes)
    base, fails = GOOD.serve(4_000, 1), Version(mix=mix).serve(4_000, 2)
    failed = np.array([name == "/new" for name in asked_for(fails)]) & (np.arange(4_000) % 5 == 0)
    found = compare_requests(base, Requests.of(fails.durations_ns, failed=failed, routes=asked_for(fails)))
    assert found.verdict == "roll back"
    assert any(reason.startswith("routes that are new") for reason in found.reasons)


def test_versions_without_a_common_route_are_compared_as_a_whole_and_it_is_said() -> None:
    found = judge(Version(mix={"/v2/predict": 1.0}), baseline=Version(mix={"/predict": 1.0}))
    assert found.verdict == "keep"
    assert any("no route was served by both" in note for note in found.notes)


def test_too_few_requests_are_no_evidence_however_bad_they_look() -> None:
    found = judge(Version(errors=1.0), 20)
    assert found.verdict == "need more data"
    assert found.reasons == ["the baseline has 20 requests and the candidate has 20 requests: 50 are the least"]
    assert judge(Version(errors=1.0), 60).verdict == "roll back"


def test_it_says_how_long_until_it_is_known_and_then_it_mostly_is() -> None:
    kept = waited = 0
    for seed in range(12):
        sides = GOOD.serve(12_000, 2 * seed), GOOD.serve(12_000, 2 * seed + 1)
        early = compare_requests(*(first(side, 800) for side in sides))
        if early.more_seconds is not None:
            waited += 1
            enough = 800 + round(early.more_seconds * 10)
            kept += compare_requests(*(first(side, enough) for side in sides)).verdict == "keep"
    assert waited >= 10
    assert kept >= 0.6 * waited


def test_requests_that_are_missing_are_waited_for_at_the_present_rate() -> None:
    found = compare_requests(GOOD.serve(400, 1), first(GOOD.serve(100, 2), 30))
    assert found.verdict == "need more data"
    assert found.more_seconds == pytest.approx(2, rel=0.1)


def test_what_lies_at_its_limit_cannot_be_waited_for() -> None:
    found = judge(Version(slower=1.25), 3_000)
    assert (found.verdict, found.more_seconds) == ("need more data", None)


def test_a_baseline_that_has_ended_and_is_too_small_cannot_be_made_up_for() -> None:
    found = compare_requests(GOOD.serve(120, 1), GOOD.serve(6_000, 2), side_by_side=False)
    assert (found.verdict, found.more_seconds) == ("need more data", None)


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 400), scale=st.floats(0.001, 1_000))
@settings(max_examples=40, deadline=None)
def test_a_version_is_never_rolled_back_against_itself_and_units_do_not_matter(
    seed: int, count: int, scale: float
) -> None:
    served = Version(errors=0.1, refused=0.1).serve(count, seed)
    same = compare_requests(served, served)
    assert same.verdict != "roll back"
    assert all(abs(each.change) < 1e-9 for each in same.measures if each.change is not None)
    other = Version(slower=1.3).serve(count, seed + 1)
    plain, scaled = (
        compare_requests(*(replace(each, durations_ns=each.durations_ns * by) for each in (served, other)))
        for by in (1.0, scale)
    )
    assert scaled.verdict == plain.verdict


def test_sampled_requests_count_as_those_that_they_stand_for_and_are_known_as_well_as_they_were_recorded() -> None:
    sides = GOOD.serve(3_000, 1), Version(errors=0.08).serve(3_000, 2)
    weighted = compare_requests(*(_weighing(each, 10.0) for each in sides))
    plain = compare_requests(*sides)
    assert (weighted.baseline.requests, weighted.baseline.recorded) == (30_000, 3_000)
    for one, other in zip(weighted.measures, plain.measures, strict=True):
        assert (one.low, one.high) == pytest.approx((other.low, other.high))


def _weighing(requests: Requests, weight: float) -> Requests:
    return Requests.of(
        requests.durations_ns,
        failed=requests.failed,
        routes=asked_for(requests),
        weights=np.full(len(requests), weight),
    )


def test_failures_that_were_all_kept_do_not_outweigh_successes_that_were_sampled() -> None:
    """As tail sampling does it: every failure is recorded, and one in fifty of the others."""
    size = 2_000
    failed = np.arange(size) % 2 == 0
    weights = np.where(failed, 1.0, 50.0)
    durations = np.full(size, 1e8)
    found = compare_requests(
        Requests.of(durations, failed=failed, weights=weights), Requests.of(durations, failed=failed, weights=weights)
    )
    assert of(found, "error rate").candidate == pytest.approx(1 / 51)


def test_a_limit_that_was_set_applies_and_a_missing_one_falls_back_to_its_default() -> None:
    limits = Limits.parse(["error-rate=1%", "latency=100%"])
    found = judge(Version(errors=0.03, slower=1.5), limits=limits)
    assert found.verdict == "roll back"
    assert [reason.split()[0] for reason in found.reasons if not reason.startswith("/")] == ["error"]
    assert found.limits["error-rate"] == 0.01
    assert found.limits["success"] == DEFAULTS["success"].value


@pytest.mark.parametrize(
    ("text", "expected"),
    [("error-rate=2%", 0.02), ("error_rate=0.02", 0.02), ("latency=+50%", 0.5), ("success=-3pp", 0.03)],
)
def test_limits_are_read_as_people_write_them(text: str, expected: float) -> None:
    (value,) = Limits.parse([text]).given.values()
    assert value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [("latency", "is no limit"), ("latency=much", "is no limit"), ("speed=2%", "there is no limit 'speed'")],
)
def test_what_is_no_limit_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(AnalysisError, match=said):
        Limits.parse([text])


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        Requests.of([1.0, 2.0], failed=[True])
