"""Redaction: what is a secret, what is not, what stays of it, and that hostile text cannot stall it."""

import json
import re
import string
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infersight._redact import PATTERNS, SUSPICIOUS, Action, Pattern, Redactor, is_secret_key

SECRET_TEXT = {
    "credentials": "authorization header was Bearer abcdef0123456789",
    "jwt": "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "email": "mail to jane.doe+test@example.co.uk failed",
    "card": "paid with 4111 1111 1111 1111 yesterday",
    "ssn": "ssn 123-45-6789 refused",
    "password": "postgres://app:hunter22@db:5432/prod refused",
    "secret": "connecting with password=hunter22 to db",
    "private_key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
    "cloud_key": "key AKIAIOSFODNN7EXAMPLE leaked",
}

HARMLESS = [
    "POST /predict",
    "2026-01-02T03:04:05.123456789Z",
    "1767323045123456789",  # nanoseconds since the epoch are no card number
    "0af7651916cd43dd8448eb211c80319c",
    "4111 1111 1111 1112",  # wrong check digit
    "000-12-3456",  # an area that is never issued
    "time per token: 12 ms",
    "http://127.0.0.1:4317/v1/traces",
    "user@localhost",
    "shape (8, 512), dtype float32",
    "key: value",
    "GET /items?page=2&sort=name&signal=sigterm",
    "uvicorn app:app --workers 4 --log-level info",
    "tokens=128, max_new_tokens=16",
    "the user, 'jane', has 3 keys",
]


@pytest.mark.parametrize(
    "key",
    ["password", "DB_PASSWORD", "dbPassword", "http.request.header.authorization", "Set-Cookie", "x-api-key", "apiKey",
     "aws.access_key", "client_secret", "token", "auth.token", "refreshToken"],
)  # fmt: skip
def test_a_key_that_names_a_secret_is_recognised(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize(
    "key",
    ["gen_ai.usage.input_tokens", "gen_ai.token.type", "infersight.model.name", "keyboard", "monkey", "passenger",
     "url.path", "http.route", "secretary", ""],
)  # fmt: skip
def test_a_key_that_only_resembles_one_is_not(key: str) -> None:
    assert not is_secret_key(key)


@pytest.mark.parametrize(("name", "text"), SECRET_TEXT.items())
def test_a_secret_inside_text_is_replaced_by_its_name(name: str, text: str) -> None:
    assert f"[redacted:{name}]" in Redactor().text(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_is_returned_as_it_is(text: str) -> None:
    assert Redactor().text(text) == text


def test_what_surrounds_a_secret_stays() -> None:
    redactor = Redactor()
    assert redactor.text("curl https://h/x?user=7&access_token=abc123&v=2") == (
        "curl https://h/x?user=7&access_token=[redacted:secret]&v=2"
    )
    assert redactor.text("redis://:hunter22@cache/0") == "redis://:[redacted:password]@cache/0"
    assert redactor.text("a@b.io, c@d.io") == "[redacted:email], [redacted:email]"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"password": "two words, and more"}', '{"password": "[redacted:secret]"}'),
        (r"{\"api_key\": \"k1\"}", r'{\"api_key\": \"[redacted:secret]"}'),
        ("{'token': 'k1'}", "{'token': '[redacted:secret]'}"),
        ("[(b'x-api-key', b'k1'), (b'host', b'h')]", "[(b'x-api-key', b'[redacted:secret]'), (b'host', b'h')]"),
        ("Cookie: a=1; b=2", "Cookie: [redacted:secret]"),
        ("?X-Amz-Signature=ab12&v=1", "?X-Amz-Signature=[redacted:secret]&v=1"),
        ("sessionToken=ab12&v=1", "sessionToken=[redacted:secret]&v=1"),
        ("serve --db-password k1 --port 80", "serve --db-password [redacted:secret] --port 80"),
        ("user=jane%40example.org", "user=[redacted:email]"),
        ("card=4111+1111+1111+1111", "card=[redacted:card]"),
        ("secret=" + "x" * 2_000, "secret=[redacted:secret]"),
    ],
)
def test_a_secret_ends_where_its_surroundings_say(text: str, kept: str) -> None:
    assert Redactor().text(text) == kept


def test_maps_lists_and_command_lines_are_looked_into() -> None:
    redactor = Redactor()
    nested = {"user": {"password": "x", "mail a@b.io": [{"to": "a@b.io"}]}, "argv": ["serve", "--api-key", "k1", "-v"]}
    assert redactor.body(nested) == {
        "user": {"password": "[redacted:secret]", "mail [redacted:email]": [{"to": "[redacted:email]"}]},
        "argv": ["serve", "--api-key", "[redacted:secret]", "-v"],
    }
    assert redactor.body({"n": [1, {"m": "fine"}]}) == {"n": [1, {"m": "fine"}]}


def test_every_secret_in_a_long_text_is_found() -> None:
    text = " ".join(SECRET_TEXT.values()) * 3
    assert Redactor().text(text).count("[redacted:email]") == 3


