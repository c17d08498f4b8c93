"""What the numbers of a cloud say, in plain words."""

from math import isnan

import numpy as np

from analysis.metrics import persistence
from pages.parts.messages import count, grouped, plain
from pages.parts.persistence.cloud import LIVE, Cloud

OURS, PUBLISHED = ":violet-badge[our reading]", ":blue-badge[published]"


def answer(cloud: Cloud, k: int) -> str:
    """One sentence on its clusters, one on its ratio."""
    return f"**{plain(cloud.name)}**: {clusters(cloud)} {tightness(cloud, k)}"


def clusters(cloud: Cloud) -> str:
    """What the largest gap between the lifetimes leaves, and whether it might as well without clusters."""
    cut = cloud.pieces
    stray = f" beside {count(cut.stray, 'stray item')}" if cut.stray else ""
    if cut.count == 1:
        return "**no clusters**: there is no gap between the longest lifetimes."
    if cut.groups < 2:
        return f"**no clusters stand out**: the largest gap between lifetimes only sets {count(cut.stray, 'stray item')} apart."
    if cloud.profile is None:
        return f"the largest gap between lifetimes leaves **{cut.groups} groups**{stray}."
    if cloud.profile.stands_out():
        return f"**{cut.groups} clusters stand out**{stray}."
    return (f"**no clusters stand out**: the largest gap between lifetimes leaves {cut.groups} groups{stray}, "
            f"as it does in clouds without clusters (there {_span(cloud.profile.groups)}).")


def _span(values: np.ndarray) -> str:
    low, high = values.min(), values.max()
    return f"{low}" if low == high else f"{low} to {high}"


def tightness(cloud: Cloud, k: int) -> str:
    found = cloud.ratio(k)
    if found.reason:
        return f"The Persistence Ratio cannot be computed: {plain(found.reason)}"
    if cloud.profile is None:
        return f"PR **{found.ratio:.2f}** at k = {k}; interval and chance level follow."
    (low, high), (chance, least, most) = cloud.profile.interval(k), cloud.profile.chance(k)
    if isnan(low):
        return f"PR **{found.ratio:.2f}** at k = {k}, without an interval: {plain(cloud.profile.doubt(k))}"
    said = f"PR **{found.ratio:.2f}** at k = {k} (interval {low:.2f}–{high:.2f}"
    if isnan(chance) or cloud.x.shape[1] == 1:
        return f"{said}; one column has no chance level: shuffled, it is the same cloud)." if cloud.x.shape[1] == 1 else f"{said})."
    verdict = "tighter than with its columns shuffled" if high < least else "looser than with its columns shuffled" if low > most else \
        "no tighter than with its columns shuffled"
    return f"{said}, by chance {chance:.2f}): {verdict}."


def method(cloud: Cloud) -> str:
    """How many points, which of them, and how the interval was made."""
    n, used = len(cloud), len(cloud.rows)
    parts = [f"{count(n, 'item')}, seed 0" if used == n else f"{grouped(used)} of {grouped(n)} items, drawn uniformly with seed 0"]
    p = cloud.profile
    if p is None:
        return f"{parts[0]}{'; the figures of larger samples follow' if n > LIVE else ''}."
    if p.options["resampling"] == "jackknife":
        parts.append(f"95\u202f% interval: jackknife that leaves out one of {len(p.resampled)} blocks of items")
    else:
        parts.append(f"PR: mean of {len(p.resampled)} uniform subsets, 95\u202f% interval from their spread")
    parts.append(f"chance: {len(p.shuffled)} times the same points with every column shuffled; "
                 f"clusters: beside {len(p.groups)} clouds drawn uniformly from the box of the principal components")
    return "; ".join(parts) + "."


def halving(cloud: Cloud, k: int) -> str:
    """What drawing a sample does to the ratio, as measured on this cloud."""
    p = cloud.profile
    whole = cloud.ratio(k).ratio
    if p is None or not whole > 0:
        return ""
    mean, sd = p.halved(k)
    if isnan(mean):
        return ""
    way = "higher" if mean > whole else "lower"
    return (f"Measured here: with half as many items PR reads {mean:.3f} ± {sd:.3f} instead of {whole:.3f}, {way} by {abs(mean - whole) / whole:.0%}. "
            "Compare ratios only at equal numbers of items.").replace("%", "\u202f%")


def loops(cloud: Cloud) -> list[str]:
    """What H1, and H2 when asked for, show and among how many points they were looked for."""
    said = [_higher(cloud.loops, 1, "loop")]
    return said + [_higher(cloud.surfaces, 2, "hollow")] if cloud.hollows else said


