"""`python -m infersight_analysis`: the `infersight` command."""

from infersight_analysis.cli import main

main()
