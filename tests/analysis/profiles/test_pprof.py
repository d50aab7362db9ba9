"""Profiles in the format of pprof, read by a parser of its wire format that knows nothing of how they are written."""

import gzip
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.analysis.conftest import Run
from tests.analysis.profiles.conftest import Keep

MAIN, CALLED = "main (app.py:3)", "work (/site-packages/lib (x)/fast.py:9)"
NATIVE = "void (anonymous)::f(int) (lib.so)"


def read(content: bytes) -> Any:
    """A profile as plain values: sample types, samples as frames from the innermost on with their values, and times."""
    fields = message(gzip.decompress(content))
    strings = [text.decode() for text in fields[6]]
    assert strings[0] == ""
    functions: dict[int, tuple[str, str]] = {}
    for each in map(message, fields[5]):
        functions[each[1][0]] = strings[each[2][0]], strings[(each[4] or [0])[0]]
    locations: dict[int, tuple[str, str, int]] = {}
    for each in map(message, fields[4]):
        (line,) = map(message, each[4])
        locations[each[1][0]] = (*functions[line[1][0]], (line[2] or [0])[0])
    types = [(strings[each[1][0]], strings[each[2][0]]) for each in map(message, fields[1])]
    samples = {
        tuple(locations[number] for number in packed(each[1])): packed(each[2]) for each in map(message, fields[2])
    }
    period = [strings[number] for each in map(message, fields[11]) for number in (each[1][0], each[2][0])]
    times = [(fields[number] or [0])[0] for number in (9, 10, 12)]
    return {"types": types, "samples": samples, "times": times, "period": period, "comments": [
        strings[number] for number in packed(fields[13])
    ]}  # fmt: skip


def message(content: bytes) -> defaultdict[int, list[Any]]:
    """The fields of a message of protocol buffers by number: integers, and bytes of what has a length."""
    fields: defaultdict[int, list[Any]] = defaultdict(list)
    numbers = iter(content)
    while (key := varint(numbers)) is not None:
        value = varint(numbers)
        assert value is not None
        assert key & 7 in {0, 2}
        fields[key >> 3].append(value if key & 7 == 0 else bytes(next(numbers) for _ in range(value)))
    return fields


def varint(numbers: Iterator[int]) -> int | None:
    value, shift = 0, 0
    for number in numbers:
        value |= (number & 0x7F) << shift
        shift += 7
        if number < 0x80:
            return value
    return None


def packed(parts: list[Any]) -> list[int]:
    numbers = iter(b"".join(parts))
    return list(iter(lambda: varint(numbers), None))


def written(run: Run, store: Path, profile_id: str = "last") -> Any:
    path = store.parent / "profile.pb.gz"
    assert run("profile", "show", profile_id, "--output", path, "--store", store).code == 0
    return read(path.read_bytes())


def test_samples_are_counted_and_timed_with_the_innermost_frame_first(store: Path, keep: Keep, run: Run) -> None:
    profile = keep({("Thread 7 MainThread", MAIN, CALLED): 300, (MAIN,): 10, (MAIN, NATIVE): 1})
    main, work = ("main", "app.py", 3), ("work", "/site-packages/lib (x)/fast.py", 9)
    assert written(run, store) == {
        "types": [("samples", "count"), ("cpu", "nanoseconds")],
        "samples": {
            (work, main, ("Thread 7 MainThread", "", 0)): [300, 3_000_000_000],
            (main,): [10, 100_000_000],
            (("void (anonymous)::f(int)", "lib.so", 0), main): [1, 10_000_000],
        },
        "times": [10**18, 10**9, 10_000_000],
        "period": ["cpu", "nanoseconds"],
        "comments": [profile.id, "python app.py"],
    }


OPERATORS = (("aten::addmm", "", 0), ("aten::linear", "", 0))


def test_memory_is_what_was_in_use_in_bytes(store: Path, keep: Keep, run: Run) -> None:
    keep({("aten::linear", "aten::addmm"): 2**40}, kind="memory", unit="bytes")
    found = written(run, store)
    assert (found["types"], found["period"]) == ([("inuse_space", "bytes")], [])
    assert found["samples"] == {OPERATORS: [2**40]}


def test_operators_are_timed_in_nanoseconds(store: Path, keep: Keep, run: Run) -> None:
    keep({("aten::linear", "aten::addmm"): 2**40}, kind="model", unit="us")
    found = written(run, store)
    assert (found["types"], found["period"]) == ([("time", "nanoseconds")], [])
    assert found["samples"] == {OPERATORS: [2**40 * 1_000]}


def test_the_same_profile_gives_the_same_bytes_on_a_pipe(store: Path, keep: Keep) -> None:
    keep({(MAIN, CALLED): 3, ("größe (é.py:1)",): 1})
    command = [sys.executable, "-m", "infersight_analysis", "profile", "show", "last", "--format", "pprof"]
    once, again = (subprocess.check_output([*command, "--store", str(store)]) for _ in range(2))
    assert once == again
    assert [("größe", "é.py", 1)] in [list(stack) for stack in read(once)["samples"]]


def test_a_changed_profile_is_not_written(store: Path, keep: Keep, run: Run) -> None:
    profile = keep({(MAIN,): 1})
    (store / "profiles" / profile.id / "profile.folded").write_text("other 5\n")
    outcome = run("profile", "show", "last", "--format", "pprof", "--store", store)
    assert (outcome.code, outcome.out, "is not as it was written" in outcome.err) == (2, "", True)
