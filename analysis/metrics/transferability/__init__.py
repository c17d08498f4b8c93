"""Transferability: scores that rank models for a dataset, or sources for a target, before anything is trained; and what each of them needs and means.

Wherever a score takes features and labels it takes what `prepare` made of them, so that several scores share the work.
"""

from collections.abc import Callable
from dataclasses import dataclass

from analysis.errors import InputError
from analysis.metrics.transferability import chance
from analysis.metrics.transferability.covariance import centroid_distance, h_score, lda_accuracy, nc1, transrate
from analysis.metrics.transferability.evidence import logme
from analysis.metrics.transferability.head import energy, leep, n_leep, nce
from analysis.metrics.transferability.neighbours import gbc, knn_accuracy, parc, persistence_ratio
from analysis.metrics.transferability.preparation import Prepared, prepare

__all__ = ["SCORES", "NEEDS", "Score", "Prepared", "prepare", "nce", "leep", "n_leep", "energy", "logme", "h_score", "transrate", "nc1", "lda_accuracy",
           "knn_accuracy", "parc", "gbc", "persistence_ratio", "centroid_distance"]

INF = float("inf")
NEEDS = {"features": "the target's features", "labels": "the target's labels", "classes": "the number of the target's classes",
         "probabilities": "the source head's probabilities of the target's items", "logits": "the source head's logits of the target's items",
         "source_features": "the source's features", "source_classes": "the number of the source's classes",
         "parameters": "the model's number of parameters", "source_accuracy": "the model's accuracy on its source",
         "source_items": "the number of source items",
         "source_probe": "the accuracy on the target of a probe trained on the source alone", "probe": "the measured accuracy of a linear probe on the target"}


@dataclass(frozen=True)
class Score:
    """One score, and all that is said of it.

    call       arrays in, a number out, in the order of `needs`; a number that is measured or counted elsewhere is handed through
    needs      what it is called with: keys of NEEDS
    direction  1 where higher is better, -1 where lower is
    range      (lowest, highest) that it can be
    cost       "cheap", "moderate" or "slow", at thousands of items; work: how that grows with n items, d features, C classes
    meaning    one sentence
    kind       "score", "trivial" (to be beaten), "truth" or "published-method": one of those that this app is about
    published  whether there is a publication of it; ours: what that leaves open, and how it is done here
    chance     called like the score: what it is where nothing is known of the labels; None where that has no formula
    """

    name: str
    title: str
    call: Callable[..., float]
    needs: tuple[str, ...]
    range: tuple[float, float]
    cost: str
    work: str
    meaning: str
    ours: str = ""
    published: bool = True
    direction: int = 1
    kind: str = "score"
    chance: Callable[..., float] | None = None

    def __call__(self, **given) -> float:
        """By name: `score(features=x, labels=y)`; what it does not need may be there as well."""
        if missing := [name for name in self.needs if given.get(name) is None]:
            raise InputError(f"{self.title} needs {NEEDS[missing[0]]}.", f"Give {missing[0]}, or leave this score out.")
        return self.call(*(given[name] for name in self.needs))


_HEAD, _FEATURES = ("probabilities", "labels"), ("features", "labels")

