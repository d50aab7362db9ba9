"""Fixtures for tests of several rooms."""

from collections.abc import Generator
from pathlib import Path

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
