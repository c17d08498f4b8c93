"""UMAP as a unit of work: on request, in the background, seeded, and stopped when asked."""

import re

import numpy as np

from analysis.errors import InputError
from analysis.metrics.projection import Projection, pca, sample

LIMIT = 10_000  # items; more are sampled by domain and class
FIRST = 50  # principal components that UMAP is given


def umap(inputs: dict, options: dict, ctx):
    """{"representations": [...]} with {"layer", "dims", "n_neighbors", "min_dist", "seed"} -> Projection of all of them together."""
    chosen = {"layer": None, "dims": 2, "n_neighbors": 15, "min_dist": 0.1, "seed": 0, "limit": LIMIT, **options}
    blocks, groups = _gather(inputs["representations"], chosen["layer"])
    n = sum(map(len, blocks))
    chosen["n_neighbors"] = _check_neighbors(chosen["n_neighbors"], min(n, chosen["limit"]))
    ctx.progress(0, 100, "loading UMAP")
    import umap as library
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # no second thread that writes to the bar
    used = sample(groups, chosen["limit"], seed=chosen["seed"])
    x = np.concatenate(blocks)[used]
    if x.shape[1] > FIRST:
        ctx.progress(2, 100, f"principal components: {x.shape[1]} → {FIRST}")
        x = pca([x], dims=min(FIRST, len(x)), seed=chosen["seed"]).points
    ctx.progress(5, 100, f"neighbours of {len(x):,} items")
    watch = {"disable": False, "file": _Epochs(ctx), "mininterval": 0.1, "bar_format": "{n_fmt}/{total_fmt}"}
    fit = library.UMAP(n_components=chosen["dims"], n_neighbors=chosen["n_neighbors"], min_dist=chosen["min_dist"], n_jobs=1,
                       random_state=chosen["seed"], init="spectral" if len(x) > 10 * chosen["dims"] else "random", tqdm_kwds=watch)
    points = fit.fit_transform(x).astype(np.float32)
    ends = np.cumsum([0, *map(len, blocks)])
    sizes = tuple(int(v) for v in np.diff(np.searchsorted(used, ends)))
    made = {"method": "umap", "first": min(FIRST, blocks[0].shape[1]), **chosen}
    yield Projection(points - points.mean(axis=0), sizes, np.zeros(0), used, n, made)


umap.VERSION = 1


class _Epochs:
    """What UMAP's progress bar writes to: an epoch count, handed on. A cancel is raised from here, in the middle of the fit."""

    def __init__(self, ctx):
        self.ctx = ctx

    def write(self, text: str) -> None:
        count = re.search(r"(\d+)/(\d+)", text)
        if count:
            done, total = map(int, count.groups())
            self.ctx.progress(10 + 90 * done // max(total, 1), 100, f"epoch {done} of {total}")

    def flush(self) -> None:
        pass


def _gather(representations, layer) -> tuple[list[np.ndarray], np.ndarray]:
    """The layer of each, and a group per row: its domain and class, by which a sample is drawn."""
    for r in representations:
        if layer not in r.layers:
            raise InputError(f"There is no layer {layer!r} in {r!r}.", f"Choose one of {', '.join(r.layers)}.")
    labels = [r.labels if r.labels is not None else np.zeros(len(r), np.int64) for r in representations]
    widest = 1 + max(int(y.max()) for y in labels)
    return [r.layers[layer] for r in representations], np.concatenate([y + widest * i for i, y in enumerate(labels)])


def _check_neighbors(k: int, n: int) -> int:
    if not 2 <= k:
        raise InputError(f"UMAP with {k} neighbours was asked for.", "Ask for 2 or more; 15 is usual.")
    return min(k, n - 1)
