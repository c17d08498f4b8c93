"""Ranking as units of work: models for a dataset, or sources for a target; every score that can be computed beside the measured truth."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from analysis.errors import InputError
from analysis.extraction import extract
from analysis.metrics import gain, probe, radar, transferability
from analysis.metrics.leaderboard import Leaderboard
from analysis.metrics.projection import sample
from analysis.metrics.transferability import SCORES, Score
from analysis.representation import Representation
from analysis.studies.entries import called, opened, states
from analysis.studies.gain import Side, Sides, gathered, sound

ITEMS = 4096  # of a dataset that scores of a model read
POOLED = 2000  # rows of a blend that scores of its features read
PRINTED = 1080  # characters that stand for what the zoo learned
SEEDS = 10
TRUTH = "accuracy"  # of models
FAMILIAR = "{} was trained on items of this dataset: its accuracy here is no forecast."
STAGES = (("cheap",), ("moderate", "slow"))
KNOWN = ("training part", "target")  # which of the target's labels the scores of a head may see
DETERMINANT = ("full", "as published")  # of LogME
PASSED = ("tested", "probe")  # to the measured gain as they are
OF_MODELS = ("nce", "leep", "n_leep", "logme", "h_score", "h_plain", "transrate", "gbc", "parc", "nc1", "energy", "knn", "lda", "pr", "pr_target", "parameters",
             "source_accuracy")
OF_SOURCES = ("nce", "leep", "n_leep", "logme", "h_score", "h_plain", "transrate", "gbc", "parc", "nc1", "energy", "knn", "lda", "pr", "pr_target", "centroid",
              "source_items", "source_probe")
RADAR = Score("radar", "RADAR", float, ("radar",), (0.0, float("inf")), "moderate", "pairs, per layer", "How differently the layers move the source's items.",
              direction=-1, kind="published-method")


def models(inputs: dict, options: dict, ctx):
    """{"models": [{"model", "dataset"} or {"representation"}, ...] on the same items} with {"names", "layer": "" for the last of each, "scores": none given,
    all, "budget": items that a probe is trained on, half unless told, "tested", "seeds", "logme": one of DETERMINANT, "seed"} -> Leaderboard, partial after
    each model and stage.

    A model that cannot be run keeps its row, and a score that lacks what it needs keeps its column: `reasons` says why they are empty.
    """
    sound(options)
    chosen = {"layer": "", "seeds": SEEDS, "seed": 0, "budget": None, "tested": None, "logme": DETERMINANT[0], **options}
    entries, names, there, wrong = inputs["models"], _named(inputs["models"], options), {}, {}
    board = _Board("models", names, [()] * len(names), [_score(name, chosen) for name in _asked(chosen, OF_MODELS)], TRUTH, chosen)
    for row, entry in enumerate(entries):
        ctx.progress(row, len(entries), f"opening {names[row]}")
        tell = lambda _, __, note, row=row: ctx.progress(row, len(entries), f"{names[row]}: {note}")
        try:
            subject = _Subject(names[row], entry, next(iter(there.values()), None), chosen, ctx.progress, tell)
        except (InputError, MemoryError) as error:
            wrong[row] = error
            board.reasons |= {f"{names[row]}: {what}": _said(error) for what in (TRUTH, *(score.name for score in board.scores))}
            continue
        there[row] = subject
        board.target, board.told = subject.target, {"budget": subject.budget, "n": len(subject), "classes": len(subject.r.classes),
                                                    "warnings": tuple(note for other in there.values() for note in other.notes)}
        yield from board.stages({row: subject.facts}, ctx.progress, STAGES[:1])
    if not there:
        raise wrong[0]
    yield from board.stages({row: subject.facts for row, subject in there.items()}, ctx.progress, STAGES[1:])
    for row, subject in there.items():
        for measured in subject.measuring:
            board.truth[row, :measured.done] = measured.base
        yield board.now()
    yield board.now(final=True)


def sources(inputs: dict, options: dict, ctx):
    """{"target", "sources"} with {"names", "layer", "budget", "seeds", "tested", "blends", "probe", "seed"} as for `gain.measure`, and {"scores": none given,
    all; "radar": switches of its Options; "readings": names of radar.READINGS, each a column; "known": one of KNOWN, "logme": one of DETERMINANT} ->
    Leaderboard of all blends, partial after each blend, stage and split.

    Scores of features read a blend and a training part of the target together; scores of a head read what a probe of the blend makes of that training part,
    or of the whole target. RADAR, the centroids and the gain itself are of all items.
    """
    sound(options)
    chosen = {"seeds": SEEDS, "seed": 0, "radar": {}, "readings": [], "known": KNOWN[0], "logme": DETERMINANT[0], **options}
    if chosen["known"] not in KNOWN:
        raise InputError(f"Scores of a head cannot be told by the labels of {chosen['known']!r}.", f"Use one of {', '.join(KNOWN)}.")
    how = radar.Options(**chosen["radar"])
    readings, names = _readings(chosen), _asked(chosen, (*OF_SOURCES, RADAR.name))
    columns = [_of_blend(_score(name, chosen)) for name in names if name in SCORES] + [score for score in readings if RADAR.name in names]
    known = gathered(inputs, options, ctx.progress)
    blends = [(blend,) if isinstance(blend, str) else tuple(blend) for blend in options.get("blends") or gain.blends(known.names)]
    budget, rest = known.budget(options.get("budget")), {name: options[name] for name in PASSED if options.get(name) is not None}
    measuring = gain.measure(**known.given(), budget=budget, seeds=chosen["seeds"], seed=chosen["seed"], blends=blends, progress=ctx.progress, **rest)
    board = _Board("sources", [gain.title(blend) for blend in blends], blends, columns, "gain", {**chosen, **known.told()})
    board.target, board.told = known.target.name, {"budget": budget, "n": len(known.target), "classes": len(known.classes), "warnings": known.notes}
    train = sample(known.target.labels, budget, seed=chosen["seed"])
    facts = {row: _Pooled(known, blend, train, how, readings, chosen).facts for row, blend in enumerate(blends)}
    yield from board.stages(facts, ctx.progress, STAGES[:1], forget=True)
    for measured in measuring:
        board.truth[:, :measured.done], board.base = [measured.gain(blend) for blend in blends], measured.base
        board.told["warnings"] = tuple(dict.fromkeys((*known.notes, *measured.warnings)))
        yield board.now()
    yield from board.stages(facts, ctx.progress, STAGES[1:], forget=True)
    yield board.now(final=True)


models.VERSION = sources.VERSION = 3


class _Board:
    """A leaderboard in the making."""

    def __init__(self, kind: str, names: Sequence[str], parts: Sequence[tuple], scores: Sequence[Score], truth_name: str, options: Mapping):
        seeds = options["seeds"]
        if isinstance(seeds, bool) or not isinstance(seeds, int) or not 1 <= seeds <= 10_000:
            raise InputError(f"{seeds!r} splits (seeds) were asked for.", "Give a whole number from 1 to 10000.")
        self.kind, self.names, self.parts, self.scores, self.truth_name, self.options = kind, tuple(names), parts, scores, truth_name, options
        self.values, self.seconds, self.chances = np.full((3, len(names), len(scores)), np.nan)
        self.truth, self.base, self.reasons, self.target, self.told = np.full((len(names), seeds), np.nan), np.zeros(0), {}, "", {}

    def stages(self, facts: Mapping[int, "_Facts"], progress: Callable, stages: Sequence, forget: bool = False):
        """The scores of each row that has facts, stage by stage; yields after each row. forget: what was made for them, where all of it would be too much."""
        for stage in stages:
            columns = [column for column, score in enumerate(self.scores) if score.cost in stage]
            for done, (row, known) in enumerate(facts.items()):
                for column in columns:
                    progress(done, len(facts), f"{self.names[row]}: {self.scores[column].title}")
                    self._fill(row, column, known)
                if forget:
                    known.made.clear()
                if columns:
                    yield self.now()

    def now(self, final: bool = False) -> Leaderboard:
        said = {name: tuple(getattr(score, name) for score in self.scores) for name in ("name", "title", "direction", "kind")}
        arrays = {name: getattr(self, name).copy() for name in ("values", "truth", "seconds", "chances", "base")}
        return Leaderboard(self.kind, self.target, self.names, self.parts, said["name"], said["title"], said["direction"], said["kind"], **arrays,
                           truth_name=self.truth_name, reasons=dict(self.reasons), options=self.options, final=final, **self.told)

    def _fill(self, row: int, column: int, facts: "_Facts") -> None:
        score, began = self.scores[column], time.perf_counter()
        try:
            given = {name: facts[name] for name in score.needs}
            self.values[row, column] = score(**given)
            self.seconds[row, column] = time.perf_counter() - began
            if score.chance is not None:
                self.chances[row, column] = score.chance(*given.values())
        except (InputError, MemoryError) as error:
            self.reasons[f"{self.names[row]}: {score.name}"] = _said(error)


class _Facts:
    """What scores read of a row, each made when it is first asked for, None where nothing makes it. What cannot be made says so whenever it is asked for."""

    def __init__(self, **makers: Callable):
        self.makers, self.made = makers, {}

    def __getitem__(self, name: str):
        if name not in self.made:
            try:
                self.made[name] = self.makers[name]() if name in self.makers else None
            except (InputError, MemoryError) as error:
                self.made[name] = error
        if isinstance(self.made[name], Exception):
            raise self.made[name]
        return self.made[name]


class _Subject:
    """A model on the dataset: what came out of it, and what is known of it."""

    def __init__(self, name: str, entry: dict, first: "_Subject | None", options: dict, progress: Callable, tell: Callable):
        self.name, self.r, self.progress = name, opened(entry, progress), progress
        if self.r.labels is None:
            raise InputError(f"{name} has no labels.", "Scores and probes are told by labels: load the dataset with them.")
        if first and not _same(first.r, self.r):
            raise InputError(f"{name} is not on the same items as {first.name}.", "Models are ranked on one dataset: extract it with each of them.")
        self.layer, self.x = states(self.r, options["layer"])
        self.target = self.r.domain or self.r.manifest.get("dataset", {}).get("name") or "the target"
        self.model = entry.get("model") or _model(self.r)
        self.card = self.model.card if self.model else {}
        self.rows, self.budget = sample(self.r.labels, ITEMS, seed=options["seed"]), len(self) // 2 if options["budget"] is None else options["budget"]
        # the splits are those of the other models, as they depend on the ids alone
        self.measuring = gain.measure(self.x, {}, target_labels=self.r.labels, source_labels={}, target_ids=self.r.ids, budget=self.budget,
                                      seeds=options["seeds"], tested=options["tested"], seed=options["seed"], progress=tell)
        self.facts = _Facts(features=lambda: transferability.prepare(self.x[self.rows], self.labels), labels=lambda: self.labels,
                            classes=lambda: len(np.unique(self.labels)), logits=lambda: self._head("logits"), probabilities=lambda: self._head("probabilities"),
                            parameters=lambda: self.card.get("parameters"), source_accuracy=lambda: self.card.get("source_accuracy", {}).get("value"),
                            source_features=self._source, source_classes=lambda: len(self._learned()) or None)

    def __len__(self) -> int:
        return len(self.r)

    @property
    def labels(self) -> np.ndarray:
        return self.r.labels[self.rows]

    @property
    def notes(self) -> list[str]:
        found = [f"Scores of {self.name} read {len(self.rows)} of {len(self)} items, every class in its share."] if len(self.rows) < len(self) else []
        seen = familiar(self.card, self.r.manifest.get("dataset", {}).get("source", ""))
        return [*found, FAMILIAR.format(self.name)] if seen else found

    def _head(self, what: str) -> np.ndarray | None:
        found = getattr(self.r, what)
        return None if found is None else found[self.rows]

    def _learned(self) -> tuple:
        """The characters that a model of the zoo learned; of another model nobody knows."""
        return tuple(self.card["classes"]) if "recipe" in self.card else ()

    def _source(self) -> np.ndarray | None:
        """The layer on printed characters of the classes that the model learned."""
        if not self._learned():
            return None
        from analysis.data.digits import make_characters
        printed = make_characters(n=PRINTED, characters="".join(self._learned()))
        return extract(self.model, printed, layers=self.layer, progress=self.progress).layers[self.layer]


class _Pooled:
    """A blend of sources, and how it stands to the target."""

    def __init__(self, known: Sides, blend: tuple, train: np.ndarray, how: radar.Options, readings: Mapping[Score, Mapping], options: dict):
        self.known, self.train, self.how, self.seed = known, train, how, options["seed"]
        self.sides = [side for side in known.sources if side.name in blend]
        self.judged, self.whole = (train, False) if options["known"] == KNOWN[0] else (np.arange(len(known.target)), True)
        scores = {score.name: lambda turned=turned: self._radar(turned) for score, turned in readings.items()}
        self.facts = _Facts(features=self._union, labels=lambda: self.facts["features"].labels, classes=lambda: len(self.facts["features"].counts),
                            head=self._head, probabilities=lambda: self.facts["head"][0], logits=lambda: self.facts["head"][1],
                            source_probe=lambda: self.facts["head"][2], judged=lambda: known.target.labels[self.judged],
                            source_features=lambda: self._drawn()[0], source_classes=lambda: len(np.unique(self._drawn()[1])),
                            source_items=lambda: sum(map(len, self.sides)),
                            centroid=lambda: transferability.centroid_distance(known.target.x, np.concatenate([side.x for side in self.sides])), **scores)

    def _drawn(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and labels: all, or as many as scores can read, every class of every source in its share."""
        x, y = (np.concatenate([getattr(side, what) for side in self.sides]) for what in ("x", "labels"))
        source = np.repeat(np.arange(len(self.sides)), list(map(len, self.sides)))
        rows = sample(source * len(self.known.classes) + y, POOLED, seed=self.seed)
        return x[rows], y[rows]

    def _union(self) -> transferability.Prepared:
        (x, y), target = self._drawn(), self.known.target
        return transferability.prepare(np.concatenate([target.x[self.train], x]), np.concatenate([target.labels[self.train], y]))

    def _head(self) -> tuple[np.ndarray, np.ndarray, float]:
        """(probabilities, logits, accuracy) of a probe of the blend on the items it is judged by. Of a training part it has not seen other pictures."""
        target, rows = self.known.target, self.judged
        kept = [np.arange(len(side)) if self.whole else _others(side, target, rows) for side in self.sides]
        found = probe.ridge(*(np.concatenate([getattr(side, what)[own] for side, own in zip(self.sides, kept, strict=True)]) for what in ("x", "labels")))
        x = target.x[rows]
        return found.probabilities(x), found.sharpness * found.scores(x), found.accuracy(x, target.labels[rows])

    def _radar(self, turned: Mapping) -> float:
        target, blend = (_together(sides, self.known.classes) for sides in ([self.known.target], self.sides))
        return radar.compare(target, blend, options=replace(self.how, **turned)).score


