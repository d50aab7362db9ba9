"""The page of a rollback: what was done, what was kept, and whether it helped."""

from infersight_analysis.findings import RollbackExecution
from infersight_analysis.report.html.environment import page
from infersight_analysis.report.rollbacks import command_line, facts, headline


def rollback_page(found: RollbackExecution) -> str:
    """One file of HTML that needs nothing else."""
    steps = [(step, command_line(step)) for step in found.steps]
    checks = [
        ("The candidate, before anything was changed", found.check),
        (f"{found.baseline} since then, against itself before", found.verification),
    ]
    return page(
        "rollbacks",
        "Rollback",
        found=found,
        headline=headline(found).capitalize(),
        facts=facts(found),
        steps=steps,
        checks=[(title, check) for title, check in checks if check is not None],
    )
