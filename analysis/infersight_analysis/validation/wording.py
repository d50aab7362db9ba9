"""What rules say of inputs, in words."""

from collections.abc import Sequence

from infersight_analysis.findings import ReportedViolation, RuleResult


def statement_of(rules: Sequence[RuleResult], reported: Sequence[ReportedViolation]) -> str:
    """The outcome in a sentence; the rules and reports come with the most frequent first."""
    said: list[str] = []
    broken = [rule for rule in rules if rule.broken]
    if broken:
        worst = broken[0]
        more = f", {len(broken) - 1} more of {len(rules)} rules by others" if len(broken) > 1 else ""
        said.append(f"{worst.broken:,} of {worst.judged:,} inputs break the rule {worst.check}{more}")
    elif any(rule.judged for rule in rules):
        said.append(f"no input breaks {'the rule' if len(rules) == 1 else f'one of {len(rules)} rules'}")
    if reported:
        said.append(f"services reported {sum(each.count for each in reported):,} violations themselves")
    return "; ".join(said) or "need more data: of no input is enough known to judge it"
