"""The cheap look of the processor `redaction` never hides what the SDK's rules would find."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyarrow publishes no types.

import re
import string

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infersight._redact import PATTERNS, Pattern, Redactor
from infersight_collector.processors.suspects import Suspects, loose

OWN = Pattern("mrn", re.compile(r"\bMRN-\d{2,6}(?P<keep>\s)x$", re.ASCII))

PIECES = st.sampled_from(
    ["Bearer abcdef0123456789", "eyJhbGciOi.eyJzdWIi.dozjgNry", "a@b.io", "jane%40b.io", "4111 1111 1111 1111",
     "4111111111111111", "123-45-6789", "://u:pw@h", "password=x", "PassWord: 'two words'", "?token=k", "&sig=ab",
     "-----BEGIN RSA PRIVATE KEY-----\nMII", "AKIAIOSFODNN7EXAMPLE", "sk-" + "a" * 24, "hf_" + "b" * 30,
     "--api-key k1", "--db-password=k1", "Cookie: a=b", "\\\"secret\\\": \\\"x\\\"", "('x-api-key', 'k1')", "MRN-77 x",
     "api_key", "token=", "é", "\u017f", "\u212a", "\x0b", "\xa0", "\u2003", "\x85", "\n", "=", "x"]
)  # fmt: skip
PROSE = st.text(string.ascii_letters + string.digits + " .,:;=@-_/\n\t\"'\\%&?\x0b\x1c\xa0é", max_size=12)
TEXTS = st.lists(st.one_of(PIECES, PROSE), max_size=6).map("".join)


@settings(max_examples=300)
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_every_text_that_redaction_changes_is_suspect(texts: list[str]) -> None:
    # So many others that the second look is taken.
    others = [f"GET /items?page={number}&name=x" for number in range(100)]
    redactor = Redactor(patterns=(OWN,))
    for given_texts in (texts, [*texts, *others]):
        suspect = Suspects([OWN]).among(pa.array(given_texts, pa.string()))
        hidden = [
            text for text, found in zip(given_texts, suspect, strict=True) if not found and redactor.text(text) != text
        ]
        assert hidden == []


def test_usual_texts_are_not_suspect() -> None:
    texts = [
        "POST /predict",
        "2026-01-02T03:04:05.123456789Z",
        "http://models.internal:8080/predict/7?page=2&sort=name",
        "0af7651916cd43dd8448eb211c80319c",
        "python-httpx/0.28.1",
        "uvicorn app:app --workers 4 --log-level info",
        "select id from t where id = 7",
    ]
    many = [f"{text} {number}" for text in texts for number in range(50)]
    assert not Suspects([]).among(pa.array(many)).any()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (r"(?P<keep>a)[a-z]{2,5}", r"(?:a)[a-z]{2,}"),
        (r"a{3}\s+[^\s{1,2}]$", r"a{3}[\s\pZ\pC]+[^\s{1,2}](?:$|\n)"),
        (r"\[\s\]\$[]\s$]", r"\[[\s\pZ\pC]\]\$[]\s$]"),
    ],
)
def test_only_what_the_two_engines_take_differently_is_rewritten(expression: str, expected: str) -> None:
    assert loose(expression) == expected


def test_re2_reads_every_built_in_pattern() -> None:
    for pattern in PATTERNS:
        assert Suspects([pattern]).among(pa.array(["nothing"])).tolist() == [False]
