"""Grouping accuracy and speed of log templates on data of loghub's form.

    python tests/evaluation/log_templates.py DATA

DATA has `<name>/<name>_2k.log_structured.csv` files with the columns Content and EventId (github.com/logpai/loghub).
Grouping accuracy is LogPAI's: the part of the messages whose group has exactly the messages of their event. Each data
set is one service. `at once` learns all its messages before it says a template; `by line` says one for each message
as it comes, from nothing; `by line, again` then learns these templates once more, as a reader of old rows may.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# ruff: noqa: T201
# pyarrow publishes no types.

import csv
import random
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa

from infersight_collector.component import Batch
from infersight_collector.processors.log_templates import LogTemplates
from infersight_collector.signals import Signal
from infersight_collector.store.schema import COLUMNS
from infersight_collector.templates import Miner, masked

TARGET = 0.87
"""The average that is published of Drain, with masks and settings of its own for each data set."""

SPEED_LINES = 100_000


def accuracy(found: Sequence[str], true: Sequence[str]) -> float:
    """LogPAI's grouping accuracy."""
    events = {tuple(rows) for rows in groups(true)}
    return sum(len(rows) for rows in groups(found) if tuple(rows) in events) / len(true)


def groups(labels: Iterable[str]) -> list[list[int]]:
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(labels):
        rows[label].append(row)
    return list(rows.values())


def evaluate(contents: Sequence[str], events: Sequence[str]) -> list[float]:
    """The three accuracies of one data set."""
    messages = masked(pa.array(contents)).to_pylist()
    miner = Miner()
    by_line = [template for message in messages for template in miner.templates([message])]
    return [accuracy(found, events) for found in (Miner().templates(messages), by_line, Miner().templates(by_line))]


def speed(contents: Sequence[str]) -> float:
    """Lines a second on one core, steady: messages of all data sets with digits of their own in each line."""
    choose = random.Random(1)
    lines = [re.sub(r"\d", lambda _: choose.choice("0123456789"), choose.choice(contents)) for _ in range(SPEED_LINES)]
    columns = {field.name: pa.nulls(len(lines), field.type) for field in COLUMNS["logs"]}
    columns |= {"body": pa.array(lines), "body_type": pa.array(["string"] * len(lines))}
    batch = Batch(Signal.LOGS, {"logs": pa.table(columns)})
    processor = LogTemplates()
    processor.process(batch)
    started = time.process_time()
    processor.process(batch)
    return len(lines) / (time.process_time() - started)


def main(data: Path) -> int:
    files = sorted(data.glob("*/*_2k.log_structured.csv"))
    if not files:
        print(f"skipped: {data} has no <name>/<name>_2k.log_structured.csv (github.com/logpai/loghub has them)")
        return 0
    print(f"{'':12} at once  by line  by line, again")
    contents: list[str] = []
    accuracies: list[list[float]] = []
    for file in files:
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        contents += [row["Content"] for row in rows]
        accuracies.append(evaluate([row["Content"] for row in rows], [row["EventId"] for row in rows]))
        print(f"{file.parent.name:12} " + "  ".join(f"{value:7.3f}" for value in accuracies[-1]))
    averages = [sum(column) / len(files) for column in zip(*accuracies, strict=True)]
    print(f"{'average':12} " + "  ".join(f"{value:7.3f}" for value in averages))
    print(f"{speed(contents):,.0f} lines/s on one core")
    return 0 if min(averages) >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])) if len(sys.argv) == 2 else f"usage: {sys.argv[0]} DATA")
