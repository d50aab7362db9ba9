"""`infersight model`: whether a model is wrong, on what, and since when; commands are loaded when called."""

from typing import Final

import click

from infersight_analysis.commands import Verb, Verbs

MODEL_VERBS: Final[dict[str, Verb]] = {}
"""The commands of the group."""


@click.group(cls=Verbs, verbs=MODEL_VERBS, name="model")
def model_command() -> None:
    """Whether a model is wrong, on what, and since when."""
