"""Asks a store that is being written to, again and again, until its standard input ends.

`python reader.py STORE PAUSE_S` opens the store anew for each round of questions, waits PAUSE_S between two rounds, and
prints one JSON object: how many rounds, the median and the longest of them in seconds. It fails on an error, and when
the store has fewer spans than it had before.
"""

import json
import select
import sys
import time
from pathlib import Path
from statistics import median

from infersight_analysis.database import connect

QUESTIONS = (
    "select count(*) from spans",
    "select name, count(*), quantile_cont(duration_ns, 0.99) from spans group by name",
    "select * from spans where trace_id = (select max(trace_id) from spans)",
)


def main() -> None:
    """Ask until nobody wants to know any more."""
    store, pause_s = Path(sys.argv[1]), float(sys.argv[2])
    most = 0
    taken: list[float] = []
    while not select.select([sys.stdin], [], [], pause_s)[0]:
        begin = time.perf_counter()
        with connect(store, threads=1) as connection:
            answers = [connection.execute(question).fetchall() for question in QUESTIONS]
        taken.append(time.perf_counter() - begin)
        count = int(answers[0][0][0])
        if count < most:
            raise SystemExit(f"{count} spans, {most} before")
        most = count
    print(json.dumps({"rounds": len(taken), "median_s": median(taken or [0]), "longest_s": max(taken, default=0)}))


if __name__ == "__main__":
    main()
