# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# (grpc publishes no types)
"""The message of a gRPC call, waited for with an end."""

import threading
import time
from collections.abc import Iterator
from typing import Any, Final

import grpc

from infersight_collector.errors import Incomplete

_LOOK_S: Final = 1.0


class MessageReader:
    """Reads the one message of a call, and gives a call up whose message does not come.

    A thread of gRPC's waits for each message. Without an end a few senders that stall would keep all of them.

    Args:
        timeout_s: longest time that a message may take, in seconds; told to within a second.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._began: dict[Any, float] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="grpc-reading", daemon=True)

    def start(self) -> None:
        """Begins to look after the calls."""
        self._thread.start()

    def stop(self) -> None:
        """Ends when no more messages are read."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def read(self, messages: Iterator[bytes], context: Any) -> bytes:
        """The message.

        Args:
            messages: what the sender sends, declared to gRPC as a stream.
            context: the call.

        Raises:
            Incomplete: it did not come in time, or the sender went away.
        """
        self._began[context] = time.monotonic()
        try:
            message = next(messages, None)
        except grpc.RpcError:
            message = None
        finally:
            del self._began[context]
        if message is None:
            raise Incomplete("the message did not arrive: try again later")
        return message

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_S):
            late = time.monotonic() - self._timeout_s
            for context, began in self._began.copy().items():
                if began < late:
                    context.cancel()
