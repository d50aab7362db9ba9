"""What a model said of inputs that mean the same, on the terminal."""

import json
from collections.abc import Mapping
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import Repeated, Robustness, SaidOtherwise, VariationResult
from infersight_analysis.report.output import clipped, console, joined, plain_table

_EXAMPLES: Final = 2
_EXAMPLED: Final = 5
_WIDTH: Final = 88


def print_robustness(found: Robustness) -> None:
    """Print how consistent each variation is, the worst first, and what was answered otherwise."""
    out = console()
    out.print(Text(f"{found.model}: {found.statement}", style="bold"))
    out.print(Text(joined(f"{found.inputs:,} inputs", f"{found.calls:,} calls", f"seed {found.seed}"), style="dim"))
    if found.stopped:
        out.print(Text(f"not everything was asked: {found.stopped}", style="yellow"))
    out.print(f"asked again: {asked_again(found.repeated)}")
    for example in found.repeated.examples[:_EXAMPLES]:
        out.print(Text(f"  {quoted(example.input)}  {answers(example)}"))
    if found.variations:
        out.print()
        out.print(_table(found))
    for result in [each for each in found.variations if each.examples][:_EXAMPLED]:
        out.print()
        out.print(Text(f"{result.variation}: {result.about}", style="bold"))
        for example in result.examples[:_EXAMPLES]:
            out.print(Text(f"  {clipped(quoted(example.input), _WIDTH)}"))
            out.print(Text(f"  {clipped(quoted(example.varied), _WIDTH)}"))
            out.print(Text(f"    {answers(example)}", style="red"))
    if found.not_varied:
        out.print()
        out.print(Text(f"change none of these inputs: {', '.join(found.not_varied)}", style="dim"))


def asked_again(repeated: Repeated) -> str:
    """What became of the same inputs, in words."""
    asked = f"{repeated.inputs} inputs, {repeated.times} times each"
    if repeated.rate is None or repeated.low is None or repeated.high is None:
        return f"no input got an answer each time{failures(repeated.failures)}"
    interval = f"{repeated.low:.1%} to {repeated.high:.1%}"
    if not repeated.differing:
        return f"{asked}, always the same answer (up to {repeated.high:.1%} may differ){failures(repeated.failures)}"
    differing = f"{repeated.differing} with different answers ({repeated.rate:.1%}, {interval}), which are not varied"
    return f"{asked}, {differing}{failures(repeated.failures)}"


def failures(by_status: Mapping[str, int]) -> str:
    """How many calls failed, by what."""
    return f"; {', '.join(f'{count} x {status}' for status, count in by_status.items())}" if by_status else ""


def interval(result: VariationResult) -> str:
    """The interval of a consistency."""
    return "-" if result.low is None or result.high is None else f"{result.low:.1%} to {result.high:.1%}"


def answers(example: SaidOtherwise) -> str:
    """Both answers, with their scores."""
    return f"{_answer(example.label, example.score)} -> {_answer(example.varied_label, example.varied_score)}"


def quoted(value: Any) -> str:
    """An input so that its whitespace and what has no width are seen."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


def _answer(label: Any, score: float | None) -> str:
    said = f"{label:.6g}" if isinstance(label, float) else str(label)
    return said if score is None else f"{said} ({score:.3g})"


def _table(found: Robustness) -> Table:
    table = plain_table()
    table.add_column("variation", no_wrap=True)
    for heading in ("same answer", "consistent", "95 % interval", "unsure"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("failed", no_wrap=True, overflow="ellipsis")
    for result in found.variations:
        table.add_row(
            result.variation,
            f"{result.same:,} of {result.inputs:,}",
            "-" if result.rate is None else f"{result.rate:.1%}",
            interval(result),
            f"{result.unsure:,}" if result.unsure else "",
            f"{result.failed:,}{failures(result.failures)}" if result.failures else "",
            style="red" if result.same < result.inputs else None,
        )
    return table
