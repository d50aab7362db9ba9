"""Requests to model servers: steady ones in the background, and single ones."""

import http.client
import json
import random
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, Final

PER_SECOND: Final = 20.0
CONNECTIONS: Final = 6

_WORDS: Final = ("answer", "service", "was", "quick", "fine", "until", "later", "nobody", "knew", "what", "changed")


class Traffic:
    """Requests with seeded ids and texts, to any of `ports`.

    Args:
        seed: the same, the same requests.
        port: of the server that takes them.
    """

    def __init__(self, seed: int, port: int) -> None:
        self.ports = [port]
        self.sent: list[str] = []
        self._rng = random.Random(seed)
        self._turn = threading.Lock()

    def text(self) -> str:
        """An ordinary text, of 25 to 150 characters."""
        words = self._rng.choices(_WORDS, k=self._rng.randint(8, 25))
        return " ".join(f"<b>{word}</b>" if self._rng.random() < 0.1 else word for word in words)

    def key(self) -> str:
        """A new id."""
        return f"{self._rng.getrandbits(64):016x}"

    def steady(self, count: int) -> None:
        """Send so many ordinary requests at a steady pace, and wait for the answers."""
        orders = iter([self._ordinary(number) for number in range(count)])
        began = time.monotonic()
        quiet = threading.Event()

        def send(_connection: int) -> None:
            while True:
                with self._turn:
                    due = next(orders, None)
                if due is None:
                    return
                number, path, order, port = due
                quiet.wait(max(0.0, began + number / PER_SECOND - time.monotonic()))
                post(port, path, order)

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(send, range(CONNECTIONS)))

    @contextmanager
    def beside(self, count: int) -> Generator[None]:
        """The same while the block runs; it ends when both have."""
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self.steady, count)
            yield
            running.result()

    def _ordinary(self, number: int) -> tuple[int, str, dict[str, str], int]:
        order = {"key": self.key(), "text": self.text()}
        path = "/refresh" if self._rng.random() < 0.1 else "/predict"
        if path == "/predict":
            self.sent.append(order["key"])
        return number, path, order, self._rng.choice(self.ports)


def post(port: int, path: str, order: dict[str, Any]) -> None:
    """Send one request, whose id is its key, and wait for its answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        headers = {"host": "models.test", "content-type": "application/json", "x-request-id": order["key"]}
        connection.request("POST", path, json.dumps(order), headers)
        response = connection.getresponse()
        response.read()
        assert response.status == http.HTTPStatus.OK, f"{path} answered {response.status}"
