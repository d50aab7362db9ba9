"""Tokens: several at a time, and a file of them that may change while the collector runs."""

import logging
import os
from pathlib import Path

import pytest

from infersight_collector import watched_file
from infersight_collector.config.listening import BearerToken
from infersight_collector.errors import ConfigError, Unauthorized
from infersight_collector.receivers.token import BearerTokens


@pytest.fixture(autouse=True)
def _look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_file, "_INTERVAL_S", 0.0)


def is_valid(tokens: BearerTokens, authorization: str) -> bool:
    try:
        tokens.check(authorization)
    except Unauthorized:
        return False
    return True


def replace(file: Path, text: str) -> None:
    draft = file.with_suffix(".new")
    draft.write_text(text)
    draft.replace(file)


def test_each_of_several_tokens_is_valid() -> None:
    tokens = BearerTokens.of(BearerToken(token="one", tokens=["two", "three"]))
    assert tokens is not None
    for token in ("one", "two", "three"):
        assert is_valid(tokens, f"Bearer {token}")
        assert is_valid(tokens, f"bearer {token} ")


@pytest.mark.parametrize("authorization", ["", "one", "Bearer", "Bearer ", "Basic one", "Bearer on", "Bearer one two"])
def test_anything_else_is_not(authorization: str) -> None:
    assert not is_valid(BearerTokens(["one"]), authorization)


def test_a_configuration_without_any_asks_for_none() -> None:
    assert BearerTokens.of(BearerToken()) is None
    assert BearerTokens.of(BearerToken(token=" ")) is None


def test_an_empty_token_is_never_valid_beside_a_file(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("\n  one  \n\ntwo\n")
    tokens = BearerTokens.of(BearerToken(filename=str(file)))
    assert tokens is not None
    assert [is_valid(tokens, f"Bearer {token}") for token in ("one", "two", "")] == [True, True, False]


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("old")
    tokens = BearerTokens([], file)
    replace(file, "old\nnew")
    assert is_valid(tokens, "Bearer new")
    replace(file, "new")
    assert not is_valid(tokens, "Bearer old")
    assert is_valid(tokens, "Bearer new")


@pytest.mark.parametrize("damage", ["empty", "removed"])
def test_a_file_that_is_empty_or_gone_leaves_the_tokens_as_they_were(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "tokens"
    file.write_text("secret-token")
    tokens = BearerTokens([], file)
    if damage == "empty":
        replace(file, "")
    else:
        file.unlink()
    with caplog.at_level(logging.WARNING):
        assert is_valid(tokens, "Bearer secret-token")
        assert not is_valid(tokens, "Bearer ")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert str(file) in caplog.text
    assert "secret-token" not in caplog.text


def test_a_file_that_cannot_be_read_at_the_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        BearerTokens([], tmp_path / "none")
    (tmp_path / "empty").touch()
    with pytest.raises(ConfigError, match=f"no token in {os.fspath(tmp_path / 'empty')}"):
        BearerTokens([], tmp_path / "empty")


def test_tokens_are_not_shown_with_their_configuration() -> None:
    assert "secret" not in repr(BearerToken(token="secret-1", tokens=["secret-2"]))
