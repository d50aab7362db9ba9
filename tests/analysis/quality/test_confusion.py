"""What is taken for what, against numbers by hand."""

import pytest

from infersight_analysis.quality.confusion import MOST_CLASSES, Cells
from infersight_analysis.quality.tables import predictions_of
from infersight_analysis.stats.proportions import wilson


def test_a_published_confusion_matrix_with_its_scores() -> None:
    # The example of scikit-learn's documentation of confusion_matrix and classification_report.
    cells = Cells.of(
        predictions_of(
            {
                "label_true": ["cat", "ant", "cat", "cat", "ant", "bird"],
                "label": ["ant", "ant", "cat", "cat", "ant", "cat"],
            }
        )
    )
    table = cells.table()
    assert table is not None
    assert table.labels == ["ant", "bird", "cat"]
    assert table.counts == [[2, 0, 0], [0, 0, 1], [1, 0, 2]]
    of = {each.label: each for each in cells.qualities()}
    assert of["cat"].precision.share == pytest.approx(2 / 3)
    assert of["cat"].recall.share == pytest.approx(2 / 3)
    assert of["cat"].mistaken_for == [("ant", 1)]
    assert of["ant"].f1 == pytest.approx(0.8)
    assert of["bird"].precision.share is None
    assert of["bird"].recall.share == 0
    assert of["cat"].recall.interval == wilson(2, 3)


def test_rare_classes_are_one() -> None:
    common = [f"class {number:02}" for number in range(MOST_CLASSES) for _ in range(5)]
    rare = [f"rare {number}" for number in range(7)]
    cells = Cells.of(predictions_of({"label_true": common + rare, "label": [*common, *rare[1:], rare[0]]}))
    table = cells.table()
    assert table is not None
    assert table.labels[-1] == "other"
    assert table.counts[-1][-1] == 7
    assert sum(map(sum, table.counts)) == len(common) + len(rare)
    assert len(cells.qualities()) == MOST_CLASSES + 7


def test_without_labels_there_is_no_table() -> None:
    cells = Cells.of(predictions_of({"label": ["a", "b"]}))
    assert cells.table() is None
    assert cells.qualities() == []
