"""Where a finding can be checked."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Evidence:
    """Where a finding can be checked.

    Args:
        trace_ids: the traces that it is about, most telling first.
        sql: queries for `infersight sql` that show it.
        numbers: what the statement was made from.
    """

    trace_ids: list[str]
    sql: list[str]
    numbers: dict[str, Any] = field(default_factory=dict[str, Any])