def familiar(card: Mapping, source: str) -> bool:
    """Whether a model was trained on items of a dataset, in this picture or another."""
    learned = card.get("split", {}).get("dataset", "")
    return bool(learned) and source.startswith(learned)


def _together(sides: Sequence[Side], classes: Sequence) -> Representation:
    """All layers of some sides, pooled."""
    first = sides[0].states
    layers = {name: np.concatenate([side.states.layers[name][side.rows] for side in sides]) for name in first.layers}
    return Representation(layers, np.concatenate([side.labels for side in sides]), classes, [f"{side.name}: {row}" for side in sides for row in side.rows],
                          domain=" + ".join(side.name for side in sides), manifest=first.manifest)


def _others(side: Side, target: Side, rows: np.ndarray) -> np.ndarray:
    """The items of a source that are not those items of the target in another picture."""
    named = {target.ids[i] for i in rows} if target.ids and side.ids else set()
    return np.array([i for i in range(len(side)) if not named or side.ids[i] not in named], np.int64)


def _score(name: str, options: Mapping) -> Score:
    """As the registry has it, with the determinant that was asked for."""
    if options["logme"] not in DETERMINANT:
        raise InputError(f"LogME has no determinant {options['logme']!r}.", f"Use one of {', '.join(DETERMINANT)}.")
    if name != "logme" or options["logme"] == DETERMINANT[0]:
        return SCORES[name]
    return replace(SCORES[name], call=partial(transferability.logme, published=True), title="LogME, as published")


