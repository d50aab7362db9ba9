"""The options that the verbs of `rollback` share: which versions of what, and how much worse one may be."""

import functools
from collections.abc import Callable
from typing import Any

import click

from infersight_analysis.releases.limits import DEFAULTS, Limits
from infersight_analysis.releases.verdict import LEAST


def release(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--service`, `--baseline`, `--candidate` and `--least`, and `--limit`, passed as `limits`."""

    @click.option("--service", metavar="NAME", required=True, help="The service, as it calls itself.")
    @click.option("--baseline", metavar="VERSION", required=True, help="The version that is known to be good.")
    @click.option("--candidate", metavar="VERSION", required=True, help="The version that is judged.")
    @click.option(
        "--limit",
        "given",
        metavar="NAME=AMOUNT",
        multiple=True,
        help=f"How much worse it may be, as in error-rate=2%; of {', '.join(DEFAULTS)}. May be repeated.",
    )
    @click.option(
        "--least",
        default=LEAST,
        show_default=True,
        type=click.IntRange(2),
        help="Fewest requests of each version that a verdict rests on.",
    )
    @functools.wraps(function)
    def with_release(*args: Any, given: tuple[str, ...], **kwargs: Any) -> Any:
        return function(*args, limits=Limits.parse(given), **kwargs)

    return with_release
