# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (statsmodels, duckdb and pyarrow publish no types)
"""Groups of predictions compared: published numbers, planted differences, no alarm by chance, and what is too few."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from tests.analysis.recording import MS, SECOND, Recording

from infersight_analysis import connect
from infersight_analysis.errors import AnalysisError
from infersight_analysis.fairness.fairness import Question
from infersight_analysis.findings import Fairness, GroupRate
from infersight_analysis.verbs.model.fairness import fairness

# The example of Fairlearn's user guide, "Common fairness metrics".
TRUE = [0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1]
PREDICTED = [0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0]
GROUPS = list("bbabbcccaacabccbcc")


def rate(found: Fairness, measure: str, group: str) -> GroupRate:
    return next(each for each in found.rates if (each.measure, each.group) == (measure, group))


def gap(found: Fairness, name: str) -> tuple[float, float, float]:
    (of,) = [each for each in found.gaps if each.name == name]
    return of.value, of.low, of.high


def table(groups: dict[str, tuple[int, int, int, int]]) -> dict[str, list[str]]:
    """Columns of predictions with so many true positives, false negatives, false positives and true negatives."""
    columns: dict[str, list[str]] = {"label": [], "label_true": [], "group": []}
    outcomes = [("yes", "yes"), ("no", "yes"), ("yes", "no"), ("no", "no")]
    for group, counts in groups.items():
        for (label, label_true), count in zip(outcomes, counts, strict=True):
            columns["label"] += [label] * count
            columns["label_true"] += [label_true] * count
            columns["group"] += [group] * count
    return columns


def compared(groups: dict[str, tuple[int, int, int, int]], **asked: Any) -> Fairness:
    return fairness(table(groups), Question("group", "yes", **asked))


def test_the_gaps_are_those_of_fairlearn_s_user_guide() -> None:
    columns = {"label": PREDICTED, "label_true": TRUE, "sex": GROUPS}
    found = fairness(columns, Question("sex", "1", least=1))
    assert gap(found, "demographic_parity")[0] == pytest.approx(0.25)
    assert gap(found, "equalised_odds")[0] == pytest.approx(1.0)
    rates = sorted(each.rate or 0.0 for each in found.rates if each.measure == "positive_rate")
    assert rates[0] / rates[-1] == pytest.approx(2 / 3)


def test_rates_differences_and_ratios_are_those_counted_by_hand() -> None:
    found = compared({"men": (180, 20, 30, 270), "women": (60, 40, 20, 180)})
    assert (found.reference, found.groups) == ("men", {"men": 500, "women": 300})
    counted = {(each.measure, each.group): (each.count, each.of) for each in found.rates}
    assert counted == {
        ("positive_rate", "men"): (210, 500),
        ("positive_rate", "women"): (80, 300),
        ("error_rate", "men"): (50, 500),
        ("error_rate", "women"): (60, 300),
        ("true_positive_rate", "men"): (180, 200),
        ("true_positive_rate", "women"): (60, 100),
        ("false_positive_rate", "men"): (30, 300),
        ("false_positive_rate", "women"): (20, 200),
    }
    women = rate(found, "true_positive_rate", "women")
    assert women.difference == pytest.approx(-0.3)
    assert women.ratio == pytest.approx(2 / 3)
    assert (women.low, women.high) == pytest.approx(proportion_confint(60, 100, method="wilson"))
    expected = confint_proportions_2indep(60, 100, 180, 200, method="newcomb", compare="diff")
    assert (women.difference_low, women.difference_high) == pytest.approx(expected)
    assert rate(found, "false_positive_rate", "women").verdict == "no difference found"
    assert {each.verdict for each in found.rates if each.group == "men"} == {"reference"}
    assert [each.measure for each in found.rates if each.verdict == "differs"] == [
        "positive_rate",
        "error_rate",
        "true_positive_rate",
    ]
    assert found.statement == "true positive rate of women: 60.0%, -30.0 points beside men (-40.4 to -19.7), and 2 more"


def test_four_fifths_are_judged_by_the_interval_of_the_ratio() -> None:
    def impact(yes: int, of: int) -> str:
        (found,) = compared({"men": (of // 2 + of, 0, 0, of // 2), "women": (yes, of - yes, 0, 0)}).impact
        return found.four_fifths

    assert impact(300, 1000) == "below"  # 0.3 of three quarters
    assert impact(600, 1000) == "may be below"  # just four fifths
    assert impact(740, 1000) == "not below"


def test_a_gap_s_interval_holds_for_all_groups_together() -> None:
    found = compared({"a": (50, 50, 50, 50), "b": (60, 40, 60, 40), "c": (80, 20, 80, 20)})
    value, low, high = gap(found, "demographic_parity")
    low_a, high_a = proportion_confint(100, 200, alpha=0.05 / 3, method="wilson")
    low_c, high_c = proportion_confint(160, 200, alpha=0.05 / 3, method="wilson")
    assert (value, low, high) == pytest.approx((0.3, low_c - high_a, high_c - low_a))


def test_of_too_few_no_rate_is_given_and_it_is_said() -> None:
    found = compared({"men": (180, 20, 30, 270), "women": (60, 40, 20, 180), "other": (5, 3, 2, 4)})
    other = rate(found, "positive_rate", "other")
    assert (other.count, other.of, other.rate, other.p_value, other.verdict) == (7, 14, None, None, "too few")
    assert "no positive rate of groups with fewer than 30 to count it of: other 14" in found.notes
    assert rate(compared({"a": (9, 9, 9, 9), "b": (3, 3, 3, 3)}, least=10), "positive_rate", "b").rate == 0.5


def test_with_no_two_groups_that_are_large_enough_more_data_is_needed() -> None:
    found = compared({"men": (180, 20, 30, 270), "women": (3, 1, 1, 2)})
    assert (found.tests, found.statement) == (0, "need more data: no group can be compared with men")


def test_without_labels_only_what_was_predicted_is_compared() -> None:
    columns = table({"men": (180, 20, 30, 270), "women": (60, 40, 20, 180)})
    del columns["label_true"]
    found = fairness(columns, Question("group", "yes"))
    assert {each.measure for each in found.rates if each.rate is not None} == {"positive_rate"}
    assert "no error rate: nobody has said what was right" in found.notes


def test_without_a_positive_label_only_errors_are_compared() -> None:
    columns = table({"men": (180, 20, 30, 270), "women": (60, 40, 20, 180)})
    found = fairness(columns, Question("group"))
    assert {each.measure for each in found.rates} == {"error_rate"}
    assert any("--positive" in note for note in found.notes)


def test_a_difference_below_the_margin_is_small() -> None:
    groups = {"men": (5000, 5000, 0, 10000), "women": (5400, 4600, 0, 10000)}
    assert rate(compared(groups), "positive_rate", "women").verdict == "differs"
    found = compared(groups, margin=0.05)
    assert rate(found, "positive_rate", "women").verdict == "small"
    assert found.statement == "no difference of 5.0% or more found between men and 1 other group"


def test_the_reference_can_be_named_and_swapping_it_turns_the_sign() -> None:
    groups = {"men": (180, 20, 30, 270), "women": (60, 40, 20, 180)}
    one, other = compared(groups), compared(groups, reference="women")
    assert other.reference == "women"
    difference = rate(one, "error_rate", "women").difference
    assert difference is not None
    assert rate(other, "error_rate", "men").difference == pytest.approx(-difference)
    assert rate(other, "error_rate", "men").p_value == pytest.approx(rate(one, "error_rate", "women").p_value)


def test_numbers_are_cut_into_ranges() -> None:
    ages = [20.0, 30, 49, 50, 80, None] * 40
    columns = {"label": ["yes"] * 240, "label_true": ["yes", "no"] * 120, "age": ages}
    found = fairness(columns, Question("age", "yes", cuts=[50, 30]))
    assert found.groups == {"30 to 50": 80, "50 and more": 80, "below 30": 40}
    assert found.without_group == 40
    few = fairness({**columns, "age": [1, 2] * 120}, Question("age", "yes"))
    assert few.groups == {"1": 120, "2": 120}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Question("nothing", "yes"), "have no 'nothing'; known is"),
        (Question("group", "maybe"), "no prediction has the label 'maybe'; there are no, yes"),
        (Question("group", "yes", reference="x"), "no group of group is 'x'; there are men, women"),
        (Question("group", "yes", cuts=[1]), "is no number that could be cut"),
        (Question("score", "yes"), "--cuts 30,50"),
        (Question("name", "yes"), "800 values"),
    ],
)
def test_a_mistake_says_what_there_is(asked: Question, says: str) -> None:
    columns: dict[str, Any] = table({"men": (180, 20, 30, 270), "women": (60, 40, 20, 180)})
    columns["score"] = [number / 7 for number in range(800)]
    columns["name"] = [f"n{number}" for number in range(800)]
    with pytest.raises(AnalysisError, match=says):
        fairness(columns, asked)


def _alarms(runs: int, share: tuple[float, ...], seed: int) -> float:
    """In how many of the runs some group is said to differ; predictions of 400, 200 and 60 by group."""
    random = np.random.default_rng(seed)
    names = np.repeat(["a", "b", "c"], (400, 200, 60))
    yes = np.repeat(share, (400, 200, 60))
    found = 0
    for _ in range(runs):
        true, said = random.random(660) < 0.5, random.random(660) < yes
        columns = {"label": said.tolist(), "label_true": true.tolist(), "group": names.tolist()}
        found += any(each.verdict == "differs" for each in fairness(columns, Question("group", "true")).rates)
    return found / runs


def test_groups_that_are_alike_raise_an_alarm_by_chance_in_one_of_twenty_at_most() -> None:
    assert _alarms(200, (0.3, 0.3, 0.3), 1) <= 0.05 + 2 * (0.05 * 0.95 / 200) ** 0.5


def test_a_group_that_is_not_is_found() -> None:
    assert _alarms(30, (0.3, 0.5, 0.3), 2) > 0.9


@pytest.mark.slow
def test_the_rate_of_false_alarms_over_thousands_of_questions() -> None:
    assert _alarms(5000, (0.3, 0.3, 0.3), 3) <= 0.05 + 2 * (0.05 * 0.95 / 5000) ** 0.5


def test_a_gap_s_interval_holds_the_gap_in_nineteen_of_twenty_at_least() -> None:
    random = np.random.default_rng(4)
    rates = {"a": 0.3, "b": 0.35, "c": 0.5}
    held = 0
    for _ in range(200):
        counts = {name: int(random.binomial(150, share)) for name, share in rates.items()}
        found = compared({name: (count, 150 - count, 0, 0) for name, count in counts.items()})
        _, low, high = gap(found, "demographic_parity")
        held += low <= 0.2 <= high
    assert held >= 190


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Predictions of requests from two countries, one of which is refused more often; labels come later."""
    recording = Recording()
    random = np.random.default_rng(5)
    for number in range(1, 401):
        country = "de" if number % 2 else "fr"
        right = "yes" if random.random() < 0.5 else "no"
        said = right if country == "de" or random.random() < 0.7 else "no"
        recording.span(
            number, 1, "POST /score", number * SECOND, MS, kind="SERVER", attributes={"user.country": country}
        )
        facts = {"infersight.prediction.id": f"{number:032x}", "infersight.prediction.label": said}
        recording.log(number * SECOND, "scored", trace=number, event_name="infersight.prediction", attributes=facts)
        later = {"infersight.prediction.id": f"{number:032x}", "infersight.feedback.label": right}
        recording.log((number + 1000) * SECOND, "was right", event_name="infersight.feedback", attributes=later)
    return recording.write(tmp_path_factory.mktemp("fairness") / "store")


