"""The pages of profiles: a flame graph, and the same as a table; of two, coloured by the difference."""

import re
from functools import partial
from typing import Final

from markupsafe import Markup

from infersight_analysis.findings import ProfileDifference, ProfileSummary, ShownProfile
from infersight_analysis.profiles.stacks import Stacks, comparable
from infersight_analysis.report.flame_graph import Frame, colours, flame_graph, stacked
from infersight_analysis.report.html.environment import page, printable
from infersight_analysis.report.profiles import CLEAR, about, amount

_FUNCTIONS: Final = 200
_STEPS: Final = ((0.5, "3"), (0.15, "2"), (0.01, "1"))
_FILE: Final = re.compile(r"\((?P<file>.*?)(?::\d+)?\)$")
_PLACES: Final = ("site-packages/", "dist-packages/", "/lib/python")


def profile_page(found: ShownProfile, stacks: Stacks) -> str:
    """One file of HTML that needs nothing else."""
    flames = flame_graph(frames_of(found.profile, stacks), f"Profile {found.profile.id}", alone=False)
    return page(
        "profile",
        f"Profile {found.profile.id}",
        found=found,
        about=about(found.profile)[1:],
        flames=Markup(flames),  # noqa: S704 - a template of ours, escaped
        functions=found.functions[:_FUNCTIONS],
        amount=partial(amount, profile=found.profile),
    )


def profile_graph(found: ProfileSummary, stacks: Stacks) -> str:
    """The flame graph as one file of SVG."""
    return flame_graph(frames_of(found, stacks), f"Profile {found.id}", alone=True)


def difference_page(found: ProfileDifference, before: Stacks, after: Stacks) -> str:
    """One file of HTML that needs nothing else."""
    flames = flame_graph(changed_frames(found, before, after), _title(found), alone=False)
    return page(
        "profile_difference",
        _title(found),
        found=found,
        about=[about(found.before), about(found.after)],
        flames=Markup(flames),  # noqa: S704 - a template of ours, escaped
        functions=found.functions[:_FUNCTIONS],
        clear=CLEAR,
    )


def difference_graph(found: ProfileDifference, before: Stacks, after: Stacks) -> str:
    """The differential flame graph as one file of SVG."""
    return flame_graph(changed_frames(found, before, after), _title(found), alone=True)


def _title(found: ProfileDifference) -> str:
    return f"{found.after.id} against {found.before.id}"


def frames_of(found: ProfileSummary, stacks: Stacks) -> list[Frame]:
    """The frames of a profile, coloured by the package that they are of."""
    counted = stacked({stack: float(value) for stack, value in stacks.items()})
    colour = colours([(None, package(stack[-1])) for stack, _ in counted])
    whole = found.total or 1
    return [
        Frame(0, "all", amount(found.total, found), float(whole), "all"),
        *(
            Frame(
                len(stack),
                printable(stack[-1]),
                printable(f"{stack[-1]}: {amount(value, found)}, {value / whole:.1%}"),
                value,
                colour[None, package(stack[-1])],
            )
            for stack, value in counted
        ),
    ]


def changed_frames(found: ProfileDifference, before: Stacks, after: Stacks) -> list[Frame]:
    """The frames of the later profile, coloured by how their shares differ, see `stacks.comparable`."""
    old, new = (
        dict(stacked({stack: value / (whole or 1) for stack, value in comparable(stacks).items()}))
        for stacks, whole in ((before, found.before.total), (after, found.after.total))
    )
    largest = max((abs(share - old.get(stack, 0.0)) for stack, share in new.items()), default=0.0) or 1.0
    frames = [Frame(0, "all", f"{found.after.id} against {found.before.id}", 1.0, "all")]
    for stack, share in new.items():
        change = share - old.get(stack, 0.0)
        detail = f"{stack[-1]}: {share:.1%}, before {old.get(stack, 0.0):.1%} ({change:+.1%})"
        frames.append(Frame(len(stack), printable(stack[-1]), printable(detail), share, _colour(change / largest)))
    return frames


def _colour(part: float) -> str:
    """Of a difference, as a part of the largest."""
    step = next((step for least, step in _STEPS if abs(part) >= least), "")
    return f"{'more' if part > 0 else 'less'}{step}" if step else ""


def package(frame: str) -> str:
    """The package, or the file, that a frame is of; an operator's library, such as `aten`."""
    match = _FILE.search(frame)
    if match is None:
        return frame.partition("::")[0]
    file = match["file"]
    for place in _PLACES:
        _, found, rest = file.rpartition(place)
        if found:
            return rest.partition("/")[0 if place != "/lib/python" else 2].split("/")[0]
    return file
