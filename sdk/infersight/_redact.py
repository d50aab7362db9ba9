r"""Redaction of secrets and personal data before anything leaves the process.

Two kinds of rule: by key (an attribute whose name says that it is a secret loses its whole value) and by pattern (a
secret inside any text is replaced where it stands). Every pattern takes time linear in the text: repeats are bounded
or stand behind a start that cannot lie inside their own run, and none nests another. They keep to the syntax that
RE2 shares with `re`, so that engines without backtracking can run the same rules.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal, cast

Action = Literal["mask", "hash", "drop"]

MAX_TEXT: Final = 16_384
"""Longest text kept by default, in characters; what is cut off is said at its end."""

_OVERLAP: Final = 512
"""Characters beyond the cut that are looked at; longer than any secret without a beginning of its own."""

_SECRET_WORDS: Final = frozenset(
    {"password", "passwd", "passphrase", "pwd", "secret", "authorization", "cookie", "credential", "credentials"}
    | {"apikey", "jwt", "ssn", "cvv"}
)
_SECRET_PAIRS: Final = frozenset({("api", "key"), ("access", "key"), ("private", "key"), ("set", "cookie")})
_WORD: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")


def is_secret_key(key: str) -> bool:
    """Whether an attribute's name says that its value is a secret.

    Compares whole words (`x-api-key`, `dbPassword`, `http.request.header.authorization`), so that `input_tokens` or
    `keyboard` stay. A `token` is a secret only as the last word: `gen_ai.token.type` is none.
    """
    words = [word.lower() for word in _WORD.findall(key)]
    return (
        not _SECRET_WORDS.isdisjoint(words) or not _SECRET_PAIRS.isdisjoint(pairwise(words)) or words[-1:] == ["token"]
    )


@dataclass(frozen=True)
class Pattern:
    """Text to replace wherever it occurs.

    Attributes:
        name: what stands in its place, `[redacted:NAME]`.
        expression: a regular expression of linear time; a group `keep`, where it has one, stays before the mark.
        confirm: a further check of the found text, for what an expression cannot say (a check digit).
    """

    name: str
    expression: re.Pattern[str]
    confirm: Callable[[str], bool] | None = None


def _is_card(text: str) -> bool:
    """Luhn's check digit (ISO/IEC 7812-1, annex B)."""
    digits = [int(character) for character in text if character.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[::-2]) + sum(doubled)) % 10 == 0


def _is_ssn(text: str) -> bool:
    """Area, group and serial numbers that the US Social Security Administration never issues are no SSN."""
    area, group, serial = text.split("-")
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def _pattern(name: str, expression: str, confirm: Callable[[str], bool] | None = None) -> Pattern:
    return Pattern(name, re.compile(expression), confirm)


PATTERNS: Final[tuple[Pattern, ...]] = (
    _pattern(
        "private_key",
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)",
    ),
    _pattern("jwt", r"(?P<keep>^|[^A-Za-z0-9_.-])eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"),
    _pattern("credentials", r"(?P<keep>\b(?i:bearer|basic) {1,4})[A-Za-z0-9._~+/=-]{8,}"),
    _pattern(
        "cloud_key",
        r"\b(?:A(?:KIA|SIA)[A-Z0-9]{16}\b|AIza[A-Za-z0-9_-]{35}|gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22}"
        r"|xox[abposr]-[A-Za-z0-9-]{10}|[rs]k_(?:live|test)_[A-Za-z0-9]{16}|sk-[A-Za-z0-9_-]{20}|hf_[A-Za-z0-9]{30})"
        r"[A-Za-z0-9_-]*",
    ),
    _pattern("password", r"(?P<keep>://[^\s/:@]{0,64}:)[^\s/@]{1,256}@"),
    _pattern(
        "secret",
        r"(?P<keep>(?i:password|passwd|pwd|secret|api[_-]?key|access[_-]?key|authorization)"
        r"[\"']? {0,2}[=:] {0,2}[\"']?)[^\s\"'&,;\[][^\s\"'&,;]{0,255}",
    ),
    # Model servers speak of other tokens, "time per token: 12 ms": only an assignment is taken for a secret.
    _pattern("secret", r"(?P<keep>(?i:token)=[\"']?)[^\s\"'&,;\[][^\s\"'&,;]{0,255}"),
    _pattern("email", r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}\b"),
    _pattern("card", r"\b[2-6][0-9](?:[ -]?[0-9]){11,17}\b", _is_card),
    _pattern("ssn", r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b", _is_ssn),
)
"""The built-in patterns, in the order in which they are applied."""

