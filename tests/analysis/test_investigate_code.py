"""Where the code of a request was: the looks at its stacks, beside the parts of its time."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.recording import MS, T0, Recording, trace_id

from infersight_analysis import connect
from infersight_analysis.findings import CodePlace, Investigation
from infersight_analysis.report.investigation import print_investigation
from infersight_analysis.verbs.investigate import investigate

LIBRARY = "/usr/lib/python3.12/site-packages/fastapi/routing.py"
RUN = f"run_endpoint_function ({LIBRARY}:302)"
WAITS = f"{RUN};predict (/srv/app/main.py:20);Lock.acquire (/usr/lib/python3.12/asyncio/locks.py:104)"
RUNS = f"{RUN};predict (/srv/app/main.py:22);normalise (/srv/app/text.py:7)"
READS = f"{RUN};predict (/srv/app/main.py:24);loads (/usr/lib/python3.12/json/__init__.py:346)"


def profile(stacks: list[str], looks: list[tuple[float, int, bool]]) -> dict[str, Any]:
    """The attributes of a profile; each look is milliseconds since the request began, its stack, and a wait."""
    return {
        "infersight.profile.stacks": stacks,
        "infersight.profile.sample.times": [round(at * 1_000) for at, _, _ in looks],
        "infersight.profile.sample.stacks": [stack for _, stack, _ in looks],
        "infersight.profile.sample.awaiting": [waited for _, _, waited in looks],
    }


def recorded() -> Recording:
    """100 ms: a stage of 20 ms after 60 ms of nothing that a span covers, and a profile with a look every 10 ms."""
    recording = Recording()
    recording.span(1, 1, "POST /predict", 0, 100 * MS, kind="SERVER")
    recording.span(1, 2, "prepare", 60 * MS, 20 * MS, parent=1, attributes={"infersight.operation": "stage"})
    looks = [
        *[(at, 0, True) for at in (5, 15, 25, 35)],
        *[(at, 1, False) for at in (45, 55)],
        *[(at, 2, False) for at in (65, 75)],
        *[(at, 1, False) for at in (85, 95)],
        (100.5, 1, False),  # after its end
    ]
    attributes = profile([WAITS, RUNS, READS], looks)
    recording.log(0, "what the code did", trace=1, span=1, event_name="infersight.profile", attributes=attributes)
    return recording


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Generator[Investigation]:
    with connect(recorded().write(tmp_path_factory.mktemp("code") / "store")) as connection:
        yield investigate(connection, trace_id(1))


def test_each_part_of_the_time_says_where_the_code_was(found: Investigation) -> None:
    assert found.code == [
        CodePlace("unattributed", "normalise", "app/text.py:7", None, False, 4, 8, 40 * MS),
        CodePlace("unattributed", "predict", "app/main.py:20", "Lock.acquire", True, 4, 8, 40 * MS),
        CodePlace("prepare", "predict", "app/main.py:24", "loads", False, 2, 2, 20 * MS),
    ]


def test_it_is_printed(found: Investigation, capsys: pytest.CaptureFixture[str]) -> None:
    print_investigation(found)
    printed = capsys.readouterr().out
    assert "Where its code was, by looks at its stacks" in printed
    assert "predict (app/main.py:20) in Lock.acquire" in printed


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"infersight.profile.stacks": "no list"},
        profile([RUNS], [(5, 7, False)]),
        profile(["no frame"], []),
    ],
)
def test_a_record_that_is_no_profile_says_nothing(attributes: dict[str, Any], tmp_path: Path) -> None:
    recording = Recording()
    recording.span(1, 1, "POST /predict", 0, 100 * MS, kind="SERVER")
    recording.log(0, "odd", trace=1, span=1, event_name="infersight.profile", attributes=attributes)
    with connect(recording.write(tmp_path / "store")) as connection:
        assert investigate(connection, trace_id(1)).code == []


def test_another_process_on_the_path_is_left_to_its_own_profile(tmp_path: Path) -> None:
    """While a callee works, the caller is seen to wait for it; that says nothing of the callee's code."""
    other = "features", "features-1", "1.0"
    recording = Recording()
    recording.span(1, 1, "POST /predict", 0, 100 * MS, kind="SERVER")
    recording.span(1, 2, "GET /features", 20 * MS, 60 * MS, parent=1, kind="SERVER", source=other)
    looks = [(at, 0, True) for at in (10.0, 50.0, 90.0)]
    attributes = profile([WAITS], looks)
    recording.log(0, "what the code did", trace=1, span=1, event_name="infersight.profile", attributes=attributes)
    with connect(recording.write(tmp_path / "store")) as connection:
        (place,) = investigate(connection, trace_id(1)).code
    assert (place.part, place.samples, place.about_ns) == ("unattributed", 2, 40 * MS)


def test_the_evidence_shows_the_profile(tmp_path: Path) -> None:
    with connect(recorded().write(tmp_path / "store")) as connection:
        (sql,) = [sql for sql in investigate(connection, trace_id(1)).evidence.sql if "from logs" in sql]
        rows = connection.execute(f"select event_name, time_ns {sql}").fetchall()
    assert ("infersight.profile", T0) in rows
