"""Tables out of files, with the words that are in them."""

from pathlib import Path

from infersight_analysis.tabular import read_table


def test_yes_and_no_stay_what_they_are_and_true_and_false_are_booleans(tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text("said,is,number,when\nyes,true,1,2026-01-01\nno,False,2.5,2026-01-02\nyes,,3,\n")
    table = read_table(file)
    assert table.column("said").to_pylist() == ["yes", "no", "yes"]
    assert table.column("is").to_pylist() == [True, False, None]
    assert table.column("number").to_pylist() == [1.0, 2.5, 3.0]
    assert str(table.schema.field("when").type).startswith("date")
