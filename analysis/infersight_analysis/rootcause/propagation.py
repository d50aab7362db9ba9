"""Evidence that travels along the calls: what of a caller's the services that it calls explain."""

from collections.abc import Mapping

from infersight_analysis.rootcause.question import Calls


def reached(calls: Calls, service: str) -> set[str]:
    """The services that one depends on, itself included."""
    found, waiting = {service}, [service]
    while waiting:
        for callee in calls.get(waiting.pop(), ()):
            if callee not in found:
                found.add(callee)
                waiting.append(callee)
    return found


def unexplained(evidence: Mapping[str, float], calls: Calls) -> dict[str, float]:
    """What is left of each service's evidence of a kind that travels from the called to the caller.

    A service keeps that by which it exceeds all that it depends on, so it never outranks what explains it.

    Args:
        evidence: of each service, in nats.
        calls: who calls whom.
    """
    left: dict[str, float] = {}
    for service, nats in evidence.items():
        below = (evidence.get(each, 0.0) for each in reached(calls, service) if each != service)
        left[service] = max(0.0, nats - max(below, default=0.0))
    return left
