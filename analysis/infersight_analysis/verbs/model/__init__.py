"""`infersight model`: whether a model is wrong, on what, and since when; commands are loaded when called."""

from typing import Final

import click

from infersight_analysis.commands import Verb, Verbs

_ROOM: Final = "infersight_analysis.verbs.model"

MODEL_VERBS: Final[dict[str, Verb]] = {
    "errors": Verb(f"{_ROOM}.errors", "errors_command", "analysis", "What it is wrong about, and how sure."),
    "drift": Verb(f"{_ROOM}.drift", "drift_command", "analysis", "What is otherwise than before."),
    "robustness": Verb(
        f"{_ROOM}.robustness",
        "robustness_command",
        "analysis",
        "Whether it says the same of inputs that mean the same.",
    ),
    "regress": Verb(
        f"{_ROOM}.regress", "regress_command", "analysis", "Whether the mistakes of a regression set are mended."
    ),
    "fairness": Verb(f"{_ROOM}.fairness", "fairness_command", "analysis", "Whether it treats groups alike."),
    "validate": Verb(f"{_ROOM}.validate", "validate_command", "analysis", "Whether its inputs are as they should be."),
}
"""The commands of the group."""


@click.group(cls=Verbs, verbs=MODEL_VERBS, name="model")
def model_command() -> None:
    """Whether a model is wrong, on what, and since when."""
