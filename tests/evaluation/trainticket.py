"""Where faults that were injected into Train Ticket began, as `infersight rootcause` ranks it.

    python tests/evaluation/trainticket.py DATA OUT.json

DATA has a folder for each day: `cases.json` with the times of each incident, `baseline/` with a time without faults,
and a folder for each case, as OTLP. It is made from the data of Nezha (github.com/IntelligentDDS/Nezha, MIT). OUT.json
is `{case: [service, ...]}`, the likeliest first. What the right answers are is not read.
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))  # so that it runs from anywhere

from tests.evaluation.rankings import ranking, write


def times(case: dict[str, Any]) -> list[str]:
    """The incident, and all the time around it of which there is data: the verb leaves the incident out of it."""
    known = (case["normal_window"], case["data_window"], case["metrics_window"])
    start = min(window["start"] for window in known)
    end = max(case["normal_window"]["end"], case["inject_time"])
    during = ("--start", case["inject_time"], "--end", case["fault_window"]["end"])
    return [*during, "--baseline-start", start, "--baseline-end", end]


def main(data: Path, out: Path) -> int:
    found: dict[str, list[dict[str, Any]]] = {}
    for day in sorted(path.parent for path in data.glob("*/cases.json")):
        for case in json.loads((day / "cases.json").read_text())["cases"]:
            files = [day / "baseline", day / case["case_id"]]
            found[case["case_id"]] = ranking(files, *times(case))
    write(out, found)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])) if len(sys.argv) == 3 else f"usage: {sys.argv[0]} DATA OUT.json")
