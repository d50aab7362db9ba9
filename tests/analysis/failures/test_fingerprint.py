"""The parts of which a fault is made: frames, templates, words that are values."""

import pytest

from infersight_analysis.failures.fingerprint import (
    Fault,
    fault_of,
    frames_of,
    short_type,
    skeleton_of,
    template_of,
    without_values,
)
from infersight_analysis.failures.stacks.parsing import parse

STACK = """Traceback (most recent call last):
  File "/srv/app/server.py", line {line}, in predict
    return model(tokens)
           ^^^^^^^^^^^^^
  File "/usr/lib/python3.11/site-packages/torch/nn/functional.py", line 2551, in embedding
    return torch.embedding(weight, input)
IndexError: index out of range in self
"""


def test_the_place_of_a_python_exception_is_the_innermost_frame_of_the_application() -> None:
    raised = parse(STACK.format(line=1))
    assert raised is not None
    assert [frame.function for frame in raised.frames] == ["embedding", "predict"]
    assert str(raised.location) == "predict (app/server.py)"


def test_of_chained_exceptions_the_frames_are_those_of_the_last_one_raised() -> None:
    outer = (
        'Traceback (most recent call last):\n  File "/srv/app/main.py", line 3, in handle\n    predict()\nOSError: x\n'
    )
    chained = STACK.format(line=1) + "\nDuring handling of the above exception, another exception occurred:\n\n" + outer
    assert [frame.function for frame in frames_of(chained)] == ["handle"]


@pytest.mark.parametrize(
    ("stack", "functions"),
    [
        ("java.lang.IllegalStateException: x\n\tat com.a.B.run(B.java:7)\n\tat com.a.Main.main(Main.java:3)\n",
         ["com.a.B.run", "com.a.Main.main"]),
        ("TypeError: x is null\n    at load (/srv/app.js:10:5)\n    at Object.<anonymous> (/srv/index.js:1:1)\n",
         ["load", "Object.<anonymous>"]),
        ("goroutine 1 [running]:\nmain.load(0x1, 0x2)\n\t/srv/main.go:12 +0x1d\nmain.main()\n\t/srv/main.go:5 +0x20\n",
         ["main.load", "main.main"]),
        (None, []),
        ("not a stack at all", []),
        ("the train leaves\nat noon\nat the station", []),
    ],
)  # fmt: skip
def test_frames_of_other_languages_are_read_innermost_first(stack: str | None, functions: list[str]) -> None:
    assert [frame.function for frame in frames_of(stack)] == functions


def test_a_fault_stays_when_lines_move_and_is_another_one_when_the_code_differs() -> None:
    one, moved = (fault_of("IndexError", "m", parse(STACK.format(line=line))) for line in (1, 99))
    elsewhere = fault_of("IndexError", "m", parse(STACK.format(line=1).replace("in predict", "in embed")))
    assert one.fingerprint == moved.fingerprint
    assert one.fingerprint != elsewhere.fingerprint
    assert len(one.fingerprint) == 16


@pytest.mark.parametrize(
    ("kind", "short"),
    [
        ("builtins.ValueError", "ValueError"),
        ("shop.Ranker$RankingException", "RankingException"),
        ("*errors.errorString", "errorString"),
        (None, ""),
    ],
)
def test_a_type_is_its_class_without_its_module(kind: str | None, short: str) -> None:
    assert short_type(kind) == short


@pytest.mark.parametrize(
    ("message", "template"),
    [
        ("timeout after 30.5 s for 'alice'", "timeout after * s for *"),
        ("no row 9b2dd0f0-0000-4000-8000-000000000000", "no row *"),
        ("trace 4bf92f3577b34da6a3ce929d0e0e4736 at 10.0.0.1:8080", "trace * at *"),
        ("a deadbeef face", "a deadbeef face"),
        ("first line\nsecond 7", "first line"),
    ],
)
def test_a_template_has_no_values(message: str, template: str) -> None:
    assert template_of(message) == template


@pytest.mark.parametrize(
    ("message", "skeleton"),
    [
        ("user_17 of tenant-3 is locked", "* of * is locked"),
        ("open /data/items/a.bin: permission denied", "open *: permission denied"),
        (r"cannot read C:\data\items", "cannot read *"),
        ("GET https://shop.example/items?id=a failed", "GET * failed"),
        ("dial tcp: lookup db.prod.internal: no such host", "dial tcp: lookup *: no such host"),
        ("mail to ann@example.org bounced", "mail to * bounced"),
        ("shapes (8, 256) and (8, 256, 3)", "shapes (*) and (*)"),
        ("Tried to allocate 2.50 GiB in 20 ms", "Tried to allocate * in *"),
        ("read/write of input and/or output", "read/write of input and/or output"),
    ],
)
def test_what_is_compared_has_no_paths_hosts_units_or_words_with_digits_either(message: str, skeleton: str) -> None:
    assert skeleton_of(message) == skeleton


def test_words_are_values_where_three_differ_at_one_place_and_nothing_else_does() -> None:
    faults = [Fault("E", f"user {name} is {state}") for name in ("ann", "bob", "cleo") for state in ("new", "away")]
    found = without_values([*faults, Fault("F", "user ann is new")])
    assert set(found.values()) == {
        Fault("E", "user * is new"),
        Fault("E", "user * is away"),
        Fault("F", "user ann is new"),
    }
