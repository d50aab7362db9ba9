"""The demo's load: a seeded mix of documents, sent at a steady pace over several connections."""

import http
import http.client
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from queue import Empty, SimpleQueue
from typing import Final

PERSONALISED_STRETCH: Final = (0.55, 0.65)
"""The part of the run in which some requests ask for the reader's profile, as shares of its length."""

BURST: Final = 8
"""Requests that are sent at once, as a page with several documents does."""

_PROSE: Final = (
    "the service answered quickly and the result was fine but later everything felt slow again "
    "while nobody knew why until someone looked at the traces and found the one step that had changed"
)


@dataclass(frozen=True)
class Request:
    """One request's body, as the demo's server takes it."""

    text: str
    kind: str
    personalise: bool = False


def workload(count: int, seed: int = 67) -> list[Request]:
    """`count` requests: mostly short plain texts, some HTML (a few of it large), a few long reports, a few with emoji.

    In the personalised stretch every ninth request asks for the reader's profile.
    """
    rng = random.Random(seed)  # noqa: S311 - reproducible load, no secret
    first, last = (int(share * count) for share in PERSONALISED_STRETCH)
    return [_request(rng, personalise=first <= index < last and index % 9 == 0) for index in range(count)]


def _request(rng: random.Random, *, personalise: bool) -> Request:
    words = rng.choices(_PROSE.split(), k=rng.randint(5, 30))
    draw = rng.random()
    if draw < 0.01:
        return Request(" ".join(words) + " \N{FIRE}\N{SLIGHTLY SMILING FACE}", "emoji")
    if draw < 0.0225:
        paragraphs = rng.randint(30_000, 36_000)
        return Request("".join(f"<p>{rng.choice(words)}</p>" for _ in range(paragraphs)), "html")
    if draw < 0.12:
        return Request("".join(f"<p>{word}</p>" for word in words), "html")
    if draw < 0.128:
        return Request(" ".join(rng.choices(words, k=200)), "report")
    return Request(" ".join(words), "plain", personalise)


def send(
    requests: list[Request], port: int, per_second: float, on_done: Callable[[], None], *, connections: int = 16
) -> Counter[int]:
    """Send the requests to 127.0.0.1:`port` in bursts at a steady pace and count the answers by HTTP status.

    Each connection is kept alive, as those of a client library are, and takes the next request that is due while
    the others wait for their answers. `on_done` is called once an answer.
    """
    due: SimpleQueue[tuple[float, Request]] = SimpleQueue()
    started = time.monotonic()
    for index, request in enumerate(requests):
        due.put((started + index // BURST * BURST / per_second, request))

    def send_what_is_due(_connection: int) -> list[int]:
        answers: list[int] = []
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with suppress(Empty), closing(connection):
            while True:
                when, request = due.get_nowait()
                time.sleep(max(0.0, when - time.monotonic()))
                answers.append(_post(connection, request))
                on_done()
        return answers

    with ThreadPoolExecutor(connections) as pool:
        return Counter(status for answers in pool.map(send_what_is_due, range(connections)) for status in answers)


def _post(connection: http.client.HTTPConnection, request: Request) -> int:
    body = json.dumps(asdict(request))
    connection.request("POST", "/predict", body, {"content-type": "application/json"})
    response = connection.getresponse()
    response.read()
    if response.status != http.HTTPStatus.OK:
        connection.close()  # the server closes it too after an exception, without saying so; the next request opens it
    return response.status
