# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow publishes no type information)
"""Columns of Arrow's as arrays and labels."""

from typing import Any

import numpy as np

from infersight_analysis.experiments.observations import NONE, Codes, Labels, Numbers


def labels_of(column: Any) -> Labels:
    """A column of texts."""
    encoded = column.combine_chunks().dictionary_encode()
    names: list[str | None] = encoded.dictionary.to_pylist()
    codes = np.from_dlpack(encoded.indices.fill_null(NONE)).astype(np.int64)
    return Labels(codes, tuple(str(name) for name in names))


def numbers_of(column: Any) -> Numbers:
    """A column of doubles; NaN where there is none."""
    return np.from_dlpack(column.combine_chunks().fill_null(float("nan"))).astype(np.float64)


def integers_of(column: Any) -> Codes:
    """A column of 64-bit integers, none of them null."""
    return np.from_dlpack(column.combine_chunks()).astype(np.int64)
