"""Which traces each policy keeps."""

from collections.abc import Mapping

import pytest
from tests.support.sampling import Clock, kept, sampler_of
from tests.support.traces import Span, Value

from infersight_collector.config import ConfigError

ALL = "{name: all, type: always_sample}"
FAILED = "{name: failed, type: status_code, status_code: {status_codes: [ERROR]}}"


def salted(salt: str) -> str:
    return f"{{name: x, type: probabilistic, probabilistic: {{sampling_percentage: 1, hash_salt: {salt}}}}}"


def refusal(policies: str, settings: str = "") -> str:
    with pytest.raises(ConfigError) as refused:
        sampler_of(policies, settings=settings)
    return str(refused.value)


def test_always_sample_keeps_everything() -> None:
    assert kept(sampler_of(ALL), Span(1), Span(2)) == {1: 1.0, 2: 1.0}


def test_latency_is_from_the_earliest_start_to_the_latest_end_of_a_trace() -> None:
    sampler = sampler_of("{name: slow, type: latency, latency: {threshold_ms: 100}}")
    spans = [Span(1, start_ms=0, duration_ms=30), Span(1, start_ms=80, duration_ms=20), Span(2, duration_ms=99.9)]
    assert kept(sampler, *spans) == {1: 1.0}


def test_latency_has_an_upper_end() -> None:
    sampler = sampler_of("{name: slow, type: latency, latency: {threshold_ms: 100, upper_threshold_ms: 200}}")
    assert kept(sampler, Span(1, 99), Span(2, 150), Span(3, 200), Span(4, 201)) == {2: 1.0, 3: 1.0}


def test_a_trace_whose_clocks_disagree_has_no_latency() -> None:
    sampler = sampler_of("{name: slow, type: latency, latency: {threshold_ms: 1}}")
    assert kept(sampler, Span(1, duration_ms=-50)) == {}


def test_status_code_keeps_traces_with_one_failed_span() -> None:
    sampler = sampler_of(FAILED)
    assert kept(sampler, Span(1), Span(1, error=True), Span(2)) == {1: 1.0}


@pytest.mark.parametrize(
    ("policy", "with_attributes"),
    [
        ("type: string_attribute, string_attribute: {key: tier, values: [gold, silver]}", {"tier": "gold"}),
        (
            "type: string_attribute, string_attribute: {key: tier, values: ['^g.ld$'], enabled_regex_matching: true}",
            {"tier": "gold"},
        ),
        ("type: numeric_attribute, numeric_attribute: {key: code, min_value: 500, max_value: 599}", {"code": 503}),
        ("type: numeric_attribute, numeric_attribute: {key: lag, min_value: 0.5}", {"lag": 0.5}),
        ("type: boolean_attribute, boolean_attribute: {key: cached, value: true}", {"cached": True}),
    ],
)
def test_attributes_are_looked_for_in_spans_and_resources(policy: str, with_attributes: Mapping[str, Value]) -> None:
    others: Mapping[str, Value] = {"tier": "golden", "code": 200, "lag": 0.1, "cached": False}
    spans = [
        Span(1),
        Span(1, attributes=with_attributes),
        Span(2, attributes=others),
        Span(3, resource=with_attributes),
        Span(4, resource={"service.name": "x"}),
    ]
    assert kept(sampler_of(f"{{name: p, {policy}}}"), *spans) == {1: 1.0, 3: 1.0}


def test_an_attribute_of_another_type_does_not_match() -> None:
    sampler = sampler_of("{name: p, type: string_attribute, string_attribute: {key: code, values: ['200']}}")
    assert kept(sampler, Span(1, attributes={"code": 200})) == {}


def test_an_inverted_match_keeps_traces_without_any_matching_span() -> None:
    policy = "string_attribute: {key: http.route, values: [/health], invert_match: true}"
    spans = [Span(1), Span(1, attributes={"http.route": "/health"}), Span(2, attributes={"http.route": "/a"}), Span(3)]
    assert kept(sampler_of(f"{{name: p, type: string_attribute, {policy}}}"), *spans) == {2: 1.0, 3: 1.0}


