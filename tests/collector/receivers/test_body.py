"""Bodies are unpacked as their encoding says, and given up when they unpack to too much."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyarrow publishes no types.

import gzip
import resource
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infersight_collector.errors import MalformedRequest, TooLarge
from infersight_collector.receivers.body import unpack

LIMIT = 16 * 2**20


def zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


def bare_deflate(content: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(content) + stream.flush()


COMPRESSED = [
    pytest.param("gzip", gzip.compress, id="gzip"),
    pytest.param("zstd", zstd, id="zstd"),
    pytest.param("deflate", zlib.compress, id="deflate"),
    pytest.param("deflate", bare_deflate, id="bare deflate"),
]
SEVERAL = [pytest.param("gzip", gzip.compress, id="gzip"), pytest.param("zstd", zstd, id="zstd")]


@given(content=st.binary(max_size=2000).map(lambda part: part * 50))
def test_what_was_packed_is_unpacked(content: bytes) -> None:
    for encoding, pack in (("", bytes), ("identity", bytes), ("gzip", gzip.compress), ("zstd", zstd)):
        assert unpack(encoding, pack(content), LIMIT) == content
    for deflated in (zlib.compress(content), bare_deflate(content)):
        assert unpack("deflate", deflated, LIMIT) == content


@pytest.mark.parametrize(("encoding", "pack"), SEVERAL)
def test_several_members_or_frames_are_one_content(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    assert unpack(encoding, pack(b"one") + pack(b"") + pack(b"two"), LIMIT) == b"onetwo"


@pytest.mark.parametrize(("encoding", "pack"), COMPRESSED)
def test_exactly_the_limit_is_taken_and_one_byte_more_is_not(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    assert len(unpack(encoding, pack(bytes(LIMIT)), LIMIT)) == LIMIT
    with pytest.raises(TooLarge):
        unpack(encoding, pack(bytes(LIMIT + 1)), LIMIT)


@pytest.mark.parametrize(("encoding", "pack"), SEVERAL)
def test_the_limit_is_that_of_all_members_together(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    with pytest.raises(TooLarge):
        unpack(encoding, pack(bytes(LIMIT // 2 + 1)) * 2, LIMIT)


@pytest.mark.parametrize(("encoding", "pack"), COMPRESSED)
def test_a_bomb_takes_no_more_memory_than_the_limit(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(bytes(128 * 2**20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            unpack(encoding, bomb, LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 3 * LIMIT
    finally:
        tracemalloc.stop()
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 6 * LIMIT


@pytest.mark.parametrize(("encoding", "pack"), SEVERAL)
def test_a_million_empty_members_take_no_time(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    empty = pack(b"")
    began = time.process_time()
    assert unpack(encoding, empty * (LIMIT // len(empty)), LIMIT) == b""
    assert time.process_time() - began < 10


@pytest.mark.parametrize(("encoding", "pack"), COMPRESSED)
def test_what_is_damaged_or_cut_off_is_malformed(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    whole = pack(b"some content, not all of it the same")
    for damaged in (whole[:-3], whole[:2], b"this is no compressed body", whole + b"\xff\xffmore"):
        with pytest.raises(MalformedRequest):
            unpack(encoding, damaged, LIMIT)
