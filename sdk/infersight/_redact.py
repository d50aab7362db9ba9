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

_SHORT: Final = 256
"""Texts up to this length are remembered, up to 4 096 of them: names, routes, user agents come again and again."""

_MARK: Final = "[redacted:"
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
    words = _words(key)
    return (
        not _SECRET_WORDS.isdisjoint(words) or not _SECRET_PAIRS.isdisjoint(pairwise(words)) or words[-1:] == ["token"]
    )


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


@dataclass(frozen=True)
class Pattern:
    """Text to replace wherever it occurs.

    Attributes:
        name: what stands in its place, `[redacted:NAME]`.
        expression: a regular expression of linear time; what its groups `keep` and `rest` match, where it has them,
            stays before and behind the mark.
        confirm: a further check of the found text, for what an expression cannot say (a check digit).
        needs: lower-case texts of which one is in any text that matches and is confirmed; looking for them costs a
            tenth. All texts where there are none.
    """

    name: str
    expression: re.Pattern[str]
    confirm: Callable[[str], bool] | None = None
    needs: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, expression: str, *needs: str, confirm: Callable[[str], bool] | None = None) -> "Pattern":
        """A pattern from the text of its expression."""
        return cls(name, re.compile(expression), confirm, needs)

    def is_possible(self, lowered: str) -> bool:
        """Whether the expression may match a text, which is given in lower case."""
        if not self.needs:
            return True
        for need in self.needs:  # noqa: SIM110 - a third of the time of `any` with its generator
            if need in lowered:
                return True
        return False


def _is_card(text: str) -> bool:
    """Luhn's check digit (ISO/IEC 7812-1, annex B)."""
    digits = [int(character) for character in text if character.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[::-2]) + sum(doubled)) % 10 == 0


def _is_ssn(text: str) -> bool:
    """Area, group and serial numbers that the US Social Security Administration never issues are no SSN."""
    area, group, serial = text.split("-")
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def _is_parameter(text: str) -> bool:
    """Whether `?name=value` names a secret, or the signature of a signed URL."""
    name = text.lstrip("?&;").partition("=")[0]
    return is_secret_key(name) or not {"sig", "signature"}.isdisjoint(_words(name))


def _is_flag(text: str) -> bool:
    """Whether `--name value` of a command line names a secret."""
    return is_secret_key(re.split("[ =]", text.strip(), maxsplit=1)[0])


_NAMES: Final = r"password|passwd|passphrase|pwd|secret|api[_-]?key|access[_-]?key|authorization"
_NAMED: Final = ("passw", "passphrase", "pwd", "secret", "key", "authorization")
"""One of these is in every text with one of the names."""

_NAMING: Final = (
    *("passw", "passphrase", "pwd", "secret", "authorization", "cookie", "credential", "key", "jwt", "ssn", "cvv"),
    *("token", "sig"),
)
"""One of these is in every name that says that its value is a secret, or the signature of a URL."""

_QUOTED_NAME: Final = rf"(?i:(?:{_NAMES}|token|cookie)\\{{0,4}}[\"'] {{0,2}}[=:,]|(?:{_NAMES}) {{0,2}}[=:])"
"""The name of a secret and what stands between it and a value in quotes."""

PATTERNS: Final[tuple[Pattern, ...]] = (
    Pattern.of(
        "private_key",
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)",
        "private key-----",
    ),
    Pattern.of("jwt", r"(?P<keep>^|[^A-Za-z0-9_.-])eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", "eyj"),
    Pattern.of("credentials", r"(?P<keep>\b(?i:bearer|basic) {1,4})[A-Za-z0-9._~+/=-]{8,}", "bearer ", "basic "),
    Pattern.of(
        "cloud_key",
        r"\b(?:A(?:KIA|SIA)[A-Z0-9]{16}\b|AIza[A-Za-z0-9_-]{35}|gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22}"
        r"|xox[abposr]-[A-Za-z0-9-]{10}|[rs]k_(?:live|test)_[A-Za-z0-9]{16}|sk-[A-Za-z0-9_-]{20}|hf_[A-Za-z0-9]{30})"
        r"[A-Za-z0-9_-]*",
        *("akia", "asia", "aiza", "gh", "xox", "k_live", "k_test", "sk-", "hf_"),
    ),
    Pattern.of("password", r"(?P<keep>://[^\s/:@]{0,64}:)[^\s/@]{1,256}(?P<rest>@)", "://"),
    Pattern.of("secret", r"(?P<keep>(?i:cookie)[\"']? {0,2}[=:] {0,2}[\"']?)[^\"'\r\n]+", "cookie"),
    # Between quotes the value ends with the quote, also in JSON inside JSON and in a pair of a header list.
    Pattern.of("secret", rf"(?P<keep>{_QUOTED_NAME} {{0,2}}b?\\{{0,4}}\")[^\"\r\n]+", *_NAMED, "token", "cookie"),
    Pattern.of("secret", rf"(?P<keep>{_QUOTED_NAME} {{0,2}}b?\\{{0,4}}')[^'\r\n]+", *_NAMED, "token", "cookie"),
    Pattern.of("secret", rf"(?P<keep>(?i:{_NAMES})[\"']? {{0,2}}[=:] {{0,2}})[^\s\"'&,;]+", *_NAMED),
    # Model servers speak of other tokens, "time per token: 12 ms": without quotes only an assignment is a secret.
    Pattern.of("secret", r"(?P<keep>(?i:token)=)[^\s\"'&,;]+", "token="),
    Pattern.of("secret", r"(?P<keep>(?:^|[?&;])[A-Za-z0-9_.~-]{1,64}=)[^\s&;#\"'<>]+", *_NAMING, confirm=_is_parameter),
    Pattern.of(
        "secret", r"(?P<keep>(?:^|\s)--[A-Za-z][A-Za-z0-9_-]{0,64}[ =])[^\s\"'-]\S*", *_NAMING, confirm=_is_flag
    ),
    Pattern.of(
        "email", r"\b[A-Za-z0-9._%+-]{1,64}(?:@|%40)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}\b", "@", "%40"
    ),
    Pattern.of("card", r"\b[2-6][0-9](?:(?:[ +-]|%20)?[0-9]){11,17}\b", confirm=_is_card),
    Pattern.of("ssn", r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b", "-", confirm=_is_ssn),
)
"""The built-in patterns, in the order in which they are applied."""

