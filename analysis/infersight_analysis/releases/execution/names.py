"""Names that are put into commands: checked against the grammar of whoever reads them, before anything is run."""

import re
from typing import Final

from infersight_analysis.errors import AnalysisError

_LABEL: Final = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_DNS_LABEL: Final = re.compile(_LABEL)
_DNS_SUBDOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LONGEST_SUBDOMAIN: Final = 253

_SWARM_SERVICE: Final = re.compile(r"[a-zA-Z0-9](?:[-_a-zA-Z0-9]{0,61}[a-zA-Z0-9])?")

_PATH: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_HOST: Final = (
    r"(?:[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])"
)
_TAG: Final = r"\w[\w.-]{0,127}"
_DIGEST: Final = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_IMAGE: Final = re.compile(rf"(?:{_HOST}(?::[0-9]+)?/)?{_PATH}(?:/{_PATH})*(?::{_TAG})?(?:@{_DIGEST})?", re.ASCII)
_LONGEST_IMAGE: Final = 512

_CONTEXT: Final = re.compile(r"[^-\s\x00-\x1f\x7f][^\x00-\x1f\x7f]{0,511}")


def deployment(name: str) -> str:
    """The name of a Kubernetes deployment as it is: a DNS subdomain (RFC 1123).

    Raises:
        AnalysisError: it is none.
    """
    if len(name) > _LONGEST_SUBDOMAIN or not _DNS_SUBDOMAIN.fullmatch(name):
        raise AnalysisError(
            f"{name!r} is no name of a deployment: lower-case letters, digits, '-' and '.'; give it with --name"
        )
    return name


def namespace(name: str) -> str:
    """The name of a Kubernetes namespace as it is: a DNS label (RFC 1123).

    Raises:
        AnalysisError: it is none.
    """
    if not _DNS_LABEL.fullmatch(name):
        raise AnalysisError(f"{name!r} is no namespace: up to 63 lower-case letters, digits and '-'")
    return name


def context(name: str) -> str:
    """The name of a kubectl context as it is: any text on one line that is no option.

    Raises:
        AnalysisError: it is none.
    """
    if not _CONTEXT.fullmatch(name):
        raise AnalysisError(f"{name!r} is no name of a context: `kubectl config get-contexts` lists them")
    return name


def swarm_service(name: str) -> str:
    """The name of a Docker Swarm service as it is.

    Raises:
        AnalysisError: it is none.
    """
    if not _SWARM_SERVICE.fullmatch(name):
        raise AnalysisError(
            f"{name!r} is no name of a Docker service: up to 63 letters, digits, '-' and '_'; give it with --name"
        )
    return name


def image(reference: str) -> str:
    """A reference of an image as it is, `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`, by the grammar of the OCI distribution.

    Raises:
        AnalysisError: it is none.
    """
    if len(reference) > _LONGEST_IMAGE or not _IMAGE.fullmatch(reference):
        raise AnalysisError(f"{reference!r} is no image: write it as registry.example/path/name:tag")
    return reference
