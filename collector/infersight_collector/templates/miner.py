"""Which words of masked messages vary: an online miner in the manner of Drain, by similarity of words.

He et al., "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017. In place of the tree, which trusts
the first words of a message to be constant, a message is compared with every cluster of its length at once.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Final, Self

import numpy as np

from infersight_collector.templates.cluster import Cluster, is_masked
from infersight_collector.templates.masks import ANY

SIMILARITY: Final = 0.6
"""Part of the words that a message has to share with a cluster."""

MAX_WORDS: Final = 50
"""Words of a message that are looked at; with more, its template ends in `<*>`."""

_KNOWN_PER_CLUSTER: Final = 10
"""Masked messages whose cluster is remembered, so that it need not be looked for again, for each cluster there is."""

_VARIES: Final = 0  # hashes in place of a word that is no constant: of a cluster, and of a message; never equal
_MASKED: Final = 1


class Miner:
    """The templates of one service.

    Args:
        max_clusters: most clusters that are kept; the one that was used longest ago goes first.

    Attributes:
        changes: how often it learned something new.
    """

    def __init__(self, max_clusters: int = 1_000) -> None:
        self.changes = 0
        self._max_clusters = max_clusters
        self._clusters: dict[Cluster, None] = {}  # in order of their last use
        self._lengths: dict[int, _OfOneLength] = {}  # by number of words
        self._known: dict[str, Cluster] = {}  # may have clusters that are gone

    def templates(self, messages: Iterable[str]) -> list[str]:
        """Learns masked messages, all of them, and only then says the template of each.

        The template of a message may be another one after more were learned: a word becomes `<*>`, never the other
        way round. Templates may be learned as messages are: so those of different times become one where they can.

        Args:
            messages: as `masked` returns them.
        """
        found = [(self._cluster(message), message) for message in messages]
        return [cluster.template(_words(message)) for cluster, message in found]

    def __len__(self) -> int:
        return len(self._clusters)

    def state(self) -> list[Any]:
        """What was learned, for JSON."""
        return [cluster.state() for cluster in self._clusters]

    @classmethod
    def from_state(cls, state: list[Any], max_clusters: int = 1_000) -> Self:
        """The miner whose `state` this was."""
        miner = cls(max_clusters)
        for each in state:
            miner._keep(Cluster.from_state(each))
        return miner

    def _cluster(self, message: str) -> Cluster:
        """The cluster of a message, which learns it."""
        cluster = self._known.get(message)
        if cluster is not None and cluster in self._clusters:
            self._clusters[cluster] = self._clusters.pop(cluster)
            return cluster
        words = _words(message)
        alike = self._of_length(len(words))
        cluster = alike.nearest(words)
        if cluster is None:
            cluster = self._keep(Cluster.of(words))
            self.changes += 1
        else:
            self._clusters[cluster] = self._clusters.pop(cluster)
            if cluster.add(words):
                alike.changed(cluster)
                self.changes += 1
        self._remember(message, cluster)
        return cluster

    def _keep(self, cluster: Cluster) -> Cluster:
        if len(self._clusters) >= self._max_clusters:
            oldest = next(iter(self._clusters))
            del self._clusters[oldest]
            self._lengths[len(oldest.places)].remove(oldest)
        self._clusters[cluster] = None
        self._of_length(len(cluster.places)).append(cluster)
        return cluster

    def _of_length(self, words: int) -> "_OfOneLength":
        return self._lengths.setdefault(words, _OfOneLength(words))

    def _remember(self, message: str, cluster: Cluster) -> None:
        if len(self._known) >= _KNOWN_PER_CLUSTER * (len(self._clusters) + 100):
            self._known.clear()
        self._known[message] = cluster


class _OfOneLength:
    """The clusters of one number of words, and the hashes of their constants as one matrix."""

    def __init__(self, words: int) -> None:
        self._clusters: list[Cluster] = []
        self._constants = np.zeros((words, 0), np.int64)  # [words, capacity]; a column for each cluster
        self._counts = np.zeros(0, np.uint8)  # of constants

    def nearest(self, words: list[str]) -> Cluster | None:
        """The most similar cluster, if any is similar enough.

        Similarity is the part of words that are constants of the cluster. Of words and constants the larger number
        counts, without masked values, so that a message of little but values fits to its like only.
        """
        if not self._clusters:
            return None
        used = len(self._clusters)
        message = np.array([_MASKED if is_masked(word) else hash(word) for word in words], np.int64)
        same = self._constants[:, :used] == message[:, np.newaxis]
        common = same.view(np.uint8).sum(axis=0, dtype=np.uint8)
        of = np.maximum(self._counts[:used], np.count_nonzero(message != _MASKED))
        similarity = np.where(of > 0, common / np.maximum(of, 1), 1.0)
        best = int(similarity.argmax())
        return self._clusters[best] if similarity[best] >= SIMILARITY else None

    def append(self, cluster: Cluster) -> None:
        """Adds a cluster."""
        column = len(self._clusters)
        if column == len(self._counts):
            more = max(8, column)
            self._constants = np.pad(self._constants, ((0, 0), (0, more)))
            self._counts = np.pad(self._counts, (0, more))
        self._clusters.append(cluster)
        self._write(column)

    def changed(self, cluster: Cluster) -> None:
        """Takes note that a place of a cluster is another one now."""
        self._write(self._clusters.index(cluster))

    def remove(self, cluster: Cluster) -> None:
        """Takes a cluster away; the last one takes its column."""
        column = self._clusters.index(cluster)
        last = self._clusters.pop()
        if last is not cluster:
            self._clusters[column] = last
            self._write(column)

    def _write(self, column: int) -> None:
        constants = [place.constant for place in self._clusters[column].places]
        self._constants[:, column] = [_VARIES if word is None else hash(word) for word in constants]
        self._counts[column] = len(constants) - constants.count(None)


def _words(message: str) -> list[str]:
    words = message.split(maxsplit=MAX_WORDS)
    if len(words) > MAX_WORDS:
        words[MAX_WORDS] = ANY
    return words


def template_id(service: str, template: str) -> str:
    """The id of a template of a service, 16 hex digits; the same in every process.

    Args:
        service: its `service.name`, "" where it has none.
        template: the text of the template.
    """
    return hashlib.blake2b(f"{service}\0{template}".encode(), digest_size=8).hexdigest()
