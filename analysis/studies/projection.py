"""UMAP as a unit of work: on request, in the background, seeded, and stopped when asked."""

import re
from threading import Thread

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
    used = sample(groups, chosen["limit"], seed=chosen["seed"])
    x = np.concatenate(blocks)[used]
    if x.shape[1] > FIRST:
        ctx.progress(0, 0, f"principal components: {x.shape[1]} → {FIRST}")
        x = pca([x], dims=min(FIRST, len(x)), seed=chosen["seed"]).points
    points = _Attended(ctx).fit(x, chosen)
    sizes = np.diff(np.searchsorted(used, np.cumsum([0, *map(len, blocks)])))
    made = {"method": "umap", "first": min(FIRST, blocks[0].shape[1]), **chosen}
    yield Projection(points - points.mean(axis=0), tuple(int(v) for v in sizes), np.zeros(0), used, n, made)


umap.VERSION = 1


class _Attended:
    """UMAP in a thread of its own, while this one passes on how far it is and hears a cancel: the library does neither."""

    def __init__(self, ctx):
        self.ctx, self.at, self.points, self.error = ctx, (0, 0, "loading UMAP"), None, None

    def fit(self, x: np.ndarray, chosen: dict) -> np.ndarray:
        thread = Thread(target=self._fit, args=(x, chosen), daemon=True)
        thread.start()
        while thread.is_alive():  # a cancel is raised from here; the thread ends with the worker's process
            self.ctx.progress(*self.at)
            thread.join(0.1)
        self.ctx.progress(*self.at)
        if self.error is not None:
            raise self.error
        return self.points

    def _fit(self, x, chosen) -> None:
        try:
            import umap as library
            from tqdm import tqdm

            tqdm.monitor_interval = 0  # one thread is enough to write to the bar
            self.at = (0, 0, f"finding the neighbours of {len(x):,} items".replace(",", "\u202f"))
            bar = {"disable": False, "file": self, "mininterval": 0.1, "bar_format": "{n_fmt}/{total_fmt}"}
            fit = library.UMAP(n_components=chosen["dims"], n_neighbors=chosen["n_neighbors"], min_dist=chosen["min_dist"], n_jobs=1,
                               random_state=chosen["seed"], init="spectral" if len(x) > 10 * chosen["dims"] else "random", tqdm_kwds=bar)
            self.points = fit.fit_transform(x).astype(np.float32)
        except BaseException as error:
            self.error = error

    def write(self, text: str) -> None:
        """What UMAP's progress bar writes: "120/500". Nothing may be raised in here: the bar would never give its lock back."""
        count = re.search(r"(\d+)/(\d+)", text)
        if count:
            done, total = map(int, count.groups())
            self.at = (done, total, "laying them out, epoch")

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
    if n < 3:
        raise InputError(f"UMAP needs at least 3 items, not {n}.", "PCA draws them.")
    return min(k, n - 1)
