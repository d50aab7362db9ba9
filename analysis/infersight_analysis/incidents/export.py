"""An incident as an archive: its log and its evidence, with the digest of every file."""

import hashlib
import tarfile
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from infersight_analysis.incidents.evidence import DIRECTORY
from infersight_analysis.incidents.incident import Incident
from infersight_analysis.incidents.log import LOG
from infersight_analysis.incidents.overview import record
from infersight_analysis.report.output import to_json
from infersight_analysis.times import SECOND_NS

_CHECKSUMS: Final = "SHA256SUMS"


def write_archive(incident: Incident, file: BinaryIO) -> None:
    """Write an incident as a tar archive.

    Args:
        incident: which.
        file: where to.
    """
    folder = incident.log.path(incident.id)
    paths = [folder / LOG, *sorted(path for path in folder.glob("*/*") if _is_kept(path))]
    contents = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
    contents["incident.json"] = to_json(record(incident)).encode() + b"\n"
    sums = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items()]
    contents[_CHECKSUMS] = "".join(sums).encode()
    written_s = incident.log.read(incident.id)[-1].time_ns // SECOND_NS
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"{incident.id}/{name}")
            member.size, member.mtime, member.mode = len(content), written_s, 0o600
            archive.addfile(member, BytesIO(content))


def _is_kept(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.parent.name in {DIRECTORY, "postmortem"}
