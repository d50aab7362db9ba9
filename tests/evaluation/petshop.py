"""Where performance issues that were injected into PetShop began, as `infersight rootcause` ranks it.

    python tests/evaluation/petshop.py DATA OUT.json

DATA has `cases.json` with the times of each issue and where it was noticed, and a folder for each scenario:
`graph.json` with the calls, `noissue.metrics.otlp.pb.gz` with a time without issues, and `issues/` with the metrics of
each case. It is made from PetShop (github.com/amazon-science/petshop-root-cause-analysis, CC-BY-4.0). There are neither
traces nor logs. OUT.json is `{case: [service, ...]}`, the likeliest first. What the right answers are is not read.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))  # so that it runs from anywhere

from tests.evaluation.rankings import ranking, write


def times(case: dict[str, Any]) -> list[str]:
    """The issue and the normal time; a window of seconds has the reading at its end."""
    during, before = case["issue_window_unix"], case["normal_window_unix"]
    return [
        *("--start", _iso(during[0]), "--end", _iso(during[1] + 1)),
        *(("--baseline-start", _iso(before[0]), "--baseline-end", _iso(before[1] + 1)) if before else ()),
    ]


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def main(data: Path, out: Path) -> int:
    found: dict[str, list[dict[str, Any]]] = {}
    for case in json.loads((data / "cases.json").read_text())["cases"]:
        scenario, name, target = data / case["scenario"], case["case_id"], case["target"]
        files = [scenario / "noissue.metrics.otlp.pb.gz", scenario / "issues" / f"{name}.metrics.otlp.pb.gz"]
        symptom = f"{target['node']}:{target['metric']}"
        known = ["--symptom", symptom, "--calls", str(scenario / "graph.json")]
        found[name] = ranking([file for file in files if file.exists()], *times(case), *known)
    write(out, found)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])) if len(sys.argv) == 3 else f"usage: {sys.argv[0]} DATA OUT.json")
