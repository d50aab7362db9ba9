"""Pages of tests of a model: whole, safe against what inputs and models say, and without anything from elsewhere."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.analysis.report.test_html import HOSTILE, OVERRIDE, Page

from infersight_analysis.fairness.fairness import Question
from infersight_analysis.models.model import Model
from infersight_analysis.report.html.fairness import fairness_page
from infersight_analysis.report.html.regression import regression_page
from infersight_analysis.report.html.robustness import robustness_page
from infersight_analysis.report.html.validation import validation_page
from infersight_analysis.robustness.regressions import rerun
from infersight_analysis.robustness.robustness import measured_robustness
from infersight_analysis.validation.given import validate_given
from infersight_analysis.validation.rules import InputRules
from infersight_analysis.verbs.model.fairness import fairness

TEXT = f"{{{{ 7 * 7 }}}} {HOSTILE} {OVERRIDE}"


def says_its_input(text: str) -> str:
    if text.endswith("."):
        raise ValueError(HOSTILE)
    return text[:60]


def of_robustness() -> str:
    return robustness_page(measured_robustness(Model(says_its_input, HOSTILE), [TEXT] * 3)[0])


def of_regression() -> str:
    line = {"input": TEXT, "label_true": HOSTILE, "label": OVERRIDE, "slice": TEXT, "trace_id": HOSTILE}
    return regression_page(rerun(Model(says_its_input, HOSTILE), [line, {**line, "input": f"{TEXT}."}], HOSTILE))


def of_fairness() -> str:
    groups = [HOSTILE, OVERRIDE] * 100
    columns = {"label": [HOSTILE, "b"] * 100, "label_true": [HOSTILE] * 200, TEXT: groups, "trace_id": groups}
    return fairness_page(fairness(columns, Question(TEXT, HOSTILE)))


def of_validation() -> str:
    return validation_page(validate_given([TEXT], InputRules(max_length=1, fields=(HOSTILE,)), HOSTILE))


PAGES: list[Callable[[], str]] = [of_robustness, of_regression, of_fairness, of_validation]


@pytest.fixture(params=PAGES, ids=lambda page: page.__name__)
def text(request: Any) -> str:
    drawn: str = request.param()
    return drawn


def test_a_page_is_text_and_fetches_nothing(text: str) -> None:
    page = Page(text)
    assert HOSTILE in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert len(page.scripts) == 1
    assert "alert" not in page.scripts[0]
    assert not [tag for tag, _ in page.tags if tag in {"img", "iframe", "object", "link"}]
    assert not page.references()
    assert "\u202e" not in text
    assert "default-src 'none'" in text
    assert len(text.encode()) < 200_000


def test_what_is_not_seen_is_written_out() -> None:
    found, _ = measured_robustness(Model(len, "m"), ["two words"], variations=["unicode"])
    page = Page(robustness_page(found))
    assert "two\\u00a0words" not in page.text  # a no-break space changes no length
    assert re.search(r"\\u200b", page.text)
