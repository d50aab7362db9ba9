"""Words that blame somebody, and action items that nobody can hold anyone to."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from infersight_analysis.findings.postmortem import ActionItem, Remark

_ROLES: Final = (
    "engineer", "developer", "operator", "admin", "administrator", "on-call", "oncall", "intern", "contractor",
    "manager", "tester", "reviewer", "author", "colleague", "person", "guy", "dev", "sre", "dba", "somebody", "someone",
)  # fmt: skip
_PRONOUNS: Final = ("he", "she", "i", "you")
_PERSONAL: Final = (
    r"forgot(?: to)?|had forgotten|forgets|neglected|didn't bother|did not bother|couldn't be bothered|"
    r"was (?:careless|negligent|sloppy|lazy|incompetent|inattentive|reckless)|should have known|should've known|"
    r"messed up|screwed up|fucked up|knew better"
)
"""What only people are said to do: it blames whoever is its subject."""

_AMBIGUOUS: Final = (
    r"failed to|broke|caused|missed|overlooked|ignored|did(?:n't| not) \w+|should(?: have|'ve) \w+|"
    r"(?:wrongly|mistakenly|accidentally|carelessly|blindly) \w+|made (?:a|the|an?other) (?:\w+ )?(?:mistake|error)|"
    r"(?:pushed|deployed|merged|released|changed|deleted) .{1,60}? without|is (?:responsible|at fault)|"
    r"was (?:responsible|at fault|to blame|wrong)|took down|introduced the bug"
)
"""What systems do too: it blames where its subject is a person."""

_ALWAYS: Final = re.compile(
    r"\b(?:(?:human|operator|user) error|\w+'s (?:fault|mistake)|(?:is|are|was|were) to blame|blame (?:is|lies|goes)|"
    r"incompeten\w+|stupid\w*|careless\w*|negligen\w+|sloppy|fault of (?:the )?\w+)\b",
    re.IGNORECASE,
)
_NEUTRAL: Final = re.compile(r"\b(?:nobody|no one) (?:is|was) to blame|\bblameless\w*|\bwithout blam\w+", re.IGNORECASE)
_INSTEAD: Final = "say what made it possible, or what would have prevented it, whoever had been there"
_BETWEEN: Final = (
    r"(?: on (?:call|duty))?(?: (?:who|that)(?: \w+){0,3}?)?(?: (?:had|has|have|simply|just|also|then|again))*"
)
_PASSIVE: Final = r"(?:broken|caused|missed|overlooked|ignored|forgotten|neglected|messed up)"
_VAGUE: Final = re.compile(
    r"^(?:be more careful|pay (?:more )?attention|improve|investigate|look into|think about|consider|try to|"
    r"remember to|be aware|communicate better|better|more)\b",
    re.IGNORECASE,
)


def blaming(text: str, names: Iterable[str] = ()) -> str | None:
    """The words of a text that blame somebody, None where none do.

    Blame is a verb that only people can be the subject of (`forgot`), a failing of which a person is the subject, told
    by name, role or pronoun (`Ada broke`, `the engineer did not`), or a noun that looks for guilt (`human error`). The
    same verbs with a system as their subject (`the health check missed it`) are facts.

    Args:
        text: what is said.
        names: of people, as they sign.
    """
    plain = _NEUTRAL.sub("", text)
    always = _ALWAYS.search(plain)
    if always:
        return always[0]
    people = "|".join(re.escape(word) for word in (*_ROLES, *_PRONOUNS, *_parts(names)))
    person = rf"(?<![\w'-])(?:{people})(?![\w'-])"
    for pattern in (
        rf"(?:[\w'-]+ )?(?:{_PERSONAL})\b",
        rf"{person}{_BETWEEN} (?:{_AMBIGUOUS})",
        rf"{_PASSIVE} by (?:the )?{person}",
    ):
        found = re.search(pattern, plain, re.IGNORECASE)
        if found:
            return found[0]
    return None


def _parts(names: Iterable[str]) -> Iterator[str]:
    """Names and their parts: `ada.lovelace` is called Ada, too."""
    for name in names:
        yield name
        yield from (part for part in re.split(r"[\W_]+", name) if len(part) > 2 and part.isalpha())


def remark_on(of: str, text: str, names: Iterable[str]) -> Remark | None:
    """What is wrong with a text of a post-mortem, None where nothing is.

    Args:
        of: where it is.
        text: what is said there.
        names: of people, as they sign.
    """
    found = blaming(text, names)
    return Remark("blame", of, text, f"“{found}” blames somebody", _INSTEAD) if found else None


def remarks_on_action(item: ActionItem) -> Iterator[Remark]:
    """What an action item lacks: an owner, a date, something by which one will see that it is done."""
    if not item.owner:
        yield Remark("action", item.name, item.description, "nobody owns it", "give it an --owner")
    if not item.due:
        yield Remark("action", item.name, item.description, "it has no date", "give it a --due date")
    if not item.outcome:
        instead = "say by --outcome how one will see that it is done: a test that fails without it, an alarm that fires"
        yield Remark("action", item.name, item.description, "nobody can see when it is done", instead)
    if _VAGUE.match(item.description.strip()):
        instead = "name a change of code, configuration, alarms or documents"
        yield Remark("action", item.name, item.description, "it is an intention, not an action", instead)
