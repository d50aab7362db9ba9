"""The check of bearer tokens."""

import hmac

from infersight_collector.errors import Unauthorized


def check_token(expected: str | None, authorization: str) -> None:
    """Lets a request pass that shows the token, comparing in constant time.

    Args:
        expected: the token, or None where none is asked for.
        authorization: the sender's authorization header, "" where it has none.

    Raises:
        Unauthorized: the token is another or missing.
    """
    if expected is None:
        return
    scheme, _, token = authorization.partition(" ")
    same = hmac.compare_digest(token.strip().encode(), expected.encode())
    if scheme.lower() != "bearer" or not same:
        raise Unauthorized
