"""What was learned of all services, and the file that it is kept in."""

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from infersight_collector.store.wal import sync_directory
from infersight_collector.templates.miner import Miner

MAX_TEMPLATES: Final = 10_000
"""Clusters of all services together; the service that was used longest ago is forgotten first."""

_FORM: Final = 1
"""Version of the file's form; a file of another form is not read."""

_log = logging.getLogger(__name__)


class Learned:
    """The miners of services.

    Args:
        max_templates: most clusters of one service.
    """

    def __init__(self, max_templates: int) -> None:
        self._max_templates = max_templates
        self._miners: dict[str, Miner] = {}  # by service, in order of their last use
        self._path: Path | None = None
        self._news = False

    def open(self, path: Path) -> None:
        """Takes over what is in a file, and keeps what is learned from now on there.

        A file that cannot be read is no reason not to start: everything in it can be learned again.
        """
        self._path = path
        try:
            kept = json.loads(path.read_bytes())
            if kept["form"] == _FORM:
                self._miners = {
                    service: Miner.from_state(state, self._max_templates) for service, state in kept["services"].items()
                }
        except FileNotFoundError:
            pass
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            _log.warning("log templates are learned anew, since %s cannot be read: %s", path, error)

    def templates(self, service: str, messages: Sequence[str]) -> list[str]:
        """Learns masked messages of a service, and only then says the template of each."""
        miner = self._miners.pop(service, None) or Miner(self._max_templates)
        self._miners[service] = miner
        before = miner.changes
        templates = miner.templates(messages)
        self._news |= miner.changes > before
        while len(self._miners) > 1 and sum(map(len, self._miners.values())) > MAX_TEMPLATES:
            del self._miners[next(iter(self._miners))]
        return templates

    def save(self) -> None:
        """Makes durable what was learned since the last time; a disk that is full is tried again later."""
        if self._path is None or not self._news:
            return
        draft = self._path.with_suffix(".draft")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                file.write(json.dumps(self._state(), ensure_ascii=False, separators=(",", ":")).encode())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
            sync_directory(self._path.parent)
        except OSError as error:
            _log.warning("learned log templates cannot be kept in %s: %s", self._path, error)
        else:
            self._news = False

    def _state(self) -> dict[str, Any]:
        return {"form": _FORM, "services": {service: miner.state() for service, miner in self._miners.items()}}
