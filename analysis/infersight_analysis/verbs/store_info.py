"""`infersight store info`: what is in a store."""

from pathlib import Path

import click

from infersight_analysis import options
from infersight_analysis.inventory import take
from infersight_analysis.report.inventory import print_inventory
from infersight_analysis.report.output import print_json


@click.command(name="info")
@options.STORE
@options.FORMAT
@click.option("--hours", is_flag=True, help="Each hour of each table too; JSON always has them.")
def info_command(store: Path, form: str, *, hours: bool) -> None:
    """Say what is in a store: rows, size, times and attribute keys by table, and what waits in its log.

    It reads the tables' logs alone, so that it is quick whatever the size of the store.
    """
    found = take(store)
    if form == "json":
        print_json(found)
    else:
        print_inventory(found, hours=hours)