def _of_blend(score: Score) -> Score:
    """The score as a blend has it: the centroids are of all items, and a head is judged by labels of its own."""
    if score.name == "centroid":
        return replace(score, call=float, needs=("centroid",))
    return replace(score, needs=("probabilities", "judged")) if "probabilities" in score.needs else score


def _readings(options: dict) -> dict[Score, Mapping]:
    """RADAR as it stands and under each reading that is asked for, with what that turns."""
    found = {replace(RADAR, needs=(RADAR.name,)): {}}
    for reading in options["readings"]:
        if reading not in radar.READINGS:
            raise InputError(f"RADAR has no reading {reading!r}.", f"There are: {'; '.join(radar.READINGS)}.")
        name = f"{RADAR.name}: {reading}"
        if radar.READINGS[reading]:
            found[replace(RADAR, name=name, title=f"RADAR, {reading}", needs=(name,))] = radar.READINGS[reading]
    return found


def _asked(options: dict, known: Sequence[str]) -> list[str]:
    """The scores that are asked for, in their order."""
    wanted = known if options.get("scores") is None else options["scores"]
    if unknown := [name for name in wanted if name not in known]:
        raise InputError(f"There is no score {unknown[0]!r} here.", f"There are: {', '.join(known)}.")
    return [name for name in known if name in wanted]


def _named(entries: Sequence[dict], options: dict) -> tuple[str, ...]:
    """What the models are called, each something else."""
    names = tuple(map(str, options.get("names") or (_called(entry) for entry in entries)))
    if not entries or len(names) != len(entries):
        raise InputError(f"{len(names)} names and {len(entries)} models were given.", "Give one or more models, and one name for each, or none.")
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"More than one model is called {twice[0]!r}.", "Give each a name of its own, once.")
    return names


def _called(entry: dict) -> str:
    return (entry["model"].name if entry.get("model") is not None else called(entry["representation"])) or "unnamed"


def _same(a: Representation, b: Representation) -> bool:
    """Whether two representations are of the same items in the same order."""
    return a.dataset == b.dataset if a.dataset and b.dataset else a.ids == b.ids and a.classes == b.classes and np.array_equal(a.labels, b.labels)


def _model(r: Representation):
    """The built-in model that a representation was made by, if it was."""
    made = r.manifest.get("model", {})
    if not made.get("source", "").startswith("builtin:"):
        return None
    from analysis.models import load_model
    model = load_model(made["source"])
    return model if model.digest == made.get("digest") else None


def _said(error: Exception) -> str:
    return getattr(error, "message", "") or "There is not enough memory for this."
