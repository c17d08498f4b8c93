"""What a score comes to where features or beliefs know nothing of the labels, for those of which that is known. Called like the score."""

import numpy as np

from analysis.metrics.transferability.covariance import variances
from analysis.metrics.transferability.preparation import Prepared, indexed, prepare


def entropy(given, labels=None) -> float:
    """Minus the entropy of the labels: NCE and LEEP of a head that knows nothing; they are never less."""
    share = _shares(given, labels)
    return float((share * np.log(share)).sum())


def largest_class(given, labels=None) -> float:
    """Its share of the items: the accuracy of always guessing it."""
    return float(_shares(given, labels).max())


def h_score(features, labels=None) -> float:
    return _between(features, labels, True)


def h_plain(features, labels=None) -> float:
    return _between(features, labels, False)


def nothing(features, labels=None) -> float:
    """A correlation."""
    return 0.0


def _between(features, labels, shrunk: bool) -> float:
    """The mean over all ways to deal the labels out again: (C-1)/(n-1) of the variance in every direction then lies between classes."""
    data = prepare(features, labels)
    whole, _, share = variances(data, shrunk)
    return float((1 - share) * (data.spectrum[0]**2 / data.n / whole).sum() * (len(data.counts) - 1) / (data.n - 1))


def _shares(given, labels) -> np.ndarray:
    labels = given.labels if isinstance(given, Prepared) else indexed(labels, len(given))
    return np.bincount(labels) / len(labels)
