"""Servers that stand where a collector should be: silent, failing, talking nonsense, hanging up."""

import socket
import struct
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

Behaviour = Callable[[socket.socket], None]


def is_silent(connection: socket.socket) -> None:
    """Reads and never answers."""
    while connection.recv(65_536):
        pass


def answers_500(connection: socket.socket) -> None:
    """Reads what comes and answers with an error of HTTP/1.1 to each piece."""
    while connection.recv(1 << 20):
        connection.sendall(b"HTTP/1.1 500 Broken\r\ncontent-length: 6\r\nconnection: close\r\n\r\nbroken")
        return


def talks_nonsense(connection: socket.socket) -> None:
    """Answers with bytes of no protocol."""
    connection.recv(65_536)
    connection.sendall(bytes(range(256)) * 16)


def hangs_up(connection: socket.socket) -> None:
    """Resets the connection after the first bytes."""
    connection.recv(16)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


BEHAVIOURS: dict[str, Behaviour] = {
    behaviour.__name__: behaviour for behaviour in (is_silent, answers_500, talks_nonsense, hangs_up)
}


@contextmanager
def faulty_server(behaviour: Behaviour) -> Generator[str]:
    """A server on a free port that behaves like this on each connection; yields its `http://HOST:PORT`."""
    open_connections: set[socket.socket] = set()

    def handle(connection: socket.socket) -> None:
        with connection:
            try:
                behaviour(connection)
            except OSError:
                pass
            finally:
                open_connections.discard(connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            open_connections.add(connection)
            threading.Thread(target=handle, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for connection in list(open_connections):
                connection.close()
    thread.join(5)
