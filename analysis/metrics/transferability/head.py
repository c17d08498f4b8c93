"""Scores that read a source head: what it believes of the target's items, or, where there is no head, what clusters of the features stand in for it."""

import warnings

import numpy as np

from analysis.errors import InputError
from analysis.metrics.ranking import sound_seed, table
from analysis.metrics.transferability.preparation import LARGE, indexed, prepare

ENERGY = 0.8  # share of the variance that N-LEEP keeps
CLUSTERS = 5  # of N-LEEP, per class
FEWEST = 4  # items per cluster: clusters of one or two items tell any labels
ROUGH = 0.01  # how far probabilities may be from adding up to 1: half precision rounds so


def nce(probabilities, labels) -> float:
    """Negative conditional entropy: sum over y, z of P(y, z) log P(y|z), where z is the source class that the head believes in most (the first of equals)."""
    theta = _beliefs(probabilities)
    labels, z = indexed(labels, len(theta)), theta.argmax(axis=1)
    joint = np.zeros((labels.max() + 1, theta.shape[1]))
    np.add.at(joint, (labels, z), 1 / len(theta))
    seen, given = joint > 0, joint.sum(axis=0)
    return min(float((joint * np.log(np.divide(joint, given, where=seen, out=np.ones_like(joint)))).sum()), 0.0)


def leep(probabilities, labels) -> float:
    """Mean log of what the head's beliefs, carried over to the target's classes by P(y|z), say of each item's label."""
    theta = _beliefs(probabilities)
    return _leep(theta, indexed(labels, len(theta)))


def n_leep(features, labels=None, *, seed: int = 0) -> float:
    """LEEP with a Gaussian mixture in the place of the head: 5 diagonal components per class, on the principal components that hold 80 % of the variance."""
    data, seed = prepare(features, labels), sound_seed(seed)
    components = CLUSTERS * len(data.counts)
    if FEWEST * components > data.n:
        raise InputError(f"N-LEEP fits {components} clusters, {CLUSTERS} per class, and there are {data.n} items: such small clusters tell any labels, even "
                         "random ones.", f"Give {FEWEST * components} items or more, or fewer classes.")
    from sklearn.mixture import GaussianMixture
    share = np.cumsum(data.spectrum[0]**2)
    z = data.components(int(np.searchsorted(share, ENERGY * share[-1] * (1 - 1e-12))) + 1)
    z /= np.sqrt((z * z).mean())  # so that the mixture's floor of variances is relative
    mixture = GaussianMixture(components, covariance_type="diag", random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a mixture that is still moving a little after 100 rounds, or has fewer distinct points than clusters, does
        return _leep(mixture.fit(z).predict_proba(z), data.labels)


def energy(logits) -> float:
    """Mean log-sum-exp of the head's logits: large where the head is sure, whatever the labels."""
    z = table(logits, "Energy").astype(np.float64)
    if (largest := np.abs(z).max()) > LARGE:
        raise InputError(f"The logits reach {largest:.2g}: they cannot be counted with.", "Give the logits of a sound head.")
    top = z.max(axis=1)
    return float((top + np.log(np.exp(z - top[:, None]).sum(axis=1))).mean())


def _beliefs(probabilities) -> np.ndarray:
    theta = table(probabilities, "Probabilities").astype(np.float64)
    total = theta.sum(axis=1)
    bad = (np.abs(total - 1) > ROUGH) | (theta < 0).any(axis=1)
    if bad.any():
        raise InputError(f"{bad.sum()} of {len(theta)} rows are no probabilities, first row {int(bad.argmax())}: they add up to {total[bad.argmax()]:.3g}.",
                         "Give the softmax of the head's logits.")
    theta /= total[:, None]
    return theta


def _leep(theta: np.ndarray, labels: np.ndarray) -> float:
    of_class = [theta[labels == label] for label in range(labels.max() + 1)]
    joint = np.stack([rows.sum(axis=0) for rows in of_class])
    mass = joint.sum(axis=0)
    given = np.divide(joint, mass, where=mass > 0, out=joint)  # a source class without mass contributes nothing
    return min(float(sum(np.log(rows @ row).sum() for rows, row in zip(of_class, given, strict=True)) / len(theta)), 0.0)  # rounding may leave it above
