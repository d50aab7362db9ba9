"""What became of old mistakes, on the terminal."""

from typing import Final

from rich.table import Table
from rich.text import Text

from infersight_analysis.findings import Regression, RegressionCase
from infersight_analysis.report.output import clipped, console, plain_table
from infersight_analysis.report.robustness import quoted

_FAILING: Final = 10
_WIDTH: Final = 92


def print_regression(found: Regression) -> None:
    """Print how many mistakes are mended, by slice, and the first of those that are not."""
    out = console()
    out.print(Text(f"{found.model}: {found.statement}", style="bold"))
    for line in left_out(found):
        out.print(Text(line, style="yellow"))
    if found.slices:
        out.print()
        out.print(_slices(found))
    if found.failing:
        out.print()
    for case in found.failing[:_FAILING]:
        out.print(Text(f"line {case.line}: {clipped(quoted(case.input), _WIDTH)}"))
        out.print(Text(f"  {outcome(case)}", style="red"))
    if len(found.failing) > _FAILING:
        out.print(Text(f"and {len(found.failing) - _FAILING} more: --format json has all", style="dim"))


def left_out(found: Regression) -> list[str]:
    """What could not be judged, in words."""
    said: list[str] = []
    if found.without_input:
        said.append(f"{found.without_input} of {found.lines} lines have no input (it was not kept) and were not asked")
    if found.without_label:
        said.append(f"{found.without_label} of {found.lines} lines do not say what is right and were not asked")
    if found.stopped:
        said.append(f"not everything was asked: {found.stopped}")
    return said


def outcome(case: RegressionCase) -> str:
    """What was said then and is said now."""
    right = f"right is {case.label_true}"
    if case.failure is not None:
        return f"no answer ({case.failure}); {right}"
    sure = "" if case.score is None else f" ({case.score:.3g})"
    if case.outcome == "still_wrong":
        return f"still {case.now}{sure}; {right}"
    return f"now {case.now}{sure}, it was {case.before}; {right}"


def _slices(found: Regression) -> Table:
    table = plain_table()
    table.add_column("slice", overflow="fold")
    for heading in ("fixed", "share", "95 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in found.slices:
        table.add_row(
            Text(each.slice or "-"),
            f"{each.fixed:,} of {each.cases:,}",
            f"{each.rate:.1%}",
            f"{each.low:.1%} to {each.high:.1%}",
            style="red" if each.fixed < each.cases else None,
        )
    return table
