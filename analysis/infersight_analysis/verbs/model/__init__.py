"""`infersight model`: whether a model is wrong, on what, and since when; commands are loaded when called."""

from typing import Final

import click

from infersight_analysis.commands import Verb, Verbs

MODEL_VERBS: Final[dict[str, Verb]] = {
    "errors": Verb(
        "infersight_analysis.verbs.model.errors", "errors_command", "analysis", "What it is wrong about, and how sure."
    ),
    "drift": Verb(
        "infersight_analysis.verbs.model.drift",
        "drift_command",
        "analysis",
        "What is otherwise than before.",
    ),
    "robustness": Verb(
        "infersight_analysis.verbs.model.robustness",
        "robustness_command",
        "analysis",
        "Whether it says the same of inputs that mean the same.",
    ),
    "regress": Verb(
        "infersight_analysis.verbs.model.regress",
        "regress_command",
        "analysis",
        "Whether the mistakes of a regression set are mended.",
    ),
    "fairness": Verb(
        "infersight_analysis.verbs.model.fairness",
        "fairness_command",
        "analysis",
        "Whether it treats groups alike.",
    ),
    "validate": Verb(
        "infersight_analysis.verbs.model.validate",
        "validate_command",
        "analysis",
        "Whether its inputs are as they should be.",
    ),
}
"""The commands of the group."""


@click.group(cls=Verbs, verbs=MODEL_VERBS, name="model")
def model_command() -> None:
    """Whether a model is wrong, on what, and since when."""