SCORES: dict[str, Score] = {score.name: score for score in (
    Score("nce", "NCE", nce, _HEAD, (-INF, 0.0), "cheap", "n S, for S source classes",
          "How surely the source class that the head picks tells the item's label.",
          chance=chance.entropy),
    Score("leep", "LEEP", leep, _HEAD, (-INF, 0.0), "cheap", "n S, for S source classes",
          "How well the head's beliefs in its own classes, carried over to the target's, predict the labels.", chance=chance.entropy),
    Score("n_leep", "N-LEEP", n_leep, _FEATURES, (-INF, 0.0), "slow", "rounds of n d C, after n d²",
          "How well clusters of the features, in the place of a head, predict the labels.",
          "The mixture starts from k-means, at most 100 rounds, variances floored at a millionth of the mean.", chance=chance.entropy),
    Score("logme", "LogME", logme, _FEATURES, (-INF, INF), "cheap", "n d², then rounds of C d",
          "How probable the labels are under a linear model on the features, averaged over all its weights instead of fitted.",
          "Iterated until it rests; with the term of the determinant that the widespread implementation leaves out; start and floor go with the scale "
          "of features whose mean square is above 16 or variance below 1/16, as the evidence itself knows no scale."),
    Score("h_score", "H-score", h_score, _FEATURES, (0.0, INF), "cheap", "n d²",
          "How much of the features' variance lies between classes once all directions count alike; at most the number of classes less one.",
          "Both covariances divide by the number of items.", chance=chance.h_score),
    Score("h_plain", "H-score, not shrunk", lambda features, labels: h_score(features, labels, shrinkage=False), _FEATURES, (0.0, INF), "cheap", "n d²",
          "The H-score as first published; where items are fewer than features it is the number of classes less one, whatever the features.",
          chance=chance.h_plain),
    Score("transrate", "TransRate", transrate, _FEATURES, (-INF, INF), "cheap", "n d² and C factorisations of n/C rows",
          "How many more bits all features take together than those of a single class do."),
    Score("gbc", "GBC", gbc, _FEATURES, (-INF, 0.0), "cheap", "n d² and C²", "How little the classes overlap when each is drawn as a Gaussian; 0 when none do.",
          "Ordered pairs are summed; the variance of a class divides by its items."),
    Score("parc", "PARC", parc, _FEATURES, (-100.0, 100.0), "moderate", "n² log n, up to 5 000 items, more are sampled",
          "Whether items with unlike features are items with unlike labels: a rank correlation over all pairs.",
          "The largest loading of a principal component is positive: the correlation of two items depends on such signs.", chance=chance.nothing),
    Score("nc1", "NC1", nc1, _FEATURES, (-INF, 0.0), "cheap", "n d C",
          "How tight classes are beside the distances of their means (neural collapse); 0 when each is a point.",
          "The class means count alike, however many items each has."),
    Score("energy", "Energy", energy, ("logits",), (-INF, INF), "cheap", "n S, for S source classes",
          "How sure the head is of the target's items, right or wrong."),
    Score("knn", "kNN", knn_accuracy, _FEATURES, (0.0, 1.0), "moderate", "n² d", "How often the 5 nearest other items tell an item's label by a majority.",
          "5 neighbours, Euclidean; of equal majorities that of the nearest wins.", chance=chance.largest_class),
    Score("lda", "LDA", lda_accuracy, _FEATURES, (0.0, 1.0), "moderate", "5 times n d² + d³", "Cross-validated accuracy of the simplest linear classifier.",
          "5 stratified folds; the covariance within classes is shrunk by Ledoit and Wolf's share.", chance=chance.largest_class),
    Score("pr", "-PR", persistence_ratio, ("source_features", "source_classes"), (-INF, 0.0), "slow", "n² d",
          "How tight the source's clusters are beside their distances; knows nothing of the target.", kind="published-method"),
    Score("pr_target", "-PR, target", persistence_ratio, ("features", "classes"), (-INF, 0.0), "slow", "n² d",
          "How tight the target's clusters are beside their distances; of the labels it knows only how many there are.", kind="published-method"),
    Score("parameters", "Parameters", float, ("parameters",), (0.0, INF), "cheap", "1", "The larger model is the better one.", published=False, kind="trivial"),
    Score("source_accuracy", "Source accuracy", float, ("source_accuracy",), (0.0, 1.0), "cheap", "1", "The model that is better at home is better abroad.",
          published=False, kind="trivial"),
    Score("source_items", "Source items", float, ("source_items",), (0.0, INF), "cheap", "1", "The source with more items is the better one.", published=False,
          kind="trivial"),
    Score("centroid", "Centroid distance", centroid_distance, ("features", "source_features"), (0.0, INF), "cheap", "n d",
          "How far the mean of the source's features lies from that of the target's.", published=False, direction=-1, kind="trivial"),
    Score("source_probe", "Source probe", float, ("source_probe",), (0.0, 1.0), "moderate", "a probe",
          "Accuracy on the target's labels of a probe trained on the source alone.", published=False, kind="trivial"),
    Score("probe", "Linear probe", float, ("probe",), (0.0, 1.0), "slow", "probes over seeds",
          "What is to be predicted: the accuracy of a linear probe on the target.",
          published=False, kind="truth"))}
