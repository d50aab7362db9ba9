"""The built wheel: what is in it, and that the suite runs against it rather than against the tree."""

import importlib.metadata
import os
import zipfile
from pathlib import Path

import pytest

import infersight
import infersight_analysis
import infersight_collector

PACKAGES = (infersight, infersight_collector, infersight_analysis)


def test_the_suite_imports_the_installed_wheel_and_not_the_tree() -> None:
    wheel = os.environ.get("INFERSIGHT_TEST_WHEEL")
    if wheel is None:
        pytest.skip("the tree is under test: `make test` builds and installs the wheel first")
    for package in PACKAGES:
        assert package.__file__ is not None
        assert Path(package.__file__).is_relative_to(wheel)


def test_the_wheel_holds_the_three_packages_typed_and_every_file_of_the_tree(built_wheel: Path) -> None:
    root = Path(__file__).parents[2]
    expected = {
        str(path.relative_to(folder))
        for folder in (root / "sdk", root / "collector", root / "analysis")
        for path in folder.glob("infersight*/**/*")
        if path.is_file() and path.suffix in {".py", ".sql", ".yaml", ".typed"}
    }
    names = set(zipfile.ZipFile(built_wheel).namelist())
    assert expected <= names
    assert {f"{package.__name__}/py.typed" for package in PACKAGES} <= names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {p.__name__ for p in PACKAGES}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_version_of_the_distribution_is_the_version_of_the_package() -> None:
    assert importlib.metadata.version("infersight") == infersight.__version__
