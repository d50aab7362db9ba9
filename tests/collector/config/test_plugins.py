"""Processors of other distributions: found when they are named, and named when they cannot be used."""

# pyright: reportUnknownMemberType=false
# pytest does not type `syspath_prepend`.

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infersight_collector.config import ConfigError, load
from infersight_collector.pipeline import KINDS, build
from infersight_collector.plugins import ProcessorKinds
from infersight_collector.processors.batch import BatchProcessor

CONFIGURATION = """\
receivers: {otlp: }
processors:
  KIND: {}
exporters: {store: }
service: {pipelines: {traces: {receivers: [otlp], processors: [KIND], exporters: [store]}}}
"""

MODULE = """
from dataclasses import dataclass
from infersight_collector.component import Batch

@dataclass
class Upper:
    key: str = "name"
    def process(self, batch: Batch) -> Batch:
        return batch

class Plain:
    def process(self, batch): ...

@dataclass
class Idle:
    key: str = "name"
"""


Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Writes distributions into a directory that Python looks into."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "third_party.py").write_text(MODULE)

    def write(distribution: str, **points: str) -> None:
        information = tmp_path / f"{distribution}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in points.items()]
        (information / "entry_points.txt").write_text("\n".join(["[infersight.processors]", *lines]))

    yield write
    sys.modules.pop("third_party", None)


def built(kind: str) -> object:
    kinds = {**KINDS, "processors": ProcessorKinds({"batch": BatchProcessor})}
    graph = build(load(CONFIGURATION.replace("KIND", kind), "file.yaml", kinds, {}))
    return graph.processors[kind]


def refusal(kind: str) -> str:
    with pytest.raises(ConfigError) as refused:
        built(kind)
    return str(refused.value)


def test_a_processor_of_another_distribution_is_found_by_its_entry_point(install: Install) -> None:
    install("shouting", upper="third_party:Upper")
    found = built("upper")
    assert (type(found).__name__, vars(found)) == ("Upper", {"key": "name"})
    assert type(built("upper/second")).__name__ == "Upper"


def test_a_built_in_processor_goes_before_one_of_the_same_name(install: Install) -> None:
    install("impostor", batch="third_party:Upper")
    assert isinstance(built("batch"), BatchProcessor)


def test_a_mistyped_name_is_compared_with_those_of_other_distributions_too(install: Install) -> None:
    install("shouting", upper="third_party:Upper")
    assert refusal("uper") == "file.yaml:3: unknown processor 'uper': did you mean 'upper'?"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("third_party:Plain", "is no dataclass with a method process(batch): third_party:Plain"),
        ("third_party:Idle", "is no dataclass with a method process(batch)"),
        ("third_party:Absent", "cannot be loaded from third_party:Absent: AttributeError"),
        ("no_such_module:X", "cannot be loaded from no_such_module:X: ModuleNotFoundError"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_distribution(install: Install, value: str, message: str) -> None:
    install("broken", strange=value)
    found = refusal("strange")
    assert found.startswith("file.yaml:3: the processor 'strange' of the distribution broken 1.0 ")
    assert message in found


def test_two_distributions_of_one_name_are_both_named(install: Install) -> None:
    install("first", upper="third_party:Upper")
    install("second", upper="third_party:Upper")
    assert "is in first 1.0 and second 1.0: uninstall all but one" in refusal("upper")
