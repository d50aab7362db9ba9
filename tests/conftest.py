"""Fixtures for tests of several rooms."""
# pyright: reportMissingTypeStubs=false

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from tests.support.collectors import Collectors, RunningCollector, StartCollector

# The same examples in every run, however busy the machine is.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


@pytest.fixture
def start_collector(tmp_path: Path) -> Generator[StartCollector]:
    """Starts collectors for one test."""
    collectors = Collectors(tmp_path)
    yield collectors.start
    collectors.end()


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningCollector]:
    """One collector for the tests of a file, which tell their rows apart by names of their own."""
    collectors = Collectors(tmp_path_factory.mktemp("collector"))
    yield collectors.start()
    collectors.end()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files are spread over the workers, but the scenarios of `pressure` are one worker's: they share a recording."""
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

    # xdist publishes no types
    class TogetherScheduling(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            folder = "tests/pressure/"
            return folder if nodeid.startswith(folder) else str(super()._split_scope(nodeid))

    return TogetherScheduling(config, log) if config.getoption("dist") == "loadfile" else None