def test_rare_keeps_the_first_traces_with_a_value() -> None:
    sampler = sampler_of("{name: new, type: rare, rare: {key: service.version, first: 2, below_percentage: 0}}")
    versions = ["a", "a", "a", "b", "a", "b", "b"]
    spans = [Span(number, resource={"service.version": version}) for number, version in enumerate(versions)]
    # The batch has the spans of one resource together: 0, 1, 2, 4 and 3, 5, 6.
    assert set(kept(sampler, *spans)) == {0, 1, 3, 5}
    assert set(kept(sampler, Span(10, resource={"service.version": "c"}), Span(11))) == {10}


def test_rare_keeps_values_below_a_share_of_the_traces() -> None:
    sampler = sampler_of("{name: new, type: rare, rare: {key: http.route, first: 1, below_percentage: 10}}")
    often = [Span(number, attributes={"http.route": "/often"}) for number in range(100)]
    assert set(kept(sampler, *often)) == {0}
    seldom = [Span(number, attributes={"http.route": "/seldom"}) for number in range(100, 130)]
    found = set(kept(sampler, *seldom))
    # 11 of 111 traces are the first tenth.
    assert found == set(range(100, 112))


def test_rare_counts_a_trace_once_for_each_of_its_values() -> None:
    sampler = sampler_of("{name: new, type: rare, rare: {key: http.route, first: 1, below_percentage: 0}}")
    spans = [Span(1, attributes={"http.route": "/a"})] * 5 + [Span(2, attributes={"http.route": "/a"})]
    assert set(kept(sampler, *spans)) == {1}


def test_rare_forgets_what_has_not_been_seen_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infersight_collector.processors.tail_sampling.conditions._MEMORY", 50)
    sampler = sampler_of("{name: new, type: rare, rare: {key: http.route, first: 1, below_percentage: 0}}")
    assert 0 in kept(sampler, Span(0, attributes={"http.route": "/a"}))
    assert kept(sampler, Span(1, attributes={"http.route": "/a"})) == {}
    for first in range(100, 400, 30):
        kept(sampler, *[Span(number, attributes={"http.route": "/b"}) for number in range(first, first + 30)])
    assert 2 in kept(sampler, Span(2, attributes={"http.route": "/a"}))


def test_probabilistic_keeps_about_its_share_each_with_its_weight() -> None:
    sampler = sampler_of("{name: some, type: probabilistic, probabilistic: {sampling_percentage: 25}}")
    found = kept(sampler, *[Span(number) for number in range(2000)])
    assert 400 < len(found) < 600
    assert set(found.values()) == {4.0}


@pytest.mark.parametrize(("percentage", "count"), [(0, 0), (100, 50)])
def test_the_ends_of_a_percentage_are_nothing_and_everything(percentage: int, count: int) -> None:
    policy = f"{{name: some, type: probabilistic, probabilistic: {{sampling_percentage: {percentage}}}}}"
    assert len(kept(sampler_of(policy), *[Span(number) for number in range(50)])) == count


def test_the_same_salt_keeps_the_same_traces_and_another_one_others() -> None:
    spans = [Span(number) for number in range(500)]

    def found(salt: str) -> set[int]:
        setting = f"probabilistic: {{sampling_percentage: 50, hash_salt: {salt}}}"
        return set(kept(sampler_of(f"{{name: some, type: probabilistic, {setting}}}"), *spans))

    assert found("a") == found("a")
    assert 90 < len(found("a") & found("b")) < 160


def test_of_several_policies_the_most_probable_one_gives_the_weight() -> None:
    sampler = sampler_of(
        FAILED + ","
        "{name: some, type: probabilistic, probabilistic: {sampling_percentage: 10}},"
        "{name: more, type: probabilistic, probabilistic: {sampling_percentage: 50}}"
    )
    found = kept(sampler, *[Span(number, error=number < 100) for number in range(1000)])
    assert set(range(100)) <= set(found)
    assert {found[number] for number in range(100)} == {1.0}
    assert {weight for number, weight in found.items() if number >= 100} == {2.0}


