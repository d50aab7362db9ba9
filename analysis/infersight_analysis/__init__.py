"""The analysis layer: answers the questions of an incident from the store alone, over DuckDB.

with infersight_analysis.connect(Path("infersight-store")) as connection:
    connection.sql("select name, count(*) from spans group by 1").show()

The verbs of the command line are functions over such a connection, in `infersight_analysis.verbs`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infersight_analysis.database import connect

__all__ = ["connect"]


def __getattr__(name: str) -> Any:
    # Loading DuckDB takes a quarter of a second; `infersight --version` must not pay for it.
    if name == "connect":
        from infersight_analysis.database import connect  # noqa: PLC0415

        return connect
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
