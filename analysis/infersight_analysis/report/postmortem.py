"""Post-mortems as Markdown, and their action items and checks on the terminal."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.text import Text

from infersight_analysis.findings.postmortem import ActionItem, Actions, Impact, PostMortem, Review
from infersight_analysis.report.output import console, joined, plain_table
from infersight_analysis.times import readable_time, short_duration

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|#~])")
_NONE: Final = "None was recorded."


def to_markdown(found: PostMortem) -> str:
    """The post-mortem in Markdown; whatever telemetry and people say in it is text."""
    parts = [
        f"# Post-mortem: {_plain(found.title)}",
        f"{found.id} · {found.severity} · {found.written}",
        *(f"> **Against the method:** {_plain(each)}" for each in found.overridden),
        *(f"> **Not right:** {_plain(each)}" for each in found.problems),
        _chapter("Summary", " ".join(map(_plain, found.summary))),
        _chapter("Impact", _impact(found.impact)),
        _chapter("How long it took", _list(f"**{each.name}**: {_plain(each.statement)}" for each in found.elapsed)),
        _chapter("Timeline", _timeline(found)),
        _chapter("Root cause", _plain(found.cause) if found.cause else "It is not known."),
        _chapter("What speaks for it", _list(map(_plain, found.supported))),
        _chapter("What was ruled out", _list(map(_plain, found.refuted))),
        _chapter("Contributing factors", _list(map(_plain, found.factors))),
        _chapter("What went well", _list(map(_plain, found.went_well))),
        _chapter("What went wrong", _list(map(_plain, found.went_wrong))),
        _chapter("Fix", _list(map(_plain, found.fixes))),
        _chapter("Verification", _list(f"**{each['outcome']}** {_plain(each['statement'])}" for each in found.checks)),
        _chapter("Prevention", _list(map(_plain, found.preventions))),
        _chapter("Action items", _actions(found.actions)),
        _chapter("Follow-up", _follow_up(found)),
        _chapter("Appendix: evidence", _appendix(found)),
        _chapter("Appendix: the SQL of every number", "\n\n".join(_queries(found))),
    ]
    return "\n\n".join(parts) + "\n"


def _chapter(title: str, text: str) -> str:
    return f"## {title}\n\n{text}"


def _plain(text: str) -> str:
    """A text as it is, in one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items) or _NONE


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _impact(cost: Impact | None) -> str:
    if cost is None:
        return "Unknown: nobody said when it was. `infersight incident open` takes --start and --end."
    rows = [(name, _plain(value)) for name, value in impact_rows(cost)]
    notes = "".join(f"\n\n{_plain(note)}." for note in cost.notes)
    return _table(("what", "how much"), rows) + notes


def impact_rows(cost: Impact) -> Iterator[tuple[str, str]]:
    """What an incident cost, by name and value."""
    yield "counted from", f"{readable_time(cost.start)} to {readable_time(cost.end)} UTC"
    yield "baseline", f"{readable_time(cost.baseline_start)} to {readable_time(cost.baseline_end)} UTC"
    yield "duration", cost.lasting.statement
    yield "requests", f"{cost.requests:,.6g}"
    before = "" if cost.baseline_error_share is None else f", {cost.baseline_error_share:.2%} before"
    yield "failed", f"{cost.failed:,.6g} ({cost.error_share or 0:.2%}{before})"
    if cost.excess_failed is not None and cost.excess_interval is not None:
        low, high = cost.excess_interval
        yield (
            "failed beyond what is usual",
            f"{cost.excess_failed:,.0f} ({low:,.0f} to {high:,.0f} with 95 % confidence)",
        )
    if cost.slow_over_ns is not None and cost.excess_slow is not None:
        limit = short_duration(cost.slow_over_ns)
        said = f"{cost.slow:,.6g} took more than {limit}, as 1 in 100 did before; {cost.excess_slow:,.0f} beyond that"
        yield "slow", said
    for each in cost.quantiles:
        low_ns, high_ns = (None if end is None else short_duration(end) for end in each.interval_ns)
        known = f"difference {low_ns or 'unknown'} to {high_ns or 'unknown'} with 95 % confidence"
        said = f"{short_duration(each.incident_ns)}, {short_duration(each.baseline_ns)} before ({known})"
        yield f"p{each.q * 100:.0f}", said
    if cost.users:
        share = cost.users_concerned / cost.users
        yield "users concerned", f"{cost.users_concerned:,} of {cost.users:,} ({share:.1%}), by failed or slow requests"


def _timeline(found: PostMortem) -> str:
    rows = [
        (readable_time(each.time), _plain(each.actor or each.source), _plain(each.statement)) for each in found.timeline
    ]
    return f"All times are UTC.\n\n{_table(('time', 'by', 'what happened'), rows)}"


def _actions(actions: Sequence[ActionItem]) -> str:
    if not actions:
        return _NONE
    headings = ("item", "priority", "what", "owner", "due", "status", "done when")
    rows = [
        (
            each.name,
            each.priority,
            _plain(each.description),
            _plain(each.owner or "nobody"),
            _due(each),
            each.status.replace("_", " ").lower(),
            _plain(each.outcome or "nobody said"),
        )
        for each in actions
    ]
    return _table(headings, rows)


def _due(each: ActionItem) -> str:
    return f"{each.due or 'no date'}{' (overdue)' if each.overdue else ''}"


def _follow_up(found: PostMortem) -> str:
    due, done = found.follow_up.due, found.follow_up.done
    if due is None:
        return "Due 30 days after the incident is closed."
    if done:
        return f"Was due on {due}, done on {done[:10]}."
    return f"Due on {due}{', overdue' if found.follow_up.overdue else ''}."


def _appendix(found: PostMortem) -> str:
    if not found.appendix:
        return _NONE
    rows = [
        (each.name, readable_time(each.time), _plain(each.actor), _plain(each.about[:200]), f"`{each.sha256[:12]}`")
        for each in found.appendix
    ]
    return _table(("piece", "kept", "by", "what", "SHA-256"), rows)


def _queries(found: PostMortem) -> Iterator[str]:
    for each in found.queries:
        fence = "```"
        while fence in each.sql:
            fence += "`"
        yield f"{_plain(each.shows).capitalize()}:\n\n{fence}sql\n{each.sql.strip()}\n{fence}"


def print_actions(found: Actions) -> None:
    """Print action items, what is overdue first."""
    out = console()
    if not found.actions:
        out.print("there is no action item")
        return
    table = plain_table()
    for heading in ("incident", "item", "priority", "status", "due", "owner"):
        table.add_column(heading, no_wrap=True)
    table.add_column("what", overflow="fold")
    for each in found.actions:
        due = Text(each.due or "no date", style="bold red" if each.overdue else "")
        owner = Text(each.owner or "nobody")
        status = each.status.replace("_", " ").lower()
        table.add_row(each.incident, each.name, each.priority, status, due, owner, Text(each.description))
    out.print(table)


def print_review(found: Review) -> None:
    """Print what should be otherwise in a post-mortem."""
    out = console()
    if not found.remarks:
        out.print(f"{found.incident}: nothing to remark")
        return
    for each in found.remarks:
        out.print(Text.assemble((joined(each.kind, each.of), "bold"), f"  {each.reason}"), soft_wrap=True)
        if each.text:
            out.print(Text(f"    {each.text}"), soft_wrap=True)
        out.print(Text(f"    {each.instead}", style="dim"), soft_wrap=True)
