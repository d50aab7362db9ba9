"""Trace ids as numbers: each trace has one salted hash, by which it is known and from which its randomness comes.

Vectorised: an id of the usual 32 characters costs some nanoseconds.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

import hashlib
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Hashes: TypeAlias = npt.NDArray[np.uint64]
"""One number a trace, evenly spread over 64 bits."""

DEFAULT_SALT: Final = "tail_sampling"
"""The salt of decisions, unless the configuration says another one."""

_LENGTH: Final = 32
_FIRST: Final = np.uint64(0xFF51AFD7ED558CCD)
_SECOND: Final = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT: Final = np.uint64(33)


def hashes(trace_ids: pa.StringArray, salt: str) -> Hashes:
    """The hash of each trace id.

    It has nothing to do with the randomness that head samplers take from the id's last digits, so that what both
    decide is independent and their weights multiply.

    Args:
        trace_ids: ids without nulls, text `[traces]`; any other text than 32 characters is taken as well.
        salt: another salt gives other, independent hashes.
    """
    words = _characters(trace_ids).view(np.uint64)
    found = np.full(len(trace_ids), _seed(salt), np.uint64)
    for column in range(words.shape[1]):
        found = mixed(found ^ words[:, column])
    return found


def mixed(numbers: Hashes) -> Hashes:
    """The finaliser of MurmurHash3 (fmix64): each bit of a number changes half of the bits of the result."""
    numbers = (numbers ^ (numbers >> _SHIFT)) * _FIRST
    numbers = (numbers ^ (numbers >> _SHIFT)) * _SECOND
    return numbers ^ (numbers >> _SHIFT)


def uniform(numbers: Hashes) -> npt.NDArray[np.float64]:
    """The hashes as numbers that are uniform on [0, 1), in the same order."""
    return (numbers >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _seed(salt: str) -> int:
    return int.from_bytes(hashlib.blake2b(salt.encode(), digest_size=8).digest(), "little")


def _characters(trace_ids: pa.StringArray) -> npt.NDArray[np.uint8]:
    """The characters of each id, `[traces, 32]`; those of a digest where an id has another length."""
    unusual = pc.binary_length(trace_ids).to_numpy(zero_copy_only=False) != _LENGTH
    if unusual.any():
        texts = trace_ids.to_pylist()
        for row in np.flatnonzero(unusual).tolist():
            texts[row] = hashlib.blake2b(texts[row].encode(), digest_size=_LENGTH // 2).hexdigest()
        trace_ids = pa.array(texts, pa.string())
    _, offsets, data = trace_ids.buffers()
    if data is None:  # Arrow has no buffer where there is no text
        return np.empty((0, _LENGTH), np.uint8)
    first = int(np.frombuffer(offsets, np.int32)[trace_ids.offset])
    characters = np.frombuffer(data, np.uint8)[first : first + _LENGTH * len(trace_ids)]
    return characters.reshape(len(trace_ids), _LENGTH)
