"""`infersight profile list`, `show` and `diff`: what was taken before."""

from pathlib import Path

import click

from infersight_analysis import options
from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import Profiles, ShownProfile
from infersight_analysis.profiles import pprof, records
from infersight_analysis.profiles.records import Profile
from infersight_analysis.profiles.showing import difference, shown, summary
from infersight_analysis.profiles.stacks import Stacks, fold
from infersight_analysis.profiles.traces import taken_during
from infersight_analysis.report.output import print_json, publish, to_json
from infersight_analysis.report.profiles import print_difference, print_profile, print_profiles


@click.command(name="list")
@click.option("--trace", "trace_id", metavar="TRACE", help="Only those of processes that worked for it meanwhile.")
@options.STORE
@options.FORMAT
def list_command(*, trace_id: str | None, store: Path, form: str) -> None:
    """The profiles of a store, the newest first; of those that cannot be read, why.

    \b
    infersight profile list
    infersight profile list --trace 0af76519
    """  # noqa: D301 - click's mark for lines that stay lines
    records.require(store)
    every = records.kept(store)
    profiles = every.profiles if trace_id is None else taken_during(store, trace_id, every.profiles)
    found = Profiles([summary(profile) for profile in profiles], list(every.damaged.values()))
    for line in found.damaged:
        click.echo(line, err=True)
    if form == "json":
        print_json(found)
    else:
        print_profiles(found)


@click.command(name="show")
@click.argument("profile_id", metavar="ID")
@options.STORE
@options.report("table", "json", "html", "svg", "folded", "chrome", "pprof")
def show_command(*, profile_id: str, store: Path, form: str, output: Path | None) -> None:
    """One profile: its functions or operators, and the traces of its process in that time.

    ID is the profile's, or its begin; last is the newest, last-cpu the newest of a kind. As a table, as JSON, as a page
    or a flame graph, as folded stacks for other flame graph tools, as pprof for `go tool pprof` and others, or as the
    Chrome trace of a model.

    \b
    infersight profile show last
    infersight profile show last-cpu --output profile.html
    infersight profile show last-cpu --output profile.pb.gz
    infersight profile show last-model --format chrome --output trace.json
    """  # noqa: D301 - click's mark for lines that stay lines
    records.require(store)
    profile = records.find(store, profile_id)
    if form == "chrome":
        text = _chrome(store, profile)
        publish(form, output, lambda: None, lambda: text)
        return
    stacks = records.stacks_of(store, profile)
    if form == "pprof":
        publish(form, output, lambda: None, lambda: pprof.encode(profile, stacks))
        return
    found = shown(store, profile, stacks)
    publish(form, output, lambda: print_profile(found), lambda: _text(found, stacks, form))


def _chrome(store: Path, profile: Profile) -> str:
    if profile.kind != "model":
        raise AnalysisError(f"{profile.id} has no Chrome trace, only those of models have: take --format folded or svg")
    return records.original_of(store, profile).read_text("utf-8")


def _text(found: ShownProfile, stacks: Stacks, form: str) -> str:
    from infersight_analysis.report.html.profiles import profile_graph, profile_page  # noqa: PLC0415 - loads templates

    if form == "json":
        return to_json(found)
    if form == "folded":
        return fold(stacks).rstrip("\n")
    return profile_graph(found.profile, stacks) if form == "svg" else profile_page(found, stacks)


@click.command(name="diff")
@click.argument("before_id", metavar="BEFORE")
@click.argument("after_id", metavar="AFTER")
@options.STORE
@options.report("table", "json", "html", "svg")
def diff_command(*, before_id: str, after_id: str, store: Path, form: str, output: Path | None) -> None:
    """What changed between two profiles of a kind, as shares of each one's total.

    In the flame graph, the later profile, red is a larger share than before and blue a smaller one. Of samples each
    difference has an interval, and is called clear when chance hardly explains it.

    \b
    infersight profile diff cpu-20261126-101500-4711 last-cpu
    infersight profile diff cpu-20261126-101500-4711 last-cpu --output difference.html
    """  # noqa: D301 - click's mark for lines that stay lines
    records.require(store)
    before, after = records.find(store, before_id), records.find(store, after_id)
    stacks = (records.stacks_of(store, before), records.stacks_of(store, after))
    found = difference((before, stacks[0]), (after, stacks[1]))

    def text() -> str:
        from infersight_analysis.report.html.profiles import difference_graph, difference_page  # noqa: PLC0415

        if form == "json":
            return to_json(found)
        return difference_graph(found, *stacks) if form == "svg" else difference_page(found, *stacks)

    publish(form, output, lambda: print_difference(found), text)
