"""Who may listen where: beyond this machine only with a token."""

from dataclasses import dataclass, field

from infersight_collector.config.values import Endpoint
from infersight_collector.errors import ConfigError


@dataclass(frozen=True)
class Authentication:
    """Reference of an endpoint to the extension that checks its senders."""

    authenticator: str


@dataclass(frozen=True)
class BearerToken:
    """Extension `bearertokenauth`: the token that senders show; an empty one asks for none."""

    token: str = field(repr=False)


def require_token_beyond_loopback(endpoint: Endpoint, token: str | None) -> None:
    """Refuses an endpoint that anybody on the network could write to.

    Raises:
        ConfigError: it is not of this machine alone and no token is asked for.
    """
    if token is None and not endpoint.is_loopback:
        raise ConfigError(
            f"{endpoint} listens beyond this machine without a token: "
            "set INFERSIGHT_TOKEN (bearertokenauth) or listen on 127.0.0.1"
        )
