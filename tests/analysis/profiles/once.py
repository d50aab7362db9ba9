"""A small model, for `profile model`."""

import torch

NET = torch.nn.Sequential(torch.nn.Linear(32, 64), torch.nn.ReLU(), torch.nn.Linear(64, 4)).eval()
BATCH = torch.zeros(8, 32)


def predict() -> torch.Tensor:
    """One forward call, which prints."""
    print("called")  # noqa: T201 - as models of others do
    with torch.no_grad():
        scores: torch.Tensor = NET(BATCH)
        return scores


def fails() -> None:
    """What a broken model does."""
    raise ValueError("no weights")
