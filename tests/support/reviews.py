"""Versions of the demo's server of reviews as real processes, under load, with feedback."""

import http.client
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.collectors import RunningCollector, wait_until

from infersight_analysis.demo.lexicon import NEGATIVE, POSITIVE

CONNECTIONS = 8
MAIL = "jane@example.org"
_FILLERS = ("the", "food", "was", "and", "staff", "a", "place", "with", "service", "really", "quite", "we", "found")


@dataclass(frozen=True)
class Candidate:
    """One version of the server, and what it is asked.

    Args:
        regressions: what is planted in it.
        seconds: how long its model takes.
        requests: how many it gets.
        explains: which share of them asks for an explanation.
        mails: which share of them has a mail address in it.
        captures: whether it keeps what it was asked.
    """

    version: str
    regressions: tuple[str, ...] = ()
    seconds: float = 0.1
    requests: int = 600
    explains: float = 0.3
    mails: float = 0.0
    captures: bool = False

    @property
    def environment(self) -> Mapping[str, str]:
        """What makes a process this version."""
        captured = {"INFERSIGHT_CAPTURE_INPUTS": "1", "INFERSIGHT_CAPTURE_CONFIDENCE": "1"}
        return {
            "INFERSIGHT_DEMO_VERSION": self.version,
            "INFERSIGHT_DEMO_REGRESSIONS": ",".join(self.regressions),
            "INFERSIGHT_DEMO_SECONDS": str(self.seconds),
            **(captured if self.captures else {}),
        }


@dataclass(frozen=True)
class Review:
    """A review, its true label, and what is asked about it."""

    text: str
    label: str
    route: str
    body: bytes = field(repr=False)


def reviews(candidate: Candidate, seed: int) -> list[Review]:
    """The reviews that a version gets: one in five in capitals, most of these full of praise."""
    rng = random.Random(seed)
    mails = 1 / candidate.mails if candidate.mails else float("inf")
    return [_review(candidate, rng, number, number % mails >= mails - 1) for number in range(candidate.requests)]


def _review(candidate: Candidate, rng: random.Random, number: int, has_mail: bool) -> Review:
    is_loud = rng.random() < 0.2
    is_positive = rng.random() < (0.8 if is_loud else 0.5)
    words = rng.choices(_FILLERS, k=rng.randint(4, 12)) + rng.choices(POSITIVE if is_positive else NEGATIVE, k=2)
    rng.shuffle(words)
    text = " ".join(words)
    text = text.upper() if is_loud else text
    text = f"{text} {MAIL}" if has_mail else text
    body = json.dumps({"text": text, "user": f"{candidate.version}-{number}"}).encode()
    route = "/explain" if rng.random() < candidate.explains else "/predict"
    return Review(text, "positive" if is_positive else "negative", route, body)


@contextmanager
def serving(collector: RunningCollector, folder: Path, candidates: Sequence[Candidate]) -> Generator[list[int]]:
    """The ports of all versions, which send their telemetry to the collector; they end with the block."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "INFERSIGHT_"))}
    shared = inherited | {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.grpc}",
        "OTEL_METRIC_EXPORT_INTERVAL": "1000",
    }
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "infersight_analysis.demo.reviews:app",
        "--port",
        "0",
        "--no-access-log",
    ]
    logs = [folder / f"server-{candidate.version}.log" for candidate in candidates]
    with ExitStack() as stack:
        for candidate, log in zip(candidates, logs, strict=True):
            output = stack.enter_context(log.open("wb"))
            process = subprocess.Popen(command, env={**shared, **candidate.environment}, stdout=output, stderr=output)
            stack.callback(process.wait, 60)
            stack.callback(process.terminate)
        yield [wait_until(partial(_port, log), 120) for log in logs]


def _port(log: Path) -> int:
    found = re.search(r"running on http://127\.0\.0\.1:(\d+)", log.read_text())
    return int(found[1]) if found else 0


def load(ports: Sequence[int], candidates: Sequence[Candidate], seconds: float) -> None:
    """Ask all versions at the same time, each at its own steady pace, and give feedback on what they predicted."""
    jobs = [
        (port, reviews(candidate, seed)[first::CONNECTIONS], seconds)
        for seed, (port, candidate) in enumerate(zip(ports, candidates, strict=True))
        for first in range(CONNECTIONS)
    ]
    with ThreadPoolExecutor(len(jobs)) as pool:
        list(pool.map(_send, *zip(*jobs, strict=True)))


def _send(port: int, asked: Sequence[Review], seconds: float) -> None:
    """Ask for each review when it is due, over one connection, then say what was right."""
    began = time.monotonic()
    known: list[dict[str, str]] = []
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for place, review in enumerate(asked):
            time.sleep(max(0.0, began + place * seconds / len(asked) - time.monotonic()))
            answer = _post(connection, review.route, review.body, may_fail=MAIL in review.text)
            if answer and review.route == "/predict":
                known.append({"prediction_id": answer["prediction_id"], "label": review.label})
        _post(connection, "/feedback", json.dumps(known).encode())


def _post(connection: http.client.HTTPConnection, route: str, body: bytes, *, may_fail: bool = False) -> Any:
    """What is answered; None where it failed, and might."""
    connection.request("POST", route, body, {"content-type": "application/json"})
    response = connection.getresponse()
    text = response.read()
    if may_fail and response.status == 500:
        connection.close()  # as uvicorn does after an exception that the application let pass
        return None
    assert response.status == 200, text
    return json.loads(text)
