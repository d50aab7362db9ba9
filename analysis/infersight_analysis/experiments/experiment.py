"""An experiment from wherever it was recorded."""

from typing import Any

import duckdb

from infersight_analysis.experiments.observations import Observations
from infersight_analysis.experiments.question import Question
from infersight_analysis.experiments.recorded import recorded
from infersight_analysis.experiments.rows import tabulated


def observed(source: Any, question: Question) -> Observations:
    """What was observed in an experiment.

    Args:
        source: a connection from `connect`; or a table, see `tabular.read_table`.
        question: the experiment.

    Raises:
        AnalysisError: it is not there, or not an experiment.
    """
    if isinstance(source, duckdb.DuckDBPyConnection):
        return recorded(source, question)
    return tabulated(source, question)
