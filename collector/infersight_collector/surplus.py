"""Free memory that is more than the next flush needs goes back to the system."""

import threading
from typing import Final

from infersight_collector.memory import trim_memory, used_bytes
from infersight_collector.telemetry.process import resident_bytes

SURPLUS: Final = 256 * 2**20
"""Free memory from which on it goes back, in bytes: what a flush needs again."""

_LOOK_EVERY_S: Final = 2.0


class SurplusMemory:
    """Gives free memory back, from a thread of its own, when there is more than the next flush needs.

    Blocks of many sizes leave holes that the next ones do not fit into, so the free memory would grow to the size of
    what is in use. What is given back costs time when it is needed again, so a flush's worth stays.
    """

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)
        self._fixed = resident_bytes() - (used_bytes() or 0)  # programs and libraries

    def start(self) -> None:
        """Begins to look."""
        if used_bytes() is not None:
            self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            if resident_bytes() - self._fixed - (used_bytes() or 0) > SURPLUS:
                trim_memory()
