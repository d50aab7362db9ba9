"""How long a thread waited for a CPU: it could run, and others did."""

import os
import threading


class RunQueue:
    """The waits of the thread that makes it, by Linux's scheduler statistics; elsewhere it never waits.

    A container or a virtual machine sees its own threads only: what the host takes from all of them is not in it.
    """

    def __init__(self) -> None:
        self._path = f"/proc/self/task/{threading.get_native_id()}/schedstat"
        self._seen_ns = self._waited_ns()

    def waited(self) -> float:
        """Seconds that the thread waited since this was asked before, from any thread; 6 us a question."""
        seen_ns, self._seen_ns = self._seen_ns, self._waited_ns()
        return max(0, self._seen_ns - seen_ns) * 1e-9 if seen_ns else 0.0

    def _waited_ns(self) -> int:
        try:
            file = os.open(self._path, os.O_RDONLY)  # anew each time: after a fork, one kept open is the parent's
        except OSError:
            return 0
        try:
            return int(os.read(file, 64).split()[1])
        except (OSError, ValueError, IndexError):
            return 0
        finally:
            os.close(file)
