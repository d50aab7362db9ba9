"""Inputs that break rules, on the terminal."""

from typing import Final

from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import InputViolation, ReportedViolation, RuleResult, Validation
from infersight_analysis.report.output import clipped, command, console, joined, plain_table
from infersight_analysis.report.robustness import quoted

_EXAMPLES: Final = 3
_WIDTH: Final = 80


def print_validation(found: Validation) -> None:
    """Print each rule with how many inputs break it and which, then what services reported themselves."""
    out = console()
    out.print(Text(found.statement, style="bold"))
    out.print(Text(facts(found), style="dim"))
    if found.inputs:
        out.print()
        out.print(_rules(found))
    for rule in [rule for rule in found.rules if rule.examples]:
        out.print()
        out.print(Text(f"{rule.check}: {rule.expected}", style="bold"))
        for example in rule.examples[:_EXAMPLES]:
            out.print(Text(f"  {example_of(example)}"))
    if found.reported:
        out.print()
        out.print(Text("reported by the services", style="bold"))
        for each in found.reported:
            out.print(Text(f"  {reported_of(each)}"))
    if found.evidence.trace_ids:
        line = command("investigate", found.evidence.trace_ids[0])
        out.print(Text(line, style="dim"), soft_wrap=True)


def facts(found: Validation) -> str:
    """What was looked at."""
    sampled = f"of {found.sampled:,} only a sample of the elements" if found.sampled else None
    return joined(found.source, f"{found.inputs:,} inputs", sampled)


def example_of(example: InputViolation) -> str:
    """An input that breaks a rule, and what was found."""
    if example.place is not None:
        return f"input {example.place}: {example.found}  {clipped(quoted(example.input), _WIDTH)}"
    trace = f"trace {example.trace_id}" if example.trace_id else None
    return f"{example.found}  {joined(f'prediction {example.prediction_id}', trace)}"


def reported_of(each: ReportedViolation) -> str:
    """What a service found itself."""
    where = joined(each.service or "?", each.input)
    return f"{each.count:,} x {where}: {each.check}, expected {each.expected}, found {each.found}"


def judged_of(rule: RuleResult) -> str:
    """Of how many inputs a rule can be told."""
    return f"{rule.judged:,}" if not rule.unknown else f"{rule.judged:,} ({rule.unknown:,} unknown)"


def _rules(found: Validation) -> Table:
    table = plain_table()
    table.add_column("rule", no_wrap=True)
    table.add_column("expected", overflow="fold")
    for heading in ("broken by", "of"):
        table.add_column(heading, justify="right", no_wrap=True)
    for rule in found.rules:
        style = "red" if rule.broken else None
        table.add_row(rule.check, Text(rule.expected), f"{rule.broken:,}", judged_of(rule), style=style)
    return table
