"""Names of enumeration values back to their numbers."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow.compute makes its functions when it is imported.

from collections.abc import Sequence
from typing import Any

import pyarrow as pa


def enum_numbers(array: Any, names: Sequence[str]) -> Any:
    """The number of each name, of decimal text its number, as Arrow array of int64; null where the array is.

    Args:
        array: Arrow array of names.
        names: the names, each at its number.
    """
    different = array.dictionary_encode()
    numbers = [names.index(name) if name in names else int(name) for name in different.dictionary.to_pylist()]
    return pa.array(numbers, pa.int64()).take(different.indices)
