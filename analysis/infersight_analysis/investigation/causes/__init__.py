"""What can have made a request slow: each cause is a function of the case, silent where it is not the cause."""

from collections.abc import Callable
from typing import Final

from infersight_analysis.findings import Hypothesis
from infersight_analysis.investigation.case import Case
from infersight_analysis.investigation.causes.dependencies import n_plus_one, retries, slow_dependency
from infersight_analysis.investigation.causes.device import device
from infersight_analysis.investigation.causes.input import large_input
from infersight_analysis.investigation.causes.process import blocked_event_loop, gc_or_memory
from infersight_analysis.investigation.causes.start import cold_start
from infersight_analysis.investigation.causes.waits import lock_contention, queueing, thread_pool

Cause = Callable[[Case], list[Hypothesis]]

CAUSES: Final[tuple[Cause, ...]] = (
    queueing,
    thread_pool,
    lock_contention,
    blocked_event_loop,
    gc_or_memory,
    cold_start,
    large_input,
    slow_dependency,
    n_plus_one,
    retries,
    device,
)
"""Why one request took longer than others of its version; `release` looks at the version itself."""
