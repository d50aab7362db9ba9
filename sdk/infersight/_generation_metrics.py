"""The metrics of generative models, with the names and bounds of the OpenTelemetry semantic conventions.

The conventions have token usage as a metric of the client only; a server that counts reports it under that name.
"""

from typing import Final

from opentelemetry.metrics import Meter

from infersight import _attributes as names

_DURATION_BOUNDS: Final = tuple(0.01 * 2**power for power in range(14))
_FIRST_TOKEN_BOUNDS: Final = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1),
    *(0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)
_OUTPUT_TOKEN_BOUNDS: Final = (0.001, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
"""The conventions' own, and a millisecond before them for models that are faster."""

_TOKEN_COUNT_BOUNDS: Final = tuple(float(4**power) for power in range(14))


class GenerationMetrics:
    """The histograms of one meter."""

    def __init__(self, meter: Meter) -> None:
        self.duration = meter.create_histogram(
            names.GEN_AI_REQUEST_DURATION,
            unit="s",
            description="Duration of a generation until its last token.",
            explicit_bucket_boundaries_advisory=_DURATION_BOUNDS,
        )
        self.time_to_first_token = meter.create_histogram(
            names.GEN_AI_TIME_TO_FIRST_TOKEN,
            unit="s",
            description="Time until the first token of a generation that succeeded.",
            explicit_bucket_boundaries_advisory=_FIRST_TOKEN_BOUNDS,
        )
        self.time_per_output_token = meter.create_histogram(
            names.GEN_AI_TIME_PER_OUTPUT_TOKEN,
            unit="s",
            description="Mean time of a token after the first, of a generation that succeeded.",
            explicit_bucket_boundaries_advisory=_OUTPUT_TOKEN_BOUNDS,
        )
        self.tokens = meter.create_histogram(
            names.GEN_AI_TOKEN_USAGE,
            unit="{token}",
            description="Tokens that a generation read and wrote.",
            explicit_bucket_boundaries_advisory=_TOKEN_COUNT_BOUNDS,
        )
