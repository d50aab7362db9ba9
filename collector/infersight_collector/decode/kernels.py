"""How the decoder's loops are compiled: eagerly, without the interpreter lock, and cached on disk."""

import hashlib
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeAlias, TypeVar

import numba

nb: Any = numba  # its types, made by calls, and its configuration are beyond type checkers

P = ParamSpec("P")
R = TypeVar("R")

# To the type checkers, what a kernel reads from an array or a conversion is an int, which numpy's types deny.
Bytes: TypeAlias = Any
"""A numpy array of uint8."""
Ints: TypeAlias = Any
"""A numpy array of int64 or int32."""
int32: Any = nb.int32
int64: Any = nb.int64
uint64: Any = nb.uint64

BYTES: Any = nb.types.Array(nb.uint8, 1, "C", readonly=True)
"""Signature of a request's bytes: `numpy.frombuffer` of an immutable object."""

BUFFER: Any = nb.uint8[::1]
"""Signature of bytes that are written to."""

INTS: Any = nb.int64[::1]
"""Signature of a contiguous array of 64-bit integers."""

COLUMN: Any = nb.int64[:]
"""Signature of a column of a table: one slot of each row."""

ROWS: Any = nb.int64[:, ::1]
"""Signature of a table of the walk: rows of 64-bit slots."""


def kernel(signature: object) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile a function for exactly one signature when its module is imported.

    Args:
        signature: a numba signature, or a tuple of argument types.
    """

    def compile_now(function: Callable[P, R]) -> Callable[P, R]:
        with cache_directory() as is_writable:
            compile_for = nb.njit(signature, nogil=True, cache=is_writable, no_cfunc_wrapper=True)
            compiled: Callable[P, R] = compile_for(function)
        return compiled

    return compile_now


def inline(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function into each kernel that calls it; nothing else can call it."""
    # Left to the compiler, some calls in the inner loop stay calls and take four times as long. Without the wrappers
    # for callers from outside, all kernels compile in three quarters of the time.
    compile_inside = nb.njit(nogil=True, forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
    compiled: Callable[P, R] = compile_inside(function)
    return compiled


@contextmanager
def cache_directory() -> Generator[bool]:
    """Point numba to a cache of exactly these sources and the encoder's; yields whether there is one.

    Numba itself recompiles a function when the file it stands in changes, not when a function or constant that was
    compiled into it does, so the directory's name holds a digest of all sources.
    """
    before = nb.config.CACHE_DIR
    try:
        for base in cache_bases(before):
            directory = base / f"infersight-kernels-{_digest()}"
            try:
                directory.mkdir(parents=True, exist_ok=True)
            except OSError:
                continue
            if os.access(directory, os.W_OK | os.X_OK):
                nb.config.CACHE_DIR = str(directory)
                yield True
                return
        yield False
    finally:
        nb.config.CACHE_DIR = before


def cache_bases(configured: str) -> Iterator[Path]:
    """Where a cache may lie: where NUMBA_CACHE_DIR says, else beside the sources, else in the user's cache."""
    if configured:
        yield Path(configured)
        return
    yield Path(__file__).parent / "__pycache__"
    yield Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()


def _digest() -> str:
    digest = hashlib.sha256(nb.__version__.encode())
    for package in ("decode", "encode"):
        for source in sorted((Path(__file__).parents[1] / package).glob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


@nb.extending.intrinsic  # type: ignore[untyped-decorator]  # numba's decorators have no types
def _copy(_typing: Any, source: Any, _start: Any, _length: Any, target: Any, _at: Any) -> Any:
    """`memcpy` between two arrays of bytes; a loop over the bytes of short strings takes five times as long."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from_array, from_start, count, to_array, to_start = arguments
        kinds = signature.args
        pointers = [
            builder.gep(context.make_array(kind)(context, builder, array).data, [index])
            for kind, array, index in ((kinds[0], from_array, from_start), (kinds[3], to_array, to_start))
        ]
        nb.core.cgutils.raw_memcpy(builder, pointers[1], pointers[0], count, 1)
        return context.get_dummy_value()

    return nb.void(source, nb.int64, nb.int64, target, nb.int64), generate


@nb.extending.intrinsic  # type: ignore[untyped-decorator]  # numba's decorators have no types
def borrowed(_typing: Any, array: Any) -> Any:
    """The same array, not counted: a kernel's argument lives as long as the kernel runs.

    Each function that is handed an array counts a reference to it, atomically, unless the compiler proves that it
    need not. In a loop over bytes this takes more time than the work.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = context.make_array(signature.return_type)(context, builder, arguments[0])
        view.meminfo = nb.core.cgutils.get_null_value(view.meminfo.type)
        view.parent = nb.core.cgutils.get_null_value(view.parent.type)
        return view._getvalue()  # noqa: SLF001 - as every implementation of numba's own does

    return array(array), generate


@inline
def copy_bytes(source: Bytes, start: int, length: int, target: Bytes, at: int) -> int:
    """Copy bytes into a buffer that has room for them; returns the position after them."""
    _copy(source, start, length, target, at)
    return at + length
