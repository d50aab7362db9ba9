"""The options of verbs that ask a model, and the model that they name."""

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from infersight_analysis.errors import AnalysisError
from infersight_analysis.models.answers import AnswerForm
from infersight_analysis.models.endpoint import Endpoint
from infersight_analysis.models.model import Model, load
from infersight_analysis.models.paths import steps
from infersight_analysis.times import SECOND_NS, parse_duration


def asked_model(function: Callable[..., Any]) -> Callable[..., Any]:
    """MODEL and how it is asked, passed as the argument `model`."""

    @click.argument("target", metavar="MODEL")
    @click.option("--request", metavar="JSON", help='The rest of an endpoint\'s request, as in \'{"kind": "plain"}\'.')
    @click.option("--input-at", metavar="PATH", default="$", help="Where its input goes, as in text or instances[0].")
    @click.option("--label-at", metavar="PATH", help="Where the answer's label is; found by itself where it can be.")
    @click.option("--score-at", metavar="PATH", help="Where the answer's score is.")
    @click.option("--header", "headers", metavar="'NAME: VALUE'", multiple=True, help="Of each request; repeatable.")
    @click.option("--batch-size", type=click.IntRange(1), metavar="N", help="MODEL takes lists; give it N at once.")
    @click.option("--answers-at", metavar="PATH", default="$", help="Where an answer to a list has its list.")
    @click.option("--timeout", default="10s", show_default=True, metavar="DURATION", help="Most time for a call.")
    @functools.wraps(function)
    def with_model(
        *args: Any,
        target: str,
        request: str | None,
        input_at: str,
        label_at: str | None,
        score_at: str | None,
        headers: Sequence[str],
        batch_size: int | None,
        answers_at: str,
        timeout: str,
        **kwargs: Any,
    ) -> Any:
        timeout_s = parse_duration(timeout) / SECOND_NS
        asked: Callable[..., Any] | Endpoint
        if target.startswith(("http://", "https://")):
            asked = Endpoint(target, steps(input_at), _template(request), _headers(headers), timeout_s)
        else:
            asked = load(target)
        form = AnswerForm(None if label_at is None else steps(label_at), None if score_at is None else steps(score_at))
        model = Model(
            asked, target, form=form, timeout_s=timeout_s, batch_size=batch_size, answers_at=steps(answers_at)
        )
        return function(*args, model=model, **kwargs)

    return with_model


def _template(request: str | None) -> Any:
    try:
        return None if request is None else json.loads(request)
    except ValueError as error:
        raise AnalysisError(f"--request is no JSON: {error}") from error


def _headers(given: Sequence[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for header in given:
        name, colon, value = header.partition(":")
        if not colon or not name.strip():
            raise AnalysisError(f"--header {header!r} is not 'NAME: VALUE'")
        found[name.strip().lower()] = value.strip()
    return found
