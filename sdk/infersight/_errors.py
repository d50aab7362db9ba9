"""The exceptions of the SDK. They reach a caller only for what a programmer can fix, never from a request.

InfersightError
└── MissingExtraError (also an ImportError)
"""


class InfersightError(Exception):
    """Base of every exception that infersight raises on its own account."""


class MissingExtraError(InfersightError, ImportError):
    """A feature needs a package that is not installed; the message says what to install."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs more packages: pip install 'infersight[{extra}]'")
