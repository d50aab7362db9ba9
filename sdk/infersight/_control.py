"""What can be asked of a running process: the profile of its models, by `infersight profile model --pid`.

The process listens on a socket of Linux's abstract namespace, which has no file: nothing is left of it when the process
ends, and a forked child has one of its own. Who asks is known from the kernel; only the process's user and the
administrator are answered. A request and the answer's head are a line of JSON each; the Chrome trace follows the head.
"""

import json
import os
import socket
import struct
import sys
import tempfile
import threading
import time
import weakref
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from infersight._faults import report

MOST_SECONDS: Final = 60.0
"""The longest profile: what it saw waits in memory."""

_REQUEST_BYTES: Final = 4_096
_PATIENCE_SECONDS: Final = 10.0
_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred: pid, uid, gid


def address(pid: int) -> str:
    """Where the process of a number listens."""
    return f"\0infersight-control-{pid}"


def peer_of(connection: socket.socket) -> tuple[int, int]:
    """The numbers of the process at the other end, as it is seen from here, and of its user."""
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, user, _ = _CREDENTIALS.unpack(found)
    return int(pid), int(user)


class Control:
    """Listens in this process until it is stopped, on a thread of its own.

    Raises:
        OSError: the system has no such sockets.
    """

    def __init__(self) -> None:
        self._listen()
        ours = weakref.ref(self)  # what is registered stays registered

        def begin_anew() -> None:
            if (control := ours()) is not None:
                control.begin_anew()

        os.register_at_fork(after_in_child=begin_anew)

    def _listen(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(address(os.getpid()))
        self._socket.listen(1)
        self._is_stopped = False
        threading.Thread(target=self._run, args=(self._socket,), name="infersight-control", daemon=True).start()

    def begin_anew(self) -> None:
        """A forked child listens by itself; the parent's socket stays the parent's."""
        if self._is_stopped:
            return
        try:
            self._socket.close()
            self._listen()
        except Exception:  # noqa: BLE001 - the child goes on in any case
            report("listen for profiles after a fork")

    def stop(self) -> None:
        """Listen no more."""
        self._is_stopped = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread, which closing does not
        self._socket.close()

    def _run(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                if self._is_stopped:
                    return
                time.sleep(1)  # there are too many open files, for one
                continue
            with connection:
                try:
                    connection.settimeout(_PATIENCE_SECONDS)
                    if peer_of(connection)[1] in {0, os.geteuid()}:
                        _answer(connection)
                except OSError:  # whoever asked has gone
                    continue
                except Exception:  # noqa: BLE001 - the application goes on
                    report("answer a question about the process")


def _answer(connection: socket.socket) -> None:
    with connection.makefile("rb") as asked, tempfile.TemporaryDirectory(prefix="infersight-") as folder:
        trace = Path(folder) / "trace.json"
        try:
            request: Any = json.loads(asked.readline(_REQUEST_BYTES))
            head = _profile(float(request["profile_model_seconds"]), trace)
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            head = {"error": " ".join(str(error).split())}
        connection.sendall(json.dumps(head).encode() + b"\n")
        if trace.exists():
            with trace.open("rb") as file:
                connection.sendfile(file)


def _profile(seconds: float, trace: Path) -> dict[str, Any]:
    from infersight._model_profile import profile_during  # noqa: PLC0415 - used when asked

    if not 0 < seconds <= MOST_SECONDS:
        raise ValueError(f"between 0 and {MOST_SECONDS:g} seconds can be profiled")
    if "torch" not in sys.modules:
        raise ValueError("it has not imported PyTorch")
    measured = profile_during(lambda: time.sleep(seconds), trace, everywhere=True)
    return {**asdict(measured), "pid": os.getpid()}
