"""The page of queries."""

from infersight_analysis.findings import DatabaseQueries
from infersight_analysis.report.html.environment import page
from infersight_analysis.report.queries import described, headline


def queries_page(found: DatabaseQueries) -> str:
    """One file of HTML that needs nothing else."""
    statements = [(each, described(each)) for each in found.statements]
    return page("queries", "Queries", found=found, headline=headline(found), statements=statements)
