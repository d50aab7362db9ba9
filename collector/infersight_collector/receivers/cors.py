"""Cross-origin requests: the web pages that may send telemetry from a browser (Fetch standard, CORS protocol)."""

import re
from typing import Final

from infersight_collector.http_exchange import Headers
from infersight_collector.receivers.otlp_config import Cors

_NEEDED_HEADERS: Final = ("content-type", "content-encoding", "authorization")


class CorsPolicy:
    """What browsers are told about requests from pages of other origins.

    Args:
        config: which origins may send.
    """

    def __init__(self, config: Cors) -> None:
        self._origins = [_pattern(origin) for origin in config.allowed_origins]
        allowed = ", ".join([*_NEEDED_HEADERS, *config.allowed_headers])
        self._preflight: Headers = (
            (b"access-control-allow-methods", b"POST"),
            (b"access-control-allow-headers", allowed.encode()),
            (b"access-control-max-age", str(int(config.max_age)).encode()),
        )

    def answer(self, origin: str) -> Headers:
        """The headers that let a page of this origin read the answer; none where it may not."""
        if not any(pattern.fullmatch(origin) for pattern in self._origins):
            return ()
        return ((b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"origin"))

    def preflight(self, origin: str) -> Headers:
        """The headers that let a browser send the request that it asks about; none where the page may not."""
        allowed = self.answer(origin)
        return (*allowed, *self._preflight) if allowed else ()


def _pattern(origin: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, origin.lower().split("*"))), re.IGNORECASE)
