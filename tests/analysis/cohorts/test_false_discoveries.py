"""What is called a discovery: next to nothing where there is nothing, and what was planted where it was."""

from pathlib import Path

import pytest
from tests.analysis.cohorts.populations import EFFECTS, Effect, record
from tests.analysis.recording import Recording

from infersight_analysis import connect
from infersight_analysis.cohorts.comparison import compare
from infersight_analysis.cohorts.question import Question
from infersight_analysis.verbs.compare import slow


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    for seed, effect in enumerate([None, *EFFECTS], 1):
        record(recording, effect.name if effect else "nothing", 1_500, seed, effect)
    return recording.write(tmp_path_factory.mktemp("compare") / "store")


def test_random_halves_differ_in_nothing(store: Path) -> None:
    with connect(store) as connection:
        halves = [Question(f"hash(trace_id || '{seed}') % 2 = 0", service="nothing") for seed in range(20)]
        found = [compare(connection, half).findings for half in halves]
    assert sum(map(bool, found)) <= 1


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.name)
def test_what_was_planted_is_found_first(store: Path, effect: Effect) -> None:
    from dataclasses import replace

    with connect(store) as connection:
        found = compare(connection, replace(slow("300ms"), service=effect.name)).findings
    assert found
    assert sorted(found[0].attributes) == sorted(effect.attributes)
