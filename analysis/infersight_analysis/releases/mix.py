"""The same traffic for both versions: routes that both served, the baseline's requests weighted to the candidate's mix.

The candidate's own figures stay as they are; the baseline's are those that it would have had with the candidate's
requests. So a candidate that was sent more of the slow route is not called slow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from infersight_analysis.releases.requests import Requests


@dataclass(frozen=True)
class Alike:
    """Two versions with the same mix of routes.

    Args:
        baseline: its requests to shared routes, weighted to the candidate's mix.
        candidate: its requests to shared routes.
        only_baseline: requests of each route that only the baseline served.
        only_candidate: requests of each route that only the candidate served.
        moved: by how much of its traffic the mix was moved, 0 to 1 (total variation).
    """

    baseline: Requests
    candidate: Requests
    only_baseline: Mapping[str, float]
    only_candidate: Mapping[str, float]
    moved: float


def alike(baseline: Requests, candidate: Requests) -> Alike:
    """Hold the mix of traffic equal.

    Args:
        baseline: all of its requests.
        candidate: all of its requests.
    """
    of_baseline, of_candidate = baseline.by_route, candidate.by_route
    shared = of_baseline.keys() & of_candidate.keys()
    kept, same = baseline.of_routes(shared), candidate.of_routes(shared)
    total_baseline, total_candidate = kept.count or 1.0, same.count or 1.0
    shares = {
        name: (of_baseline[name] / total_baseline, of_candidate[name] / total_candidate) for name in sorted(shared)
    }
    scales = np.array([shares[name][1] / shares[name][0] if name in shares else 0.0 for name in kept.routes])
    weights = kept.weights * scales[kept.route] if len(kept) else kept.weights
    return Alike(
        baseline=replace(kept, weights=weights),
        candidate=same,
        only_baseline={name: count for name, count in of_baseline.items() if name not in shared},
        only_candidate={name: count for name, count in of_candidate.items() if name not in shared},
        moved=sum(abs(a - b) for a, b in shares.values()) / 2,
    )
