"""Rolling back a service of Docker Swarm, by `docker service rollback`, or to an image by `docker service update`."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from infersight_analysis.releases.execution import names
from infersight_analysis.releases.execution.targets import Meaning, Running, Step

_MEANINGS: Final[Sequence[Meaning]] = (
    (re.compile(r"permission denied", re.IGNORECASE), "docker has no permission: {line}"),
    (re.compile(r"[Cc]annot connect to the Docker daemon|failed to connect to the docker API"), "docker: {line}"),
    (re.compile(r"not a swarm manager"), "this is no manager of a swarm: {line}"),
    (re.compile(r"no such service|service .* not found", re.IGNORECASE), "not found: {line}"),
    (re.compile(r"does not have a previous spec"), "nothing to go back to: {line}"),
    (re.compile(r"(?:update|rollback) paused"), "the rollout stopped halfway: {line}"),
)

_UNFINISHED: Final = ("updating", "paused", "rollback_started", "rollback_paused")


@dataclass(frozen=True, slots=True)
class SwarmService:
    """A service of Docker Swarm, as a `Target`.

    Args:
        name: of the service.
        image: what to go back to; by default the service's whole description before its last update.

    Raises:
        AnalysisError: a name is none.
    """

    name: str
    image: str | None = None

    def __post_init__(self) -> None:
        names.swarm_service(self.name)
        if self.image is not None:
            names.image(self.image)

    @property
    def what(self) -> str:
        """What is rolled back, in words."""
        return f"the Docker service {self.name}"

    @property
    def look(self) -> Step:
        """Asks what runs."""
        return Step(f"ask what {self.what} runs", ("docker", "service", "inspect", self.name))

    def running(self, output: str) -> Running:
        """Reads what `docker service inspect` prints; `ValueError` where it is something else."""
        try:
            (said,) = json.loads(output)
            image = str(said["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"])
            status: dict[str, Any] = said.get("UpdateStatus") or {}
            index = said.get("Version", {}).get("Index")
            previous = said.get("PreviousSpec") is not None
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("no service") from error
        state = str(status.get("State"))
        trouble = f"{state}: {status.get('Message')}" if state in _UNFINISHED else None
        return Running((image,), None if index is None else str(index), previous, trouble)

    @property
    def rehearsal(self) -> None:
        """Docker has none; that there is a description to go back to is seen from `look`."""
        return None

    def refusal(self, before: Running, rehearsed: str) -> str | None:  # noqa: ARG002 - of `Target`
        """Without a description before the last update there is nothing to go back to."""
        if self.image is None and before.previous is False:
            return f"{self.what} was never updated, so there is nothing to go back to: give an --image"
        if self.image is not None and self._is_asked(before):
            return f"{self.what} already runs {self.image}"
        return None

    def steps(self, timeout_s: float) -> list[Step]:
        """Rolls back, and waits as docker does without `--detach`."""
        order = ("rollback",) if self.image is None else ("update", "--image", self.image)
        command = ("docker", "service", *order, "--detach=false", self.name)
        return [Step(f"roll back {self.what} and wait for it", command, timeout_s, changes=True)]

    def complaint(self, before: Running, after: Running) -> str | None:
        """Docker says that it succeeded, too, where an update failed and was itself rolled back."""
        if after.trouble is not None:
            return f"the rollout stopped halfway: {after.trouble}"
        if self.image is not None and not self._is_asked(after):
            return f"{self.what} runs {after.images[0]}, not {self.image}: docker took the update back"
        if before.revision is not None and before.revision == after.revision:
            return f"{self.what} was not changed: it runs {after.images[0]}"
        return None

    @property
    def meanings(self) -> Sequence[Meaning]:
        """Messages of docker and its daemon."""
        return _MEANINGS

    @property
    def see(self) -> str:
        """The command that shows where it stands."""
        return Step("", ("docker", "service", "ps", self.name)).line

    def _is_asked(self, running: Running) -> bool:
        """Docker resolves a tag to its digest: `name:tag` becomes `name:tag@sha256:…`."""
        if self.image is None:
            return False
        (name, digest), (asked_name, asked_digest) = (_parts(text) for text in (running.images[0], self.image))
        return digest == asked_digest if asked_digest else name == asked_name


def _parts(image: str) -> tuple[str, str]:
    """An image's full name with its tag, and its digest."""
    name, _, digest = image.partition("@")
    name = name.removeprefix("docker.io/").removeprefix("library/")
    return (name if ":" in name.rpartition("/")[2] else f"{name}:latest"), digest
