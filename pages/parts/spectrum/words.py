"""What a spectrum says, in plain words."""

import numpy as np

from analysis.metrics.comparison import Comparison
from pages.parts.messages import count, grouped, plain

NEAR = 10  # neighbours that stand for "near"
OURS, PUBLISHED = ":violet-badge[our reading]", ":blue-badge[published]"


def answer(a: str, b: str, found: Comparison) -> str:
    """On what the two agree: near neighbours, and clusters when there are classes."""
    near = _at(found, min(NEAR, int(found.k[-1])))
    said = f"**{plain(a)}** and **{plain(b)}** "
    if not found.clusters or found.clusters > found.n // 4:
        return said + f"{_level(found, near)} neighbours (k = {found.k[near]}: TAS {_value(found, near)})."
    scale = _at(found, companions(found))
    one, two = _level(found, near), _level(found, scale)
    clusters, neighbours = f"clusters (k ≈ {found.k[scale]}: TAS {_value(found, scale)})", f"neighbours (k = {found.k[near]}: {_value(found, near)})"
    return said + (f"{two} {clusters} and {neighbours}." if one == two else f"{two} {clusters}; they {one} {neighbours}.")


def companions(found: Comparison) -> int:
    """How many others an item of a class of the usual size has beside it."""
    return max(1, round(found.n / found.clusters) - 1)


def _at(found: Comparison, k: int) -> int:
    return int(np.abs(found.k - k).argmin())


def _value(found: Comparison, i: int) -> str:
    band = f", chance {number(found.null_low[i], 3)} to {number(found.null_high[i], 3)}" if len(found.null_low) else ", chance band follows"
    interval = f", interval {number(found.boot_low[i])} to {number(found.boot_high[i])}" if len(found.boot_low) else ""
    return f"**{number(found.tas[i])}**{interval}{band}"


def number(value: float, digits: int = 2) -> str:
    """With a true minus, and no negative zero."""
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.replace("-", "")


def _level(found: Comparison, i: int) -> str:
    value = found.tas[i]
    if len(found.null_low) and found.null_low[i] <= value <= found.null_high[i]:
        return "agree no more than chance on"
    if value < 0 and len(found.null_low):
        return "contradict one another on"
    return "agree on" if value >= 0.7 else "partly agree on" if value >= 0.3 else "hardly agree on"


def method(found: Comparison) -> str:
    """How many items, matched how, and how the bands were made."""
    lost = sum(found.left_out)
    way = "by position" if any("ids" in w for w in found.warnings) else "by id"
    parts = [f"{count(found.n, 'item')} matched {way}" + (f" ({count(lost, 'other')} on one side only, left out)" if lost else ""),
             f"{found.options['metric']} neighbours, {found.options['baseline']} chance level, seed {found.options['seed']}"]
    if len(found.null_low):
        parts.append(f"95\u202f% null band: {found.options['permutations']} relabellings")
    if len(found.boot_low):
        parts.append(f"95\u202f% interval: {found.options['resamples']} bootstraps over {grouped(found.anchors)} items")
    return "; ".join(parts) + f". AUC of R_NX over log k: {found.auc:.3f}."


EXPLAINER = f"""
**What it shows** {PUBLISHED} (TAS, arXiv 2411.08687). Take an item and its k nearest neighbours in A, and in B. How many are the same? TAS asks that
of every item and every k, and sets chance to 0 and identity to 1. Small k: near neighbours. k around n / classes: does each class keep together?
Large k: the arrangement of the whole.

**What it hides.** An average over items: look at *Who moved?* and *By class*. Anti-alignment cannot show at small k: the dotted floor is the least
possible there. It compares neighbourhoods, not distances: stretch a cloud and nothing changes. At the largest k all neighbourhoods are the same for
any two clouds.

**One number or a curve?** CKA, Procrustes and RSA are flat lines here: each says one thing for all scales. Open the *Playground*: at d = 2000, CKA
gives .99 to a cloud that was jittered and to one whose clusters were swapped; the spectrum tells them apart.

**What is ours** {OURS}. The chance level is the exact expectation of the Jaccard index under relabelling (the paper's k/(2N−k) is a switch; it is
half of it at k = 1). The grey band comes from relabelling B's items, the coloured one from drawing items again. Ties are broken at random,
independently in A and B: by row order they would fake agreement. The words agree (TAS at least .7), partly (.3) and hardly are ours too.

**What to try.** Compare *vit/seed0* with *vit/seed1*: other seeds, same clusters, other neighbours. Compare a layer with the next. *Seeds* asks what
fine-tuning does to that.
"""
