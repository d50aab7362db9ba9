"""What is shown of profiles that were taken before, and of two of them."""

import json
from pathlib import Path

import pytest
from tests.analysis.conftest import Run
from tests.analysis.profiles.conftest import Keep

from infersight_analysis.profiles.cpu import stacks_of
from infersight_analysis.profiles.stacks import by_frame, comparable, fold, frame, functions, unfold

MAIN, CALLED = "main (app.py:3)", "work (/site-packages/lib/fast.py:9)"


def test_folded_stacks_are_read_as_they_are_written() -> None:
    stacks = {("a b", "c"): 5, ("a b",): 2}
    assert fold(stacks) == "a b;c 5\na b 2\n"
    assert unfold(fold(stacks)) == stacks
    assert fold({(frame("f;g\n", "x;y.py", 1),): 1}) == "f,g (x,y.py:1) 1\n"


def test_a_function_that_calls_itself_counts_once() -> None:
    assert by_frame({("f", "f", "f"): 3, ("f", "g"): 1}) == {"f": (3, 4), "g": (1, 1)}


def test_lines_of_a_function_are_one() -> None:
    assert functions({("f (a.py:1)",): 3, ("f (a.py:2)", "g"): 1}) == {"f (a.py)": (3, 4), "g": (1, 1)}


def test_what_differs_from_process_to_process_is_no_difference() -> None:
    one = {("Thread 7 MainThread", "f (a.py:1)", frame("0x7f12", "libc.so.6", 0)): 1, ("Thread 8", "g"): 1}
    other = {
        ("Thread 70 MainThread", "f (a.py:9)", frame("0x7a99", "libc.so.6", 0)): 1,
        ("Process 8 Thread 80", "g"): 1,
    }
    assert comparable(one) == comparable(other)
    assert set(comparable(one)) == {("Thread MainThread", "f (a.py)", "? (libc.so.6)"), ("Thread ?", "g")}
    assert functions(one) == {"f (a.py)": (0, 1), "? (libc.so.6)": (1, 1), "g": (1, 1)}


def test_threads_are_told_apart_where_there_are_several() -> None:
    frames = [{"name": "g", "file": "a.py", "line": 2}, {"name": "f", "file": None, "line": None}]
    first = {"name": 'Thread 7 "MainThread"', "samples": [[1, 0], [1, 0], [1], []]}
    second = {"name": 'Thread 8 ""', "samples": [[1]]}
    alone = stacks_of({"shared": {"frames": frames}, "profiles": [first, {"name": "idle", "samples": []}]})
    assert alone == {("f", "g (a.py:2)"): 2, ("f",): 1}
    assert stacks_of({"shared": {"frames": frames}, "profiles": [first, second]}) == {
        ("Thread 7 MainThread", "f", "g (a.py:2)"): 2,
        ("Thread 7 MainThread", "f"): 1,
        ("Thread 8", "f"): 1,
    }


def test_a_profile_is_found_by_the_begin_of_its_id(store: Path, keep: Keep, run: Run) -> None:
    first = keep({(MAIN,): 1})
    second = keep({(MAIN,): 1})
    other = keep({("a",): 9}, kind="memory", unit="bytes", start_ns=2 * 10**18)
    assert first.id == "cpu-20010909-014640-7"
    assert second.id == f"{first.id}-2"

    def shown(name: str) -> str:
        return str(run("profile", "show", name, "--store", store).json["profile"]["id"])

    assert shown(first.id) == first.id
    assert shown("last") == shown("mem") == other.id
    assert shown("last-cpu") == first.id
    ambiguous = run("profile", "show", "cpu-2001", "--store", store)
    assert (ambiguous.code, "more than one profile begins with cpu-2001" in ambiguous.err) == (2, True)
    unknown = run("profile", "show", "gpu", "--store", store)
    assert unknown.err == "no profile begins with gpu: `infersight profile list` shows them\n"


def test_a_store_without_profiles_says_how_to_take_one(store: Path, run: Run) -> None:
    assert run("profile", "list", "--store", store).json == {"profiles": [], "damaged": []}
    assert "infersight profile cpu --pid" in run("profile", "list", "--format", "table", "--store", store).out
    assert "infersight profile cpu --pid" in run("profile", "show", "last", "--store", store).err


def test_a_profile_that_was_changed_is_refused(store: Path, keep: Keep, run: Run) -> None:
    profile = keep({(MAIN,): 1})
    path = store / "profiles" / profile.id / "profile.folded"
    path.write_text("other 5\n")
    assert "is not as it was written" in run("profile", "show", "last", "--store", store).err


@pytest.mark.parametrize("form", ["html", "svg"])
def test_a_flame_graph_has_the_frames_with_what_they_took(form: str, store: Path, keep: Keep, run: Run) -> None:
    keep({(MAIN, CALLED): 30, (MAIN,): 10})
    text = run("profile", "show", "last", "--format", form, "--store", store).out
    assert "work (/site-packages/lib/fast.py:9): 30 samples (300 ms), 75.0%" in text
    assert 'data-x="0.0" data-w="75.0"' in text


def test_the_table_says_functions_and_shares(store: Path, keep: Keep, run: Run) -> None:
    keep({(MAIN, CALLED): 30, (MAIN,): 10})
    table = run("profile", "show", "last", "--format", "table", "--store", store).out
    assert "40 samples (400 ms), 100 looks a second" in table
    assert [word for word in row(table, "work") if word[0] in "w7"] == ["work", "75.0%", "75.0%"]
    assert "no traces of this process in that time" in table


def row(table: str, begin: str) -> list[str]:
    return next(line.split() for line in table.splitlines() if line.startswith(begin))


