"""A process that writes OTLP JSON lines as a server with rotating logs does: `python file_writer.py FILE COUNT`."""

import json
import os
import sys
import time
from pathlib import Path

ROTATE_EVERY = 150
"""Lines after which the file is renamed to FILE.<number> and begun anew."""


def line(number: int) -> bytes:
    """A line with one span, named by its number; longer than a kilobyte."""
    span = {
        "traceId": f"{number + 1:032x}",
        "spanId": f"{number + 1:016x}",
        "name": f"span {number}",
        "startTimeUnixNano": str(time.time_ns()),
        "attributes": [{"key": "padding", "value": {"stringValue": "p" * 1000}}],
    }
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode() + b"\n"


def main(path: Path, count: int) -> None:
    """Writes the lines, each in two pieces, about a thousand a second."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in range(count):
        if number and number % ROTATE_EVERY == 0:
            os.close(file)
            path.rename(f"{path}.{number}")
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        content = line(number)
        middle = (number * 37) % len(content)
        os.write(file, content[:middle])
        time.sleep(0.001)
        os.write(file, content[middle:])
    os.close(file)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
