"""What a rollback is asked with, and a kubectl and a docker in which all goes well but for some parts."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.analysis.conftest import Outcome
from tests.analysis.recording import SECOND, T0, Recording
from tests.analysis.releases.stores import Release, recorded
from tests.support.programs import Programs

VERSIONS = ("--service", "sentiment", "--baseline", "1.8.0", "--candidate", "1.9.0")
WINDOW = ("--start", "2025-10-09T08:53:00Z", "--end", "2025-10-09T09:10:00Z")
KUBERNETES = ("--target", "kubernetes", "--namespace", "prod")
DOCKER = ("--target", "docker")

PREVIOUS, PRESENT = "registry.example/sentiment:1.8.0", "registry.example/sentiment:1.9.0"

Execute = Callable[..., Outcome]


def deployment(image: str, revision: int) -> str:
    """What `kubectl get deployment` prints."""
    said = {
        "metadata": {"name": "sentiment", "annotations": {"deployment.kubernetes.io/revision": str(revision)}},
        "spec": {"template": {"spec": {"containers": [{"name": "server", "image": image}]}}},
    }
    return json.dumps(said)


def service(image: str, index: int, *, state: str | None = None, previous: bool = True) -> str:
    """What `docker service inspect` prints."""
    said: dict[str, Any] = {
        "Version": {"Index": index},
        "Spec": {"TaskTemplate": {"ContainerSpec": {"Image": f"{image}@sha256:{'ab' * 32}"}}},
    }
    if previous:
        said["PreviousSpec"] = {}
    if state is not None:
        said["UpdateStatus"] = {"State": state, "Message": "task failed"}
    return json.dumps([said])


KUBECTL: dict[str, dict[str, Any]] = {
    "before": {"when": ["get"], "out": deployment(PRESENT, 7), "once": True},
    "rehearsal": {"when": ["undo", "--dry-run=server"], "out": "deployment.apps/sentiment rolled back (dry run)\n"},
    "undo": {"when": ["undo"], "out": "deployment.apps/sentiment rolled back\n"},
    "status": {"when": ["status"], "out": 'deployment "sentiment" successfully rolled out\n'},
    "after": {"when": ["get"], "out": deployment(PREVIOUS, 8)},
}
SWARM: dict[str, dict[str, Any]] = {
    "before": {"when": ["inspect"], "out": service(PRESENT, 7), "once": True},
    "order": {"when": ["service"], "out": ""},
    "after": {"when": ["inspect"], "out": service(PREVIOUS, 9, state="rollback_completed")},
}


def kubectl(programs: Programs, **parts: dict[str, Any]) -> None:
    """A cluster in which all goes well but for some parts."""
    programs.play("kubectl", *(part | parts.get(name, {}) for name, part in KUBECTL.items()))


def docker(programs: Programs, **parts: dict[str, Any]) -> None:
    """A swarm in which all goes well but for some parts."""
    order = ("before", "after", "order")
    programs.play("docker", *(SWARM[name] | parts.get(name, {}) for name in order))


def later(release: Release) -> Recording:
    """The same from a moment on that no test of this run will reach."""
    begin = (time.time_ns() - T0) // SECOND + 3_600
    return recorded(replace(release, between_s=(begin, begin + 120)))
