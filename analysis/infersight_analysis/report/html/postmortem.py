"""The page of a post-mortem."""

from infersight_analysis.findings.postmortem import PostMortem
from infersight_analysis.report.html.environment import page
from infersight_analysis.report.postmortem import impact_rows


def postmortem_page(found: PostMortem) -> str:
    """One file of HTML that needs nothing else."""
    rows = list(impact_rows(found.impact)) if found.impact else []
    lists = [
        ("Contributing factors", found.factors),
        ("What went well", found.went_well),
        ("What went wrong", found.went_wrong),
        ("Fix", found.fixes),
        ("Prevention", found.preventions),
    ]
    return page("postmortem", f"Post-mortem {found.id}: {found.title}", found=found, impact=rows, lists=lists)