SUSPICIOUS: Final = re.compile(
    r"[@=:]|%40|eyJ|-----BEGIN|--[A-Za-z]|[\"'] {0,2},|[0-9][0-9 +%-]{9}|(?i:bearer|basic) |[A-Za-z]{2}[_-]"
    r"|A[KS]IA|AIza"
)
"""What any text that one of the built-in patterns matches contains: the cheap look before the dear one."""


@dataclass(frozen=True)
class Redactor:
    """Applies the rules to attributes and text.

    Attributes:
        action: `mask` writes `[redacted:NAME]`, `hash` adds a keyed hash by which equal values can still be found
            equal, `[redacted:NAME#HASH]`, `drop` removes the attribute or the text.
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
    _rule: Callable[[str], tuple[bool, str]] = field(init=False, repr=False, compare=False)
    _short: Callable[[str], str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Attribute names and short values repeat: both answers are remembered, within bounds.
        extra = frozenset(key.lower() for key in self.secret_keys)

        def rule(key: str) -> tuple[bool, str]:
            return key.lower() in extra or is_secret_key(key), self.text(key)

        object.__setattr__(self, "_rule", lru_cache(maxsize=4096)(rule))
        object.__setattr__(self, "_short", lru_cache(maxsize=4096)(self._replace))

    def key(self, key: str) -> tuple[bool, str]:
        """Whether an attribute of this name is a secret as a whole, and the name after redaction."""
        return self._rule(key)

    def text(self, text: str) -> str:
        """The text with every secret replaced and at most `max_text` characters of it kept."""
        if len(text) <= _SHORT <= self.max_text:
            return self._short(text)
        cut = len(text) - self.max_text
        if cut <= 0:
            return self._replace(text)
        # A secret that lies across the cut is replaced whole, and only then cut.
        kept = self._replace(text[: self.max_text + _OVERLAP])[: self.max_text]
        return f"{kept}… [{cut} more characters]"

    def value(self, key: str, value: object) -> object:
        """What is kept of an attribute: the value itself when no rule touches it; None when it is dropped."""
        if value is not None and self._rule(key)[0]:
            return None if self.action == "drop" else self._mark("secret", str(value))
        return self.body(value)

    def body(self, value: object) -> object:
        """What is kept of a value without a name: text by the patterns, lists and maps part by part."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes):
            text = value.decode("latin-1")
            kept = self.text(text)
            return value if kept == text else kept.encode("latin-1", "replace")
        if isinstance(value, Mapping):
            return self.attributes(cast("Mapping[str, object]", value))
        if isinstance(value, list | tuple):
            items = cast("Sequence[object]", value)
            kept_items = self._items(items)
            return items if kept_items == list(items) else kept_items
        return value

    def attributes(self, attributes: Mapping[str, object]) -> Mapping[str, object]:
        """The attributes after redaction, names too; the same object when no rule touches any."""
        changed: dict[str, object] = {}
        renamed = False
        for key, value in attributes.items():
            kept = self.value(key, value)
            if kept is not value and kept != value:
                changed[key] = kept
            renamed = renamed or self._rule(key)[1] != key
        if not changed and not renamed:
            return attributes
        return {
            self._rule(key)[1]: changed.get(key, value)
            for key, value in attributes.items()
            if key not in changed or changed[key] is not None
        }

    def _items(self, items: Sequence[object]) -> list[object]:
        kept = [self.body(item) for item in items]
        for position, flag in enumerate(items[:-1]):
            # A command line as a list: `--api-key` and its value are items of their own.
            if isinstance(flag, str) and flag.startswith("-") and self._rule(flag)[0]:
                kept[position + 1] = "" if self.action == "drop" else self._mark("secret", str(items[position + 1]))
        return kept

    def _replace(self, text: str) -> str:
        for pattern in self.patterns:
            text = self._apply(pattern, text)
        if SUSPICIOUS.search(text) is None:
            return text
        lowered = text.lower()
        for pattern in PATTERNS:
            if pattern.is_possible(lowered):
                text = self._apply(pattern, text)
        return text

    def _apply(self, pattern: Pattern, text: str) -> str:
        def replacement(match: re.Match[str]) -> str:
            found = match.group()
            if pattern.confirm is not None and not pattern.confirm(found):
                return found
            groups = match.groupdict()
            kept, rest = groups.get("keep") or "", groups.get("rest") or ""
            secret = found[len(kept) : len(found) - len(rest)]
            if secret.startswith(_MARK):
                return found
            return kept + ("" if self.action == "drop" else self._mark(pattern.name, secret)) + rest

        return pattern.expression.sub(replacement, text)

    def _mark(self, name: str, secret: str) -> str:
        if self.action != "hash":
            return f"{_MARK}{name}]"
        digest = hmac.new(self.hash_key, secret.encode(errors="surrogatepass"), hashlib.sha256)
        # No colon: behind a name such as "secret" it would make the hash itself look like a secret.
        return f"{_MARK}{name}#{digest.hexdigest()[:16]}]"