def test_and_keeps_what_all_of_its_policies_keep() -> None:
    sampler = sampler_of(
        "{name: both, type: and, and: {and_sub_policy: ["
        "{name: route, type: string_attribute, string_attribute: {key: http.route, values: [/a]}},"
        "{name: some, type: probabilistic, probabilistic: {sampling_percentage: 20}}]}}"
    )
    spans = [Span(number, attributes={"http.route": "/a" if number % 2 else "/b"}) for number in range(1000)]
    found = kept(sampler, *spans)
    assert 60 < len(found) < 140
    assert {number % 2 for number in found} == {1}
    assert set(found.values()) == {5.0}


def test_a_rate_limit_is_used_up_and_fills_again_with_time() -> None:
    clock = Clock()
    sampler = sampler_of("{name: few, type: rate_limiting, rate_limiting: {spans_per_second: 50}}", clock)
    counts: list[int] = []
    for second in range(5):
        counts.append(len(kept(sampler, *[Span(1000 * second + number) for number in range(500)])))
        clock.now += 1
    assert counts == [50] * 5


def test_a_rate_limit_that_is_not_used_is_saved_for_ten_seconds() -> None:
    clock = Clock()
    sampler = sampler_of("{name: few, type: rate_limiting, rate_limiting: {spans_per_second: 5}}", clock)
    assert len(kept(sampler, Span(1))) == 1
    clock.now += 3600
    assert len(kept(sampler, *[Span(number) for number in range(100, 300)])) == 50


def test_a_rate_limit_keeps_a_trace_larger_than_itself_and_later_ones_pay_for_it() -> None:
    clock = Clock()
    sampler = sampler_of("{name: few, type: rate_limiting, rate_limiting: {spans_per_second: 10}}", clock)
    assert kept(sampler, *[Span(1)] * 40) == {1: 1.0}
    clock.now += 1
    # 20 are owed still, but two traces are the least that something can be estimated from.
    assert len(kept(sampler, *[Span(number) for number in range(100, 200)])) == 2
    clock.now += 4
    assert len(kept(sampler, *[Span(number) for number in range(200, 300)])) == 18


def test_a_rate_limit_spends_nothing_on_what_others_keep_for_certain() -> None:
    sampler = sampler_of("{name: few, type: rate_limiting, rate_limiting: {spans_per_second: 10}}," + FAILED)
    found = kept(sampler, *[Span(number, error=number < 100) for number in range(300)])
    assert set(range(100)) <= set(found)
    assert len(found) == 110


@pytest.mark.parametrize(
    ("policies", "settings", "said"),
    [
        ("", "", "'policies' is empty"),
        ("{name: x, type: latency}", "", "the policy 'x' is of type latency: give it the settings 'latency'"),
        ("{name: x, type: always_sample, rare: {key: a}}", "", "give it no settings"),
        ("{name: x, type: latency, latency: {threshold_ms: 5, upper_threshold_ms: 4}}", "", "'upper_threshold_ms'"),
        ("{name: x, type: probabilistic, probabilistic: {sampling_percentage: 101}}", "", "from 0 to 100"),
        ("{name: x, type: rate_limiting, rate_limiting: {spans_per_second: 0}}", "", "at least 1"),
        ("{name: x, type: string_attribute, string_attribute: {key: a, values: []}}", "", "'values' is empty"),
        (
            "{name: x,type: string_attribute, string_attribute: {key: a, enabled_regex_matching: true, values: ['(']}}",
            "",
            "'(' is no regular expression",
        ),
        ("{name: x, type: numeric_attribute, numeric_attribute: {key: a, min_value: 2, max_value: 1}}", "", "above"),
        ("{name: x, type: rare, rare: {key: a, below_percentage: -1}}", "", "from 0 to 100"),
        ("{name: x, type: and, and: {and_sub_policy: []}}", "", "'and_sub_policy' is empty"),
        ("{name: x, type: and, and: {and_sub_polcy: []}}", "", "did you mean 'and_sub_policy'"),
        ("{name: x, type: latncy}", "", "did you mean 'latency'"),
        (ALL, "num_traces: 0", "'num_traces' must be at least 1"),
        (ALL, "decision_cache: {size: 1}", "'size' must be at least 2"),
        (
            f"{salted('a')}, {salted('b')}",
            "",
            "one random number",
        ),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_with_its_line(policies: str, settings: str, said: str) -> None:
    message = refusal(policies, settings)
    assert message.startswith("file.yaml:3: ")
    assert said in message
