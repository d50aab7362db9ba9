"""`python -m infersight_collector` is `infersight collector`."""

from infersight_collector.cli import collector_command

collector_command(prog_name="infersight collector")