def test_groups_come_from_the_attributes_of_the_requests_in_the_store(store: Path, run: Any) -> None:
    outcome = run("model", "fairness", "--by", "user.country", "--positive", "yes", "--store", store)
    answer = outcome.json
    assert outcome.code == 1
    assert answer["groups"] == {"de": 200, "fr": 200}
    differing = {(each["measure"], each["group"]) for each in answer["rates"] if each["verdict"] == "differs"}
    assert ("true_positive_rate", "fr") in differing
    assert ("false_positive_rate", "fr") not in differing
    assert len(answer["evidence"]["trace_ids"]) == 5
    (query,) = answer["evidence"]["sql"]
    with connect(store) as connection:
        counted = {label: having for label, having, _ in connection.execute(query).fetchall()}
    assert sum(counted.values()) == 200


def test_labels_that_came_after_the_window_count(store: Path, run: Any) -> None:
    window = ["--start", "2025-10-09T08:53:20Z", "--end", "2025-10-09T09:03:20Z"]
    answer = run("model", "fairness", "--by", "user.country", "--store", store, *window).json
    assert {each["of"] for each in answer["rates"]} == {200}


def test_the_command_compares_a_file(run: Any, tmp_path: Path) -> None:
    columns = table({"men": (180, 20, 30, 270), "women": (180, 20, 30, 270)})
    rows = zip(*columns.values(), strict=True)
    (tmp_path / "decisions.csv").write_text("label,label_true,group\n" + "".join(f"{','.join(row)}\n" for row in rows))
    asked = ["model", "fairness", "--file", tmp_path / "decisions.csv", "--by", "group", "--positive", "yes"]
    assert run(*asked).code == 0
    text = run(*asked, "--format", "table").out
    assert "no difference found between men and 1 other group" in text
    assert "disparate impact: women over men is 1.00" in text
    assert "gap of equalised odds: 0.0 points" in text
    needs_more = run(*asked, "--least", "1000")
    assert (needs_more.code, needs_more.err) == (3, "need more data: no group can be compared with men\n")
    assert run(*asked, "--cuts", "a").code == 2