SUSPICIOUS: Final = re.compile(r"[@=:]|eyJ|-----BEGIN|[0-9][0-9 -]{9}|(?i:bearer|basic) |[A-Za-z]{2}[_-]|A[KS]IA|AIza")
"""What any text that one of the built-in patterns matches contains: the cheap look before the dear one."""


@dataclass(frozen=True)
class Redactor:
    """Applies the rules to attributes and text.

    Attributes:
        action: `mask` writes `[redacted:NAME]`, `hash` a keyed hash by which equal values can still be found equal,
            `drop` removes the attribute or the text.
        secret_keys: further attribute names whose values are secrets, compared without regard to case.
        patterns: further patterns, applied before the built-in ones.
        max_text: longest text kept, in characters.
        hash_key: key of the hashes; keep it out of the telemetry, or short values can be guessed from them.
    """

    action: Action = "mask"
    secret_keys: frozenset[str] = frozenset()
    patterns: tuple[Pattern, ...] = ()
    max_text: int = MAX_TEXT
    hash_key: bytes = b""
    _is_secret: Callable[[str], bool] = field(init=False, repr=False, compare=False)
    _short: Callable[[str], str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Attribute names and short values repeat: both answers are remembered, within bounds.
        extra = frozenset(key.lower() for key in self.secret_keys)

        def is_secret(key: str) -> bool:
            return key.lower() in extra or is_secret_key(key)

        object.__setattr__(self, "_is_secret", lru_cache(maxsize=4096)(is_secret))
        object.__setattr__(self, "_short", lru_cache(maxsize=4096)(self._replace))

    def text(self, text: str) -> str:
        """The text with every secret replaced and at most `max_text` characters of it kept."""
        if len(text) <= 64:
            return self._short(text)
        cut = len(text) - self.max_text
        if cut <= 0:
            return self._replace(text)
        # A secret that lies across the cut is replaced whole, and only then cut.
        kept = self._replace(text[: self.max_text + _OVERLAP])[: self.max_text]
        return f"{kept}… [{cut} more characters]"

    def value(self, key: str, value: object) -> object:
        """What is kept of an attribute: the value itself when no rule touches it; None when it is dropped."""
        if self._is_secret(key) and value is not None:
            return None if self.action == "drop" else self._mark("secret", str(value))
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list | tuple):
            items = cast("Sequence[object]", value)
            if any(isinstance(item, str) for item in items):
                return [self.text(item) if isinstance(item, str) else item for item in items]
            return items
        return value

    def attributes(self, attributes: Mapping[str, object]) -> Mapping[str, object]:
        """The attributes after redaction; the same object when no rule touches any."""
        kept = {key: self.value(key, value) for key, value in attributes.items()}
        if all(kept[key] is value for key, value in attributes.items()):
            return attributes
        return {key: value for key, value in kept.items() if value is not None or attributes[key] is None}

    def _replace(self, text: str) -> str:
        for pattern in self.patterns:
            text = self._apply(pattern, text)
        if SUSPICIOUS.search(text) is None:
            return text
        for pattern in PATTERNS:
            text = self._apply(pattern, text)
        return text

    def _apply(self, pattern: Pattern, text: str) -> str:
        def replacement(match: re.Match[str]) -> str:
            found = match.group()
            if pattern.confirm is not None and not pattern.confirm(found):
                return found
            kept = match.groupdict().get("keep") or ""
            return kept + ("" if self.action == "drop" else self._mark(pattern.name, found[len(kept) :]))

        return pattern.expression.sub(replacement, text)

    def _mark(self, name: str, secret: str) -> str:
        if self.action != "hash":
            return f"[redacted:{name}]"
        digest = hmac.new(self.hash_key, secret.encode(errors="surrogatepass"), hashlib.sha256)
        return f"[redacted:{name}:{digest.hexdigest()[:16]}]"