def _higher(found, dim: int, noun: str) -> str:
    if found is None:
        return f"H{dim} follows."
    lives = np.sort(np.ptp(found.of(dim), axis=1))[::-1]
    among = f"all {count(found.n, 'point')}" if not found.covering_radius else f"{grouped(len(found.points))} landmarks of {count(found.n, 'point')}"
    if not len(lives):
        return f"H{dim}: no {noun} among {among}."
    standing = persistence.standing(found.of(dim))
    told = (f"H{dim}: **{count(standing, noun)}** stand{'s' * (standing == 1)} out of {count(len(lives), 'bar')} among {among}; "
            f"the longest lives for {lives[0]:.3g}.")
    if not found.covering_radius:
        return told
    sure = int((lives > 4 * found.covering_radius).sum())
    return (f"{told} The covering radius is {found.covering_radius:.3g}: each birth and death may be off by up to twice that, so "
            f"{grouped(sure) if sure else 'none'} of them {'is' if sure < 2 else 'are'} certain to be a {noun} of all points too.")


def separating(cloud: Cloud, k: int) -> str:
    """What the k-1 bars of the separation really cut off."""
    tree = cloud.tree
    if cloud.ratio(k).reason or tree.n <= k:
        return ""
    few = persistence.few(tree.n, k)
    parting = int((tree.sizes()[-(k - 1):, 1] > few).sum())
    if not parting:
        return (f"Look closer: every separating bar cuts off {count(few, 'item')} or fewer. "
                "The separation here says how far stray items lie out, not how far classes lie apart.")
    rest = "" if parting == k - 1 else "; the others cut off stray ones"
    return f"{parting} of {count(k - 1, 'separating bar')} {'parts' if parting == 1 else 'part'} groups of more than {count(few, 'item')}{rest}."


def hint(cloud: Cloud, k: int) -> str:
    """Another k, where the largest gap suggests one."""
    groups = cloud.pieces.groups
    return f"The largest gap in the lifetimes suggests k = {groups}." if groups > 1 and groups != k else ""


EXPLAINER = f"""
**What it shows.** Join every two items that lie nearer than some distance, and let that distance grow. At first each item is a piece of its own;
pieces meet, and one of them ends: a bar of **H0**, as long as the distance at which it met another. Long bars are pieces that stayed apart for long:
clusters, or stray items. Along the way rings of items close round an empty middle and later fill: bars of **H1**, loops, with a birth and a death. A
point of the diagram is a bar: the farther above the diagonal, the longer it lived. Short bars are noise.

**The Persistence Ratio** {PUBLISHED} (Gutiérrez & Lobel). With k classes, the k − 1 longest bars of H0 ought to separate them; all other bars lie
within. PR is the mean length within over the mean length between: small means tight, well separated classes. Models are ranked by −PR. Labels serve
for k only: the ratio does not know which item is of which class.

**What it hides.** One stray item makes as long a bar as a class does: look at what the separating bars cut off, the page counts it. PR depends on the
number of items: compare it at equal numbers only. Shuffling the columns destroys whatever ties them together, so a layer without any clusters, but
with correlated columns, is “tighter” too: that comparison alone is no proof of clusters. PR does not see which class lies where, and a contradicting
labelling changes nothing. A cocycle is where the loop could be cut open, not the ring itself: that is the line in the map.

**What is ours** {OURS}. Cut at the largest gap between two neighbouring lifetimes, a cloud falls into pieces; those of {persistence.STRAY} items or
fewer (a quarter of an equal share, in small clouds) are called stray, the others groups. They stand out when the gap is wider, as a share of the
longest lifetime, or leaves more groups than in any of 20 clouds without clusters; about one such cloud in ten would pass. The interval is a jackknife
over blocks of items with Student's t (a bootstrap would draw items twice, and twins make bars of length 0). Chance is the same cloud with every
column shuffled by itself. H0 is exact, from the minimum spanning tree. Loops stand out when death over birth is longer than the universal null
distribution of such bars allows (Bobrowski & Skraba 2023; 5 %, Bonferroni). H1 above the chosen number of points is that of landmarks, each next one
farthest from those before; their covering radius is stated. Landmarks would bias PR upwards, so it never uses them.

**What to try.** *Grow the radius* and press play: watch pieces meet while their bars end. Click a long bar: who joins whom? *Through training*: watch
the classes collapse. Take *shapes/circle* with the model *raw*: one long loop; *shapes/torus*: two.
"""