def test_attributes_lose_secrets_by_key_and_by_pattern_and_keep_the_rest() -> None:
    attributes = {"password": 12345, "to": "a@b.io", "n": 3, "tags": ("x", "a@b.io"), "ok": True, "blob": b"a@b.io"}
    assert Redactor().attributes(attributes) == {
        "password": "[redacted:secret]",
        "to": "[redacted:email]",
        "n": 3,
        "tags": ["x", "[redacted:email]"],
        "ok": True,
        "blob": b"[redacted:email]",
    }


def test_untouched_attributes_are_the_same_object() -> None:
    attributes = {"http.route": "/predict", "n": 1}
    assert Redactor().attributes(attributes) is attributes


def test_drop_removes_the_attribute_or_the_text() -> None:
    redactor = Redactor(action="drop")
    assert redactor.attributes({"token": "x", "to": "mail a@b.io now", "n": 1}) == {"to": "mail  now", "n": 1}


def test_hash_keeps_equal_secrets_equal_and_depends_on_the_key() -> None:
    one, other = Redactor(action="hash", hash_key=b"1"), Redactor(action="hash", hash_key=b"2")
    assert one.text("a@b.io") == one.text("a@b.io") != one.text("c@b.io")
    assert one.text("a@b.io") != other.text("a@b.io")
    assert "a@b.io" not in one.text("a@b.io")


def test_users_add_keys_and_patterns() -> None:
    redactor = Redactor(secret_keys=frozenset({"Patient.ID"}), patterns=(Pattern("mrn", re.compile(r"MRN-\d{6}")),))
    assert redactor.attributes({"patient.id": "7"}) == {"patient.id": "[redacted:secret]"}
    assert redactor.text("MRN-123456 admitted") == "[redacted:mrn] admitted"


def test_long_text_is_cut_and_says_how_much() -> None:
    assert Redactor(max_text=100).text("x" * 150) == "x" * 100 + "… [50 more characters]"


def test_a_secret_across_the_cut_does_not_survive_in_part() -> None:
    text = "x" * 90 + " 4111111111111111 " + "y" * 100
    assert "411111" not in Redactor(max_text=100).text(text)


SECRETS = st.sampled_from(list(SECRET_TEXT.values()))
PROSE = st.text(string.ascii_letters + string.digits + " .,:;=@-_/\n", max_size=80)


def finds(pattern: Pattern, text: str) -> bool:
    found = (match.group() for match in pattern.expression.finditer(text))
    return any(pattern.confirm is None or pattern.confirm(secret) for secret in found)


@given(before=PROSE, secret=SECRETS, after=PROSE)
def test_the_cheap_look_never_hides_what_a_pattern_would_find(before: str, secret: str, after: str) -> None:
    text = f"{before} {secret} {after}"
    matching = [pattern for pattern in PATTERNS if finds(pattern, text)]
    assert matching
    assert all(pattern.is_possible(text.lower()) for pattern in matching)
    assert SUSPICIOUS.search(text) is not None


@pytest.mark.parametrize("action", ["mask", "hash"])
@given(before=PROSE, secret=SECRETS, after=PROSE)
def test_redacting_twice_changes_nothing_more(action: Action, before: str, secret: str, after: str) -> None:
    redactor = Redactor(action=action, hash_key=b"1")
    once = redactor.text(f"{before} {secret} {after}")
    assert redactor.text(once) == once


def test_a_hash_is_no_secret_of_its_own() -> None:
    redactor = Redactor(action="hash", hash_key=b"1")
    kept = redactor.text("https://app:hunter22@db/prod?password=hunter22&v=1")
    hashes = re.findall(r"#([0-9a-f]{16})\]", kept)
    assert kept == f"https://app:[redacted:password#{hashes[0]}]@db/prod?password=[redacted:secret#{hashes[1]}]&v=1"
    assert hashes[0] == hashes[1]
    assert redactor.text(kept) == kept


HOSTILE = ["eyJ", "eyJ-", "eyJ.", "a@", "a.", "1 ", "1-", "://", "://a:", "bearer ", "-----BEGIN PRIVATE KEY-----",
           "password=", "token", "a", "0", "@", "sk-", " ", "-----BEGIN ",
           "?a", "&a=", " --a", "cookie", "\"password\":", "4+", "%40", "a%40", "password\\\\"]  # fmt: skip


def test_hostile_megabytes_cannot_stall_it() -> None:
    """A deadline of the process, far above what linear patterns need, and far below what backtracking would."""
    code = (
        "import json, sys\n"
        "from infersight._redact import Redactor\n"
        "redactor = Redactor(max_text=10**9)\n"
        "for piece in json.loads(sys.argv[1]):\n"
        "    redactor.text(piece * (1_000_000 // len(piece)))\n"
    )
    subprocess.run([sys.executable, "-c", code, json.dumps(HOSTILE)], check=True, timeout=120)
