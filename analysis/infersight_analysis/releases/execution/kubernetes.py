"""Rolling back a deployment of Kubernetes, by `kubectl rollout undo`."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from infersight_analysis.errors import AnalysisError
from infersight_analysis.releases.execution import names
from infersight_analysis.releases.execution.targets import LOOK_S, Meaning, Running, Step

_REVISION: Final = "deployment.kubernetes.io/revision"

_MEANINGS: Final[Sequence[Meaning]] = (
    (re.compile(r"\(Forbidden\)|is forbidden"), "kubectl has no permission: {line}"),
    (re.compile(r"\(Unauthorized\)|must be logged in"), "kubectl is not logged in to the cluster: {line}"),
    (re.compile(r"\(NotFound\)"), "not found: {line}"),
    (re.compile(r"context .* does not exist|no context exists"), "no such context: {line}"),
    (
        re.compile(r"Unable to connect|connection refused|no route to host|i/o timeout|TLS handshake timeout"),
        "kubectl does not reach the cluster: {line}",
    ),
    (re.compile(r"no rollout history|unable to find specified revision"), "nothing to go back to: {line}"),
    (re.compile(r"paused deployment"), "the deployment is paused: {line}"),
    (re.compile(r"exceeded its progress deadline"), "the rollout stopped halfway: {line}"),
    (re.compile(r"timed out waiting|context deadline exceeded"), "the rollout is not done in time: {line}"),
    (re.compile(r"object has been deleted"), "the deployment was deleted meanwhile: {line}"),
)


@dataclass(frozen=True, slots=True)
class KubernetesDeployment:
    """A deployment, as a `Target`.

    Args:
        name: of the deployment.
        namespace: where it is; that of the context by default.
        context: of kubectl; the present one by default.
        revision: which one to go back to; the one before by default.

    Raises:
        AnalysisError: a name is none, or a revision is.
    """

    name: str
    namespace: str | None = None
    context: str | None = None
    revision: int | None = None

    def __post_init__(self) -> None:
        names.deployment(self.name)
        if self.namespace is not None:
            names.namespace(self.namespace)
        if self.context is not None:
            names.context(self.context)
        if self.revision is not None and self.revision < 1:
            raise AnalysisError(f"no revision {self.revision}: `kubectl rollout history` lists them, from 1 on")

    @property
    def what(self) -> str:
        """What is rolled back, in words."""
        place = "" if self.namespace is None else f" in namespace {self.namespace}"
        return f"deployment/{self.name}{place}" + ("" if self.context is None else f" of {self.context}")

    @property
    def look(self) -> Step:
        """Asks what runs."""
        return self._step(f"ask what {self.what} runs", "get", "deployment", self.name, "--output=json")

    def running(self, output: str) -> Running:
        """Reads a deployment as JSON; `ValueError` where it is something else."""
        try:
            said: dict[str, Any] = json.loads(output)
            containers = said["spec"]["template"]["spec"]["containers"]
            images = tuple(str(container["image"]) for container in containers)
            revision = said["metadata"].get("annotations", {}).get(_REVISION)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("no deployment") from error
        return Running(images, None if revision is None else str(revision))

    @property
    def rehearsal(self) -> Step:
        """The rollback as the server would do it: finds out about permission, history, and a pause."""
        return self._step("try it without changing anything", *self._undo(), "--dry-run=server")

    def refusal(self, before: Running, rehearsed: str) -> str | None:
        """`undo` says that it succeeded where it did nothing."""
        if "skipped rollback" in rehearsed:
            return f"{self.what} already runs what it would be rolled back to: {before}"
        return None

    def steps(self, timeout_s: float) -> list[Step]:
        """Rolls back, then waits for the rollout."""
        status = ("rollout", "status", f"deployment/{self.name}", "--watch", f"--timeout={timeout_s:.0f}s")
        return [
            self._step(f"roll back {self.what}", *self._undo(), changes=True),
            # kubectl keeps its time itself, and then says how far it is.
            self._step("wait for the rollout", *status, timeout_s=timeout_s + LOOK_S, changes=True),
        ]

    def complaint(self, before: Running, after: Running) -> str | None:
        """The revision goes up with each change, a rollback too."""
        if before.revision is not None and after.revision == before.revision:
            return f"{self.what} is still at {after}"
        return None

    @property
    def meanings(self) -> Sequence[Meaning]:
        """Messages of kubectl and of the API server."""
        return _MEANINGS

    @property
    def see(self) -> str:
        """The command that shows where it stands."""
        return self._step("", "rollout", "status", f"deployment/{self.name}").line

    def _undo(self) -> tuple[str, ...]:
        revision = () if self.revision is None else (f"--to-revision={self.revision}",)
        return ("rollout", "undo", f"deployment/{self.name}", *revision)

    def _step(self, says: str, *arguments: str, timeout_s: float = LOOK_S, changes: bool = False) -> Step:
        place = (f"--{key}={value}" for key, value in self._place.items() if value is not None)
        return Step(says, ("kubectl", *arguments, *place), timeout_s, changes)

    @property
    def _place(self) -> dict[str, str | None]:
        return {"namespace": self.namespace, "context": self.context}
