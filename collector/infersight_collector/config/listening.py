"""Who may listen where: beyond this machine only with a token and TLS."""

from dataclasses import dataclass, field

from infersight_collector.config.tls import ServerTls
from infersight_collector.config.values import PRIVATE, Endpoint
from infersight_collector.errors import ConfigError


@dataclass(frozen=True)
class Authentication:
    """Reference of an endpoint to the extension that checks its senders."""

    authenticator: str


@dataclass(frozen=True)
class BearerToken:
    """Extension `bearertokenauth`: the tokens of which senders show one. Where all keys are empty it asks for none.

    Attributes:
        token: one token.
        tokens: further ones, so that an old and a new one are valid for a while.
        filename: a file with one token a line, read again when it changes.
    """

    token: str = field(default="", repr=False)
    tokens: list[str] = field(default_factory=list[str], repr=False)
    filename: str = field(default="", metadata=PRIVATE)

    def __post_init__(self) -> None:
        if any(not token.strip() for token in self.tokens):
            raise ValueError("one of 'tokens' is empty: remove it")

    @property
    def asks(self) -> bool:
        """Whether it asks for a token at all."""
        return bool(self.token.strip() or self.tokens or self.filename)


def check_exposure(endpoint: Endpoint, tls: ServerTls | None, *, authenticated: bool) -> None:
    """Refuses an endpoint that anybody on the network could write to, or listen in on.

    Raises:
        ConfigError: it is not of this machine alone and asks for no token, or has no TLS.
    """
    if endpoint.is_loopback:
        return
    if not authenticated:
        raise ConfigError(
            f"{endpoint} listens beyond this machine without a token: "
            "set INFERSIGHT_TOKEN (bearertokenauth) or listen on 127.0.0.1"
        )
    if tls is None:
        raise ConfigError(
            f"{endpoint} listens beyond this machine without TLS, so that its token could be read on the way: "
            "give it 'tls' with 'cert_file' and 'key_file' (or 'insecure: true' behind a proxy that does TLS)"
        )
