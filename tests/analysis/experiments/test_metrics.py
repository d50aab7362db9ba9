"""How metrics and the differences that matter are written."""

import pytest

from infersight_analysis.errors import AnalysisError
from infersight_analysis.experiments.metrics import Margin, Metric, shown
from infersight_analysis.experiments.question import Question, split_of


@pytest.mark.parametrize(
    ("text", "name", "higher_is_better"),
    [
        ("errors", "errors", False),
        ("duration", "duration p95", False),
        ("duration,median", "duration median", False),
        ("duration,p99.9", "duration p99.9", False),
        ("accuracy", "accuracy", True),
        ("label=positive", "label=positive", True),
        ("label=spam,lower", "label=spam", False),
        ("app.cart.value,mean", "app.cart.value mean", True),
        ("converted,any", "converted any", True),
        ("clicks/views", "clicks/views", True),
    ],
)
def test_a_metric_says_what_is_measured_and_which_way_is_better(
    text: str, name: str, *, higher_is_better: bool
) -> None:
    metric = Metric.of(text)
    assert (metric.name, metric.higher_is_better) == (name, higher_is_better)


def test_a_quantile_is_known_by_its_share() -> None:
    found = [Metric.of(f"x,{word}").quantile for word in ("median", "p5", "p99.9")]
    assert found == pytest.approx([0.5, 0.05, 0.999])
    assert Metric.of("x,mean").quantile is None


@pytest.mark.parametrize(
    ("text", "of_200"), [("5%", 10.0), ("2pp", 0.02), ("0.3", 0.3), ("20ms", 20_000_000.0), ("1.5s", 1.5e9)]
)
def test_a_margin_is_relative_or_in_the_metric_s_unit(text: str, of_200: float) -> None:
    assert Margin.of(text).absolute(200.0) == pytest.approx(of_200)
    assert Margin.of(text).absolute(-200.0) == pytest.approx(of_200)


@pytest.mark.parametrize("text", ["", ",rate", "x/", "x,fast", "x,matters=much", "a/b,rate", "x,p0x"])
def test_what_is_no_metric_is_said_in_one_line(text: str) -> None:
    with pytest.raises(AnalysisError) as raised:
        Metric.of(text)
    assert "\n" not in str(raised.value)


def test_values_are_shown_in_their_unit() -> None:
    assert shown(0.0512, "share") == "5.12 %"
    assert shown(0.0512, "share", signed=True) == "+5.12 pp"
    assert shown(-2.5e6, "ns", signed=True) == "-2.50 ms"
    assert shown(1234.5, "") == "1,234" or shown(1234.5, "") == "1,235"


def test_a_split_names_every_variant() -> None:
    assert split_of("A=90, B = 10") == {"A": 90.0, "B": 10.0}
    question = Question("v", (), split={"A": 1.0, "C": 1.0})
    with pytest.raises(AnalysisError, match="the variants are A, B"):
        question.arms(["A", "B"])
    for wrong in ("A", "A=x", "A=-1,B=2", "=3"):
        with pytest.raises(AnalysisError, match="a split is written as"):
            split_of(wrong)


def test_the_baseline_is_the_one_that_is_named_so_or_the_one_asked_for() -> None:
    question = Question("v", ())
    assert question.arms(["new", "control"]) == ("control", "new")
    assert question.arms(["Treatment", "Control"]) == ("Control", "Treatment")
    assert question.arms(["true", "false"]) == ("false", "true")
    assert question.arms(["x2", "x1"]) == ("x1", "x2")
    assert Question("v", (), baseline="x2").arms(["x1", "x2", "x3"]) == ("x2", "x1", "x3")
    with pytest.raises(AnalysisError, match="two variants at least"):
        question.arms(["only"])
    with pytest.raises(AnalysisError, match="no variant 'z'"):
        Question("v", (), baseline="z").arms(["x", "y"])
