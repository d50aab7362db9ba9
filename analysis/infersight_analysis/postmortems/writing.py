"""Writing a post-mortem: the document, kept with its incident, and the event that says so."""

import hashlib
from typing import Final

from infersight_analysis.findings.postmortem import PostMortem
from infersight_analysis.incidents import state as kinds
from infersight_analysis.incidents.evidence import write_file
from infersight_analysis.incidents.incident import Incident
from infersight_analysis.report.output import to_json
from infersight_analysis.report.postmortem import to_markdown

DIRECTORY: Final = "postmortem"


def keep(incident: Incident, found: PostMortem, *, override: str | None = None) -> None:
    """Keep a post-mortem with its incident, as Markdown and JSON; the same one is not recorded twice.

    Args:
        incident: which.
        found: the document.
        override: why it is written although the method refuses it.

    Raises:
        Refused: the cause is not known yet, and nobody overrides that.
        AnalysisError: it cannot be written.
    """
    content = to_markdown(found).encode()
    digest = hashlib.sha256(content).hexdigest()
    state = incident.state
    last = state.last(kinds.POSTMORTEM, after=state.reopened_at)
    if last is not None and last.payload["sha256"] == digest:
        return
    incident.ensure(kinds.POSTMORTEM, override=override)
    folder = incident.log.path(incident.id) / DIRECTORY
    write_file(folder / f"{digest}.md", content)
    write_file(folder / f"{digest}.json", to_json(found).encode())
    payload = {"file": f"{DIRECTORY}/{digest}.md", "sha256": digest}
    incident.record(kinds.POSTMORTEM, payload, override=override)
