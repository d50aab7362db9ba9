"""The page of bursts: each cluster on a line of time."""

from infersight_analysis.findings import BurstCluster, Bursts, ErrorBurst
from infersight_analysis.report.html.environment import page
from infersight_analysis.report.html.lanes import Span, lane


def bursts_page(found: Bursts) -> str:
    """One file of HTML that needs nothing else."""
    clusters = [(cluster, _lanes(cluster)) for cluster in found.clusters]
    count = sum(len(cluster.bursts) for cluster in found.clusters)
    return page("bursts", "Bursts of errors", found=found, clusters=clusters, count=count)


def _lanes(cluster: BurstCluster) -> list[tuple[ErrorBurst, float, float]]:
    whole = Span.of(cluster.start, cluster.end)
    return [(burst, *lane(Span.of(burst.start, burst.end), whole)) for burst in cluster.bursts]
