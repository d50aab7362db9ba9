"""Writing a post-mortem: the document, kept with its incident, and the event that says so."""

import hashlib
import os
from pathlib import Path
from typing import Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings.postmortem import PostMortem
from infersight_analysis.incidents import state as kinds
from infersight_analysis.incidents.incident import Incident
from infersight_analysis.report.output import to_json
from infersight_analysis.report.postmortem import to_markdown
from infersight_collector.store.wal import sync_directory, sync_file

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
    _write(folder / f"{digest}.md", content)
    _write(folder / f"{digest}.json", to_json(found).encode())
    payload = {"file": f"{DIRECTORY}/{digest}.md", "sha256": digest}
    incident.record(kinds.POSTMORTEM, payload, override=override)


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft.touch(mode=0o600)
        draft.write_bytes(content)
        sync_file(draft)
        draft.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        raise AnalysisError(f"cannot write {path}: {error.strerror or error}") from error
