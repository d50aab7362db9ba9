"""Names that are put into commands."""

from collections.abc import Callable

import pytest

from infersight_analysis.errors import AnalysisError
from infersight_analysis.releases.execution import names


@pytest.mark.parametrize(
    ("check", "name"),
    [
        (names.deployment, "sentiment"),
        (names.deployment, "ml-api.v2"),
        (names.deployment, "a" * 63),
        (names.namespace, "prod-1"),
        (names.context, "arn:aws:eks:eu-west-1:1234:cluster/prod"),
        (names.context, "kind kind"),
        (names.swarm_service, "stack_api-1"),
        (names.image, "sentiment"),
        (names.image, "registry.example:5000/team/sentiment_model:1.2.3"),
        (names.image, "localhost/a__b/c---d:v1"),
        (names.image, "[::1]:5000/a"),
        (names.image, "a:1@sha256:" + "0f" * 32),
    ],
)
def test_good_names_stay_as_they_are(check: Callable[[str], str], name: str) -> None:
    assert check(name) == name


@pytest.mark.parametrize("check", [names.deployment, names.namespace, names.context, names.swarm_service, names.image])
@pytest.mark.parametrize("name", ["", "-o", "--all", "a\nb", "a\n", "a\0", "\x1b[2J"])
def test_what_could_be_an_option_or_a_second_line_is_none(check: Callable[[str], str], name: str) -> None:
    with pytest.raises(AnalysisError, match="is no "):
        check(name)


@pytest.mark.parametrize(
    ("check", "name"),
    [
        (names.deployment, "Sentiment"),
        (names.deployment, "a_b"),
        (names.deployment, "a..b"),
        (names.deployment, "a/b"),
        (names.deployment, "a-"),
        (names.deployment, "a" * 64),
        (names.deployment, ".".join(["a" * 63] * 4) + ".b"),
        (names.namespace, "prod.eu"),
        (names.swarm_service, "a.b"),
        (names.swarm_service, "a b"),
        (names.swarm_service, "a" * 64),
        (names.image, "Sentiment"),
        (names.image, "a b"),
        (names.image, "a;b"),
        (names.image, "a:"),
        (names.image, "a@sha256:1"),
        (names.image, "a:" + "t" * 129),
        (names.image, "/".join(["a" * 50] * 12)),
    ],
)
def test_what_its_reader_would_refuse_is_refused_at_once(check: Callable[[str], str], name: str) -> None:
    with pytest.raises(AnalysisError, match="is no "):
        check(name)
