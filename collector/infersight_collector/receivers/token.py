"""The check of bearer tokens."""

import hmac
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from infersight_collector.config.listening import BearerToken
from infersight_collector.errors import ConfigError, Unauthorized
from infersight_collector.watched_file import WatchedFiles

_log = logging.getLogger(__name__)


class BearerTokens:
    """The tokens that are valid at the moment.

    Args:
        tokens: those that stay valid.
        file: one with further tokens, one a line, which is read again when it changes.

    Raises:
        ConfigError: the file cannot be read, or there is no token in it.
    """

    def __init__(self, tokens: Iterable[str], file: Path | None = None) -> None:
        self._fixed = [token.strip().encode() for token in tokens]
        self._file = file
        self._watched = WatchedFiles([file] if file else [])
        self._valid = self._fixed + (_read(file) if file else [])

    @classmethod
    def of(cls, config: BearerToken) -> Self | None:
        """What an extension asks senders for; None where that is nothing."""
        if not config.asks:
            return None
        tokens = [config.token, *config.tokens] if config.token.strip() else config.tokens
        return cls(tokens, Path(config.filename) if config.filename else None)

    def check(self, authorization: str) -> None:
        """Lets a request pass that shows a valid token; how long that takes tells nothing about them.

        Args:
            authorization: the sender's authorization header, "" where it has none.

        Raises:
            Unauthorized: the token is another or missing.
        """
        scheme, _, token = authorization.partition(" ")
        shown = token.strip().encode()
        same = [hmac.compare_digest(shown, valid) for valid in self._tokens()]
        if scheme.lower() != "bearer" or not any(same):
            raise Unauthorized

    def _tokens(self) -> Sequence[bytes]:
        if self._file is not None and self._watched.changed():
            try:
                self._valid = self._fixed + _read(self._file)
                _log.info("the tokens in %s were read again", self._file)
            except ConfigError as error:
                # Senders drop what is refused for a wrong token: a file that is just being written must not cause it.
                _log.warning("%s; the tokens that were read before stay valid", error)
        return self._valid


def _read(file: Path) -> list[bytes]:
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(f"the tokens in {file} cannot be read: {error.strerror}") from error
    tokens = [line.strip() for line in lines if line.strip()]
    if not tokens:
        raise ConfigError(f"there is no token in {file}: write one a line")
    return tokens
