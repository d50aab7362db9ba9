"""The demo's model: a small text classifier in torch, with the bugs that its faults come from."""

import html
from collections.abc import Sequence
from typing import Final

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

LABELS: Final = ("negative", "neutral", "positive")
VOCABULARY: Final = 0x3000  # one embedding a code point, up to the CJK punctuation; emoji lie beyond it
MAX_TOKENS: Final = 512
PADDING: Final = 0


class Sentiment(nn.Module):
    """Characters to three logits: embedding, two self-attention layers, mean pooling without padding, linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 64)
        layer = nn.TransformerEncoderLayer(64, nhead=4, dim_feedforward=128, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=2, enable_nested_tensor=False)
        self.head = nn.Linear(64, len(LABELS))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits of shape (batch, labels) for tokens of shape (batch, length), int64."""
        padding = tokens == PADDING
        encoded: torch.Tensor = self.encoder(self.embedding(tokens), src_key_padding_mask=padding)
        lengths = (~padding).sum(dim=1, keepdim=True)
        logits: torch.Tensor = self.head(encoded.masked_fill(padding.unsqueeze(-1), 0).sum(dim=1) / lengths)
        return logits


def load_model() -> Sentiment:
    """The model with seeded weights, ready for inference on one CPU thread."""
    torch.manual_seed(7)  # pyright: ignore[reportUnknownMemberType] - torch leaves its argument untyped
    torch.set_num_threads(1)
    return Sentiment().eval()


def strip_markup(text: str) -> str:
    """The text without its tags.

    The first bug: each tag rebuilds the whole string, so the time grows with the square of the document.
    """
    while (start := text.find("<")) >= 0 and (end := text.find(">", start)) >= 0:
        text = text[:start] + text[end + 1 :]
    return html.unescape(text)


def tokenize(text: str) -> torch.Tensor:
    """Code points of shape (length,), int64, at most `MAX_TOKENS`.

    The second bug: code points beyond the vocabulary are passed on, and the embedding refuses them.
    """
    return torch.tensor([ord(character) for character in text[:MAX_TOKENS] or " "])


def pad(documents: Sequence[torch.Tensor]) -> torch.Tensor:
    """One batch of shape (documents, longest).

    The third bug: they are not sorted into batches by length, so one long document makes its whole batch slow.
    """
    padded: torch.Tensor = pad_sequence(list(documents), batch_first=True, padding_value=PADDING)
    return padded
