"""The streaming anomaly detector on the series of the Numenta Anomaly Benchmark.

    python tests/evaluation/nab.py DATA OUT

DATA has `<category>/<file>.csv` with the columns timestamp and value (github.com/numenta/NAB has them in `data/`), OUT
gets `<category>/infersight_<file>.csv` with timestamp, value, anomaly_score and label, as NAB's own runner reads them
from `results/infersight/`. Each point is judged by those before it, in all series with the same settings. Where DATA
has the labelled windows (`windows.json` or `combined_windows.json`), NAB's score is printed; they are read after all
series have been scored.
"""

# ruff: noqa: T201

import csv
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parents[2]))  # so that it runs from anywhere

from tests.evaluation.nab_scorer import PROFILES, Scored, nab_score, probation

from infersight_analysis.anomalies.detector import Detector
from infersight_analysis.anomalies.tails import CERTAIN

Numbers = npt.NDArray[np.float64]
Times = npt.NDArray[np.datetime64]

TARGET: Final = 60.0
PUBLISHED: Final = {
    "ARTime": 74.9,
    "Numenta HTM": 70.5,
    "CAD OSE": 69.9,
    "Random Cut Forest": 51.7,
    "Windowed Gaussian": 39.6,
}
"""Standard profile, all 58 series."""

_DAY: Final = np.timedelta64(1, "D")
_LABELS: Final = ("windows.json", "combined_windows.json")


def read(file: Path) -> tuple[Times, Numbers]:
    """Times and values of a series; without a value it is a gap."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    times = np.array([row["timestamp"][:19] for row in rows], "datetime64[s]")
    return times, np.array([float(row["value"] or "nan") for row in rows])


def anomaly_scores(times: Times, values: Numbers) -> Numbers:
    """The score of each point, 0 to 1, from those before it; an alarm counts once, where it begins."""
    step = np.median(np.diff(times))
    detector = Detector(1, warm_up=max(40, probation(len(values))), period=round(_DAY / step))
    found = detector.update(values[None])
    told = found.alarms | (found.surprise < detector.level)
    scores: Numbers = (np.where(told, found.surprise, 0.0) / CERTAIN)[0]
    return scores


def write(file: Path, times: Times, values: Numbers, scored: Scored) -> None:
    """NAB's file of results."""
    labels = np.zeros(len(values), np.int64)
    for first, last in scored.windows:
        labels[first : last + 1] = 1
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("timestamp", "value", "anomaly_score", "label"))
        stamps = (str(moment).replace("T", " ") for moment in times)
        writer.writerows(zip(stamps, values.tolist(), scored.scores.tolist(), labels.tolist(), strict=True))


def windows_of(data: Path, times: Mapping[str, Times]) -> dict[str, list[tuple[int, int]]]:
    """First and last point of each labelled window of each series; nothing where there are no labels."""
    file = next((data / name for name in _LABELS if (data / name).exists()), None)
    labels: dict[str, list[tuple[str, str]]] = json.loads(file.read_text("utf-8")) if file else {}
    found: dict[str, list[tuple[int, int]]] = {}
    for name, stamps in times.items():
        ends = [[np.datetime64(moment[:19]) for moment in window] for window in labels.get(name, [])]
        found[name] = [
            (int(np.searchsorted(stamps, first)), int(np.searchsorted(stamps, last, "right")) - 1)
            for first, last in ends
        ]
    return found


def report(scored: Mapping[str, Scored]) -> float:
    """Print the scores, and what was found in which series; the score of the standard profile."""
    verdict = nab_score(scored)
    print(f"{'':64} windows found false alarms")
    for name, (windows, found, false_alarms) in verdict.series.items():
        print(f"{name:64} {windows:7} {found:5} {false_alarms:12}")
    for profile, weights in PROFILES.items():
        print(f"{profile}: {nab_score(scored, weights).score:.1f}")
    print("published, standard, of all 58 series: " + ", ".join(f"{name} {score}" for name, score in PUBLISHED.items()))
    return verdict.score


def main(data: Path, out: Path) -> int:
    """Score all series, write the files, and print NAB's score where there are labels."""
    files = {file.relative_to(data).as_posix(): file for file in sorted(data.glob("*/*.csv"))}
    if not files:
        print(f"skipped: {data} has no <category>/<file>.csv (github.com/numenta/NAB has them in data/)")
        return 0
    series = {name: read(file) for name, file in files.items()}
    started = time.process_time()
    scores = {name: anomaly_scores(*one) for name, one in series.items()}
    points = sum(len(values) for _, values in series.values())
    print(f"{points:,} points of {len(series)} series, {points / (time.process_time() - started):,.0f} points/s")
    windows = windows_of(data, {name: times for name, (times, _) in series.items()})
    scored = {name: Scored(scores[name], windows[name]) for name in series}
    for name, (times, values) in series.items():
        place = Path(name)
        write(out / place.parent / f"infersight_{place.name}", times, values, scored[name])
    if not any(windows.values()):
        print("no labelled windows: no score")
        return 0
    return 0 if report(scored) >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])) if len(sys.argv) == 3 else f"usage: {sys.argv[0]} DATA OUT")
