"""What the evaluations of `rootcause` share: an incident imported into a store, and the verb asked about it."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

INFERSIGHT: Final = str(Path(sys.executable).with_name("infersight"))
LONGEST: Final = 50
"""Services of a ranking."""


def ranking(files: Sequence[Path], *arguments: str) -> list[dict[str, Any]]:
    """The suspects of an incident, the likeliest first: OTLP files imported, then `infersight rootcause ARGUMENTS`."""
    with tempfile.TemporaryDirectory() as directory:
        store = str(Path(directory) / "store")
        _run("import", *map(str, files), "--store", store)
        found = _run("rootcause", *arguments, "--limit", str(LONGEST), "--store", store, "--format", "json")
    services: list[dict[str, Any]] = json.loads(found)["services"]
    return services


def _run(*arguments: str) -> str:
    run = subprocess.run([INFERSIGHT, *arguments], capture_output=True, text=True, check=False)
    if run.returncode not in (0, 3):
        sys.exit(f"infersight {' '.join(arguments)}: {run.stderr}")
    return run.stdout


def write(out: Path, suspects: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Write the rankings and print them: of each case the first three services and their scores."""
    ranks = {case: [each["service"] for each in found] for case, found in suspects.items()}
    out.write_text(json.dumps(ranks, indent=1))
    for case, found in suspects.items():
        first = ", ".join(f"{each['service']} {each['score']:.1f}" for each in found[:3])
        print(f"{case:22} {first}")  # noqa: T201