def test_a_chrome_trace_is_of_models_only(store: Path, keep: Keep, run: Run) -> None:
    keep({(MAIN,): 1})
    outcome = run("profile", "show", "last", "--format", "chrome", "--store", store)
    assert (outcome.code, "has no Chrome trace" in outcome.err) == (2, True)


def test_a_difference_is_one_of_shares_with_its_interval(store: Path, keep: Keep, run: Run) -> None:
    keep({(MAIN, CALLED): 300, (MAIN,): 700, ("gone (a.py:1)",): 5}, start_ns=10**18)
    keep({(MAIN, CALLED): 160, (MAIN,): 40, ("new (b.py:2)",): 1}, start_ns=2 * 10**18)
    found = run("profile", "diff", "cpu-2001", "last", "--store", store).json
    assert (found["before"]["total"], found["after"]["total"]) == (1005, 201)
    changes = {change["function"].split()[0]: change for change in found["functions"]}
    assert found["functions"][0]["function"].startswith(("work", "main"))
    work = changes["work"]
    assert work["own_difference"] == pytest.approx(160 / 201 - 300 / 1005)
    assert work["own_low"] < work["own_difference"] < work["own_high"]
    assert work["own_low"] > 0.4
    assert work["q_value"] < 1e-6
    assert changes["new"]["own_share_before"] == 0
    assert changes["new"]["q_value"] > 0.05
    assert changes["main"]["total_difference"] == pytest.approx(200 / 201 - 1000 / 1005)


def test_the_same_code_on_other_lines_is_no_difference(store: Path, keep: Keep, run: Run) -> None:
    keep({("f (a.py:1)",): 10}, start_ns=10**18)
    keep({("f (a.py:8)",): 20}, start_ns=2 * 10**18)
    (change,) = run("profile", "diff", "cpu-2001", "last", "--store", store).json["functions"]
    assert (change["own_difference"], change["q_value"]) == (0, 1)
    graph = run("profile", "diff", "cpu-2001", "last", "--format", "svg", "--store", store).out
    assert "f (a.py): 100.0%, before 100.0% (+0.0%)" in graph
    assert 'class="frame more' not in graph


def test_a_differential_flame_graph_is_coloured_by_the_difference(store: Path, keep: Keep, run: Run) -> None:
    keep({(MAIN, CALLED): 10, (MAIN, "other (a.py:1)"): 90}, start_ns=10**18)
    keep({(MAIN, CALLED): 60, (MAIN, "other (a.py:1)"): 40}, start_ns=2 * 10**18)
    for form in ("svg", "html"):
        text = run("profile", "diff", "cpu-2001", "last", "--format", form, "--store", store).out
        assert 'class="frame more3"' in text
        assert 'class="frame less3"' in text
        assert "work (/site-packages/lib/fast.py): 60.0%, before 10.0% (+50.0%)" in text


def test_profiles_of_different_kinds_are_not_compared(store: Path, keep: Keep, run: Run) -> None:
    keep({(MAIN,): 1})
    keep({("a",): 9}, kind="memory", unit="bytes")
    outcome = run("profile", "diff", "last-cpu", "last-memory", "--store", store)
    assert (outcome.code, "compare profiles of one kind" in outcome.err) == (2, True)


def test_memory_has_differences_without_intervals(store: Path, keep: Keep, run: Run) -> None:
    keep({("a",): 100, ("b",): 100}, kind="memory", unit="bytes", start_ns=10**18)
    keep({("a",): 100, ("b",): 300}, kind="memory", unit="bytes", start_ns=2 * 10**18)
    found = run("profile", "diff", "memory-2001", "last", "--store", store).json["functions"]
    assert {(change["function"], change["own_difference"], change["own_low"]) for change in found} == {
        ("a", -0.25, None), ("b", 0.25, None),
    }  # fmt: skip
    assert run("profile", "diff", "memory-2001", "last", "--format", "table", "--store", store).code == 0


def test_the_manifest_says_what_the_files_are(store: Path, keep: Keep) -> None:
    profile = keep({(MAIN,): 3})
    path = store / "profiles" / profile.id
    assert sorted(file.name for file in path.iterdir()) == ["profile.folded", "profile.json", "profile.original"]
    manifest = json.loads((path / "profile.json").read_text())
    assert (manifest["kind"], manifest["pid"], manifest["total"], manifest["rate"]) == ("cpu", 7, 3, 100.0)
    assert len(manifest["sha256"]) == 64


def test_a_damaged_manifest_is_a_line_and_the_others_are_listed(store: Path, keep: Keep, run: Run) -> None:
    sound, torn, empty = (keep({(MAIN,): 3}, start_ns=number * 10**18) for number in (1, 2, 3))
    (store / "profiles" / torn.id / "profile.json").write_text('{"id": "cpu')
    (store / "profiles" / empty.id / "profile.json").unlink()
    (store / "profiles" / ".cpu-9.77.partial").mkdir()
    outcome = run("profile", "list", "--store", store)
    assert (outcome.code, [each["id"] for each in outcome.json["profiles"]]) == (0, [sound.id])
    assert outcome.err.splitlines() == outcome.json["damaged"]
    assert [torn.id in outcome.err, empty.id in outcome.err, outcome.err.count("\n")] == [True, True, 2]
    assert run("profile", "show", "last", "--store", store).json["profile"]["id"] == sound.id
    shown = run("profile", "show", torn.id, "--store", store)
    assert (shown.code, shown.err.startswith("cannot read the profile ")) == (2, True)


def test_a_directory_of_damaged_profiles_only_still_names_them(store: Path, keep: Keep, run: Run) -> None:
    torn = keep({(MAIN,): 3})
    (store / "profiles" / torn.id / "profile.json").write_text("[]")
    assert torn.id in run("profile", "list", "--format", "table", "--store", store).err
    assert "no profile begins with last" in run("profile", "show", "last", "--store", store).err
