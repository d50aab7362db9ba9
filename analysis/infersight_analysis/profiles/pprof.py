"""Profiles in the format of pprof, which `go tool pprof`, Grafana Pyroscope, Speedscope and others read.

The format is `perftools.profiles.Profile` of github.com/google/pprof, proto/profile.proto: protocol buffers, compressed
by gzip. Names of messages and fields, and the conventions for sample types, are from there.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# protobuf makes its messages when it runs.

import gzip
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

from infersight_analysis.profiles.records import Profile
from infersight_analysis.profiles.stacks import Stacks
from infersight_analysis.times import SECOND_NS

_FRAME: Final = re.compile(r"(?P<name>.+) \((?P<file>(?:[^()]|\([^()]*\))+?)(?::(?P<line>\d+))?\)")
"""A file may have pairs of brackets, and so may the name of a native function before it."""
_US_NS: Final = 1_000

_MESSAGES: Final = {
    "Profile": (
        "ValueType*sample_type=1 Sample*sample=2 Location*location=4 Function*function=5 string*string_table=6 "
        "int64 time_nanos=9 int64 duration_nanos=10 ValueType period_type=11 int64 period=12 int64*comment=13"
    ),
    "ValueType": "int64 type=1 int64 unit=2",
    "Sample": "uint64*location_id=1 int64*value=2",
    "Location": "uint64 id=1 Line*line=4",
    "Line": "uint64 function_id=1 int64 line=2",
    "Function": "uint64 id=1 int64 name=2 int64 system_name=3 int64 filename=4",
}
"""The fields that we write, of proto3: type, name and number; `*` where they are repeated."""

_FIELD: Final = re.compile(r"(?P<type>\w+)(?P<label>[ *])(?P<name>\w+)=(?P<number>\d+)")


def encode(profile: Profile, stacks: Stacks) -> bytes:
    """A profile as a file of pprof.

    Samples come as `samples/count` and `cpu/nanoseconds`, a sample being as long as the time between two looks; memory
    as `inuse_space/bytes`, for it is what was not freed at the peak; time in operators as `time/nanoseconds`, for some
    is that of a device. Frames that stand for threads and operators are functions without a file.

    Args:
        profile: its manifest.
        stacks: what was measured.
    """
    made = _message("Profile")()
    strings = _Numbers([""])  # the format wants it to be the first
    locations, functions = _Numbers(), _Numbers()
    for kind, unit in _sample_types(profile):
        made.sample_type.add(type=strings[kind], unit=strings[unit])
    for stack, value in stacks.items():
        ids = [locations[frame] + 1 for frame in reversed(stack)]  # the innermost first
        made.sample.add(location_id=ids, value=_values(profile, value))
    for number, frame in enumerate(locations):
        name, file, line = _parts(frame)
        location = made.location.add(id=number + 1)
        location.line.add(function_id=functions[name, file] + 1, line=line)
    for number, (name, file) in enumerate(functions):
        made.function.add(id=number + 1, name=strings[name], system_name=strings[name], filename=strings[file])
    made.time_nanos, made.duration_nanos = profile.start_ns, profile.end_ns - profile.start_ns
    if profile.rate:
        made.period_type.type, made.period_type.unit = strings["cpu"], strings["nanoseconds"]
        made.period = round(SECOND_NS / profile.rate)
    made.comment.extend(strings[said] for said in (profile.id, profile.command, profile.note) if said)
    made.string_table.extend(strings)
    content: bytes = made.SerializeToString(deterministic=True)
    return gzip.compress(content, mtime=0)  # the same bytes for the same profile


class _Numbers(dict[Any, int]):
    """Numbers things from 0 on as they come; iterates over them in this order."""

    def __init__(self, things: Sequence[Any] = ()) -> None:
        super().__init__((thing, number) for number, thing in enumerate(things))

    def __missing__(self, thing: Any) -> int:
        self[thing] = number = len(self)
        return number


def _sample_types(profile: Profile) -> list[tuple[str, str]]:
    if profile.unit == "bytes":
        return [("inuse_space", "bytes")]
    return [("samples", "count"), ("cpu", "nanoseconds")] if profile.rate else [("time", "nanoseconds")]


def _values(profile: Profile, value: int) -> list[int]:
    if profile.unit == "bytes":
        return [value]
    return [value, round(value * SECOND_NS / profile.rate)] if profile.rate else [value * _US_NS]


def _parts(frame: str) -> tuple[str, str, int]:
    """Function, file and line of a frame, see `stacks.frame`; no file where it stands for something else."""
    found = _FRAME.fullmatch(frame)
    return (found["name"], found["file"], int(found["line"] or 0)) if found else (frame, "", 0)


@cache
def _message(name: str) -> Any:
    """The class of a message of the format."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # noqa: PLC0415 - loaded when used

    package = "perftools.profiles"
    file: Any = descriptor_pb2.FileDescriptorProto(name="profile.proto", package=package, syntax="proto3")
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for kind, label, field, number in _fields(fields):
            added = described.field.add(name=field, number=number, label=label)
            if kind in _MESSAGES:
                added.type, added.type_name = added.TYPE_MESSAGE, f".{package}.{kind}"
            else:
                added.type = getattr(added, f"TYPE_{kind.upper()}")
    pool: Any = descriptor_pool.DescriptorPool()  # of our own: another library may have the format, too
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))


def _fields(text: str) -> Iterator[tuple[str, int, str, int]]:
    """Type, label (1 is optional, 3 repeated), name and number of each field."""
    for found in _FIELD.finditer(text):
        yield found["type"], 3 if found["label"] == "*" else 1, found["name"], int(found["number"])
