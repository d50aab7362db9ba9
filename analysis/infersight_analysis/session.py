"""A store opened for the length of a verb, with every failure said in one line."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from infersight_analysis.database import connect
from infersight_analysis.errors import AnalysisError
from infersight_collector.store.errors import StoreError

_POSITION: Final = re.compile(r"\n\s*LINE \d+:.*", re.DOTALL)


@contextmanager
def opened(
    store: Path,
    *,
    start_ns: int | None = None,
    end_ns: int | None = None,
    timeout: str | None = None,
    create_when_named: bool = False,
) -> Generator[duckdb.DuckDBPyConnection]:
    """The views over the store at this moment, see `connect`.

    Raises:
        AnalysisError: the store or the query is wrong, in one line.
    """
    try:
        with connect(
            store, start=start_ns, end=end_ns, timeout=timeout, create_when_named=create_when_named
        ) as connection:
            yield connection
    except AnalysisError:
        raise
    except StoreError as error:
        raise AnalysisError(str(error)) from error
    except duckdb.InterruptException as error:
        if timeout is None:
            raise
        raise AnalysisError(f"the query took longer than {timeout}: ask for less, or for more time") from error
    except duckdb.Error as error:
        raise AnalysisError(" ".join(_POSITION.sub("", str(error)).split())) from error
