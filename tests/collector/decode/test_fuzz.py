"""Hostile bytes: what google.protobuf refuses is refused, what it accepts has its values, and nothing is over-read.

`INFERSIGHT_FUZZ_CASES` sets the number of cases (10 000 when it is not set, a million in `make fuzz`), and
`INFERSIGHT_FUZZ_SEED` others. Cases come from a mutator that knows protobuf and not from a coverage-guided fuzzer: such
a one follows branches of Python and of instrumented C, and sees nothing of kernels that are compiled at run time.
"""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

import faulthandler
import os
import random
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import DecodeError

from infersight_collector.decode import MalformedRequest, check, decode
from infersight_collector.decode.layout import REQUESTS
from infersight_collector.signals import Signal

CASES = int(os.environ.get("INFERSIGHT_FUZZ_CASES", "10000"))
SEED = int(os.environ.get("INFERSIGHT_FUZZ_SEED", "20260101"))
BATCH = 25
HANG_SECONDS = 120

Field = tuple[int, int, bytes]


def varint(value: int, size: int = 0) -> bytes:
    """A varint of at least `size` bytes, with needless zeros at its end where it has to be longer."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F)
    groups += [0] * (size - len(groups))
    return bytes(group | 0x80 for group in groups[:-1]) + bytes(groups[-1:])


def read_varint(data: bytes, pos: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[pos] & 0x7F) << shift
        shift += 7
        pos += 1
        if data[pos - 1] < 0x80:
            return value, pos


def fields_of(data: bytes) -> list[Field]:
    """The fields of a valid message without groups: number, wire type and content."""
    fields: list[Field] = []
    pos = 0
    while pos < len(data):
        tag, pos = read_varint(data, pos)
        length = {1: 8, 5: 4}.get(tag & 7, 0)
        end = pos + length
        if tag & 7 == 0:
            end = read_varint(data, pos)[1]
        elif tag & 7 == 2:
            length, pos = read_varint(data, pos)
            end = pos + length
        fields.append((tag >> 3, tag & 7, data[pos:end]))
        pos = end
    return fields


def written(field: Field, rng: random.Random) -> bytes:
    """A field on the wire, now and then with a tag, length or value longer than it has to be, seldom than it may be."""
    number, wire_type, content = field
    tag_size, length_size, value_size = (rng.choices([0, legal, legal + 1], [200, 10, 0.2])[0] for legal in (5, 5, 10))
    tag = varint(number << 3 | wire_type, tag_size)
    if wire_type == 2:
        return tag + varint(len(content), length_size) + content
    if wire_type == 0:
        content = varint(read_varint(content, 0)[0], value_size)
    return tag + content


def unknown(rng: random.Random) -> bytes:
    """A field that no message knows, or a known number with a wire type of its own; groups hold more of them."""
    number = rng.choice([rng.randrange(1, 20), 100, 2**29 - 1])
    inner = b"".join(unknown(rng) for _ in range(rng.randrange(3))) if rng.random() < 0.3 else b""
    return rng.choice(
        [
            varint(number << 3) + varint(rng.getrandbits(64)),
            varint(number << 3 | 1) + rng.randbytes(8),
            varint(number << 3 | 5) + rng.randbytes(4),
            varint(number << 3 | 2) + varint(len(inner)) + inner,
            varint(number << 3 | 3) + inner + varint(number << 3 | 4),
        ]
    )


def scrambled(data: bytes, descriptor: Any, rng: random.Random) -> bytes:
    """The message as another encoder might write it: fields repeated, reordered, unpacked, unknown ones between."""
    pieces: list[bytes] = []
    for number, wire_type, content in fields_of(data):
        known = descriptor.fields_by_number[number]
        again = 2 if rng.random() < 0.1 else 1
        if known.message_type is not None:
            pieces += [written((number, 2, scrambled(content, known.message_type, rng)), rng) for _ in range(again)]
        elif known.is_repeated and wire_type == 2 and known.is_packed and rng.random() < 0.5:
            size = 8 if known.type in (known.TYPE_DOUBLE, known.TYPE_FIXED64) else 0
            pos = 0
            while pos < len(content):
                end = pos + 8 if size else read_varint(content, pos)[1]
                pieces.append(written((number, 1 if size else 0, content[pos:end]), rng))
                pos = end
        else:
            pieces += [written((number, wire_type, content), rng)] * again
        if rng.random() < 0.05:
            pieces.append(unknown(rng))
    if rng.random() < 0.1:
        rng.shuffle(pieces)
    return b"".join(pieces)


def mutated(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """A few bytes flipped, inserted or removed, the end cut off, or another request spliced in."""
    changed = bytearray(data)
    for _ in range(rng.choice([0, 0, 1, 1, 1, 3])):
        at = rng.randrange(len(changed) + 1)
        match rng.randrange(6):
            case 0 | 1 if at < len(changed):
                changed[at] ^= 1 << rng.randrange(8)
            case 2 if at < len(changed):
                changed[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x12, rng.randrange(256)])
            case 3:
                changed[at:at] = rng.choice([rng.randbytes(rng.randrange(1, 4)), unknown(rng)])
            case 4:
                del changed[at : at + rng.choice([1, 1, 1, 3, 3, 3, len(changed)])]
            case _:
                start = rng.randrange(len(other) + 1)
                changed[at:at] = other[start : start + rng.randrange(40)]
    return bytes(changed)


def accepted_by_protobuf(signal: Signal, request: bytes) -> bool:
    try:
        REQUESTS[signal].FromString(request)
    except DecodeError:
        return False
    return True


def refusal(signal: Signal, request: bytes) -> MalformedRequest | None:
    try:
        check(signal, request)
    except MalformedRequest as error:
        return error
    return None


@pytest.fixture
def still_alive(capfd: pytest.CaptureFixture[str]) -> Generator[Callable[[], None]]:
    """To be called again and again: a hang ends the process with a traceback, as nothing interrupts a compiled loop."""
    with capfd.disabled():
        stderr = os.dup(2)
    yield lambda: faulthandler.dump_traceback_later(HANG_SECONDS, exit=True, file=stderr)
    faulthandler.cancel_dump_traceback_later()
    os.close(stderr)


@pytest.mark.parametrize("signal", list(Signal))
def test_mutated_requests_are_accepted_and_read_as_google_protobuf_does(
    signal: Signal,
    random_request: Callable[[Signal, random.Random], bytes],
    reference: Callable[..., Any],
    rows_of: Callable[..., Any],
    still_alive: Callable[[], None],
) -> None:
    rng = random.Random(SEED)
    descriptor: Any = REQUESTS[signal].DESCRIPTOR
    accepted: list[bytes] = []
    refused = records = 0
    base = other = b""
    for case in range(CASES // len(Signal)):
        if case % BATCH == 0:
            still_alive()
        if case % 4 == 0:
            base, other = scrambled(random_request(signal, rng), descriptor, rng), base
        request = mutated(base, other, rng)
        refused_for = refusal(signal, request)
        assert (refused_for is None) == accepted_by_protobuf(signal, request), request.hex()
        if refused_for is None:
            accepted.append(request)
            records += check(signal, request)
        else:
            refused += 1
            assert 0 <= refused_for.offset <= len(request)
        if len(accepted) == BATCH or case == CASES // len(Signal) - 1:
            together = b"".join(accepted)
            if rows_of(decode(signal, together)) != reference(signal, together):
                for request in accepted:
                    assert rows_of(decode(signal, request)) == reference(signal, request), request.hex()
                pytest.fail(f"only together: {together.hex()}")
            accepted = []
    assert refused > CASES / 20  # the cases are of both kinds, and those accepted have something in them
    assert records > CASES / 4


def test_the_kernels_read_nothing_beyond_their_arrays(tmp_path: Path) -> None:
    """The same cases, fewer, with every index of the kernels checked; numba compiles them anew for it."""
    checked, timeout = max(600, CASES // 20), 300 + CASES / 1000
    environment = os.environ | {
        "NUMBA_BOUNDSCHECK": "1",
        "NUMBA_CACHE_DIR": str(tmp_path),
        "INFERSIGHT_FUZZ_CASES": str(checked),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "mutated", __file__]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=timeout)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "3 passed" in done.stdout
