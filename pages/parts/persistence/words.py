"""What the numbers of a cloud say, in plain words."""

from math import isnan

import numpy as np

from analysis.metrics import persistence
from pages.parts.messages import count, grouped, plain
from pages.parts.persistence.cloud import LIVE, Cloud

STRAY = 5  # items up to which a piece is called stray rather than a group
OURS, PUBLISHED = ":violet-badge[our reading]", ":blue-badge[published]"


def answer(cloud: Cloud, k: int) -> str:
    """One sentence on its clusters, one on its ratio."""
    return f"**{plain(cloud.name)}**: {clusters(cloud)} {tightness(cloud, k)}"


def pieces(cloud: Cloud) -> tuple[int, int, int]:
    """What the largest gap between lifetimes cuts the cloud into: pieces, those of them that are groups, items in the others."""
    found = persistence.gap(cloud.tree.lengths)
    sizes = np.bincount(cloud.tree.components(cloud.tree.n - found))
    return found, int((sizes > STRAY).sum()), int(sizes[sizes <= STRAY].sum())


def clusters(cloud: Cloud) -> str:
    found, groups, stray = pieces(cloud)
    if found == 1:
        return "all items lie at one and the same distance: there are no clusters."
    if groups >= 2:
        return f"**{groups} clusters stand out**" + (f" beside {count(stray, 'stray item')}." if stray else ".")
    return f"**no clusters stand out**: the largest gap between lifetimes only sets {count(stray, 'stray item')} apart."


def tightness(cloud: Cloud, k: int) -> str:
    found = cloud.ratio(k)
    if found.reason:
        return f"The Persistence Ratio cannot be computed: {plain(found.reason)}"
    if cloud.profile is None:
        return f"PR **{found.ratio:.2f}** at k = {k}; interval and chance level follow."
    (low, high), (chance, least, most) = cloud.profile.interval(k), cloud.profile.chance(k)
    if isnan(low) or isnan(chance):
        return f"PR **{found.ratio:.2f}** at k = {k}; too few items for an interval."
    verdict = "tighter than chance" if high < least else "looser than chance" if low > most else "no tighter than chance"
    return f"PR **{found.ratio:.2f}** at k = {k} (interval {low:.2f}–{high:.2f}, by chance {chance:.2f}): {verdict}."


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
    parts.append(f"chance: {len(p.shuffled)} times the same points with every column shuffled")
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


def loops(cloud: Cloud) -> str:
    """What H1 shows and among how many points it was looked for."""
    found = cloud.loops
    if found is None:
        return "H1 follows."
    lives = np.sort(found.h1[:, 1] - found.h1[:, 0])[::-1]
    if not len(lives):
        return f"No loops among {count(len(found.points), 'point')}."
    longest = f"the longest lives for {lives[0]:.3g}"
    if not found.covering_radius:
        return f"H1: {count(len(lives), 'loop')} among all {count(found.n, 'point')}; {longest}."
    sure = int((lives > 4 * found.covering_radius).sum())
    return (f"H1: {count(len(lives), 'loop')} among {grouped(len(found.points))} landmarks of {count(found.n, 'point')}; {longest}. The covering radius is "
            f"{found.covering_radius:.3g}: each birth and death may be off by up to twice that, so {grouped(sure) if sure else 'none'} of them "
            f"{'is' if sure < 2 else 'are'} certain to be a loop of all points.")


def separating(cloud: Cloud, k: int) -> str:
    """What the k-1 bars of the separation really cut off."""
    tree = cloud.tree
    if cloud.ratio(k).reason or tree.n <= k:
        return ""
    parting = int((tree.sizes()[-(k - 1):, 1] > STRAY).sum())
    if not parting:
        return (f"Look closer: every separating bar cuts off {STRAY} items or fewer. "
                "The separation here says how far stray items lie out, not how far classes lie apart.")
    rest = "" if parting == k - 1 else "; the others cut off stray ones"
    return f"{parting} of {count(k - 1, 'separating bar')} {'parts' if parting == 1 else 'part'} groups of more than {STRAY} items{rest}."


def hint(cloud: Cloud, k: int) -> str:
    """Another k, where the largest gap suggests one."""
    _, groups, _ = pieces(cloud)
    return f"The largest gap in the lifetimes suggests k = {groups}." if groups not in (1, k) else ""


EXPLAINER = f"""
**What it shows.** Join every two items that lie nearer than some distance, and let that distance grow. At first each item is a piece of its own;
pieces meet, and one of them ends: a bar of **H0**, as long as the distance at which it met another. Long bars are pieces that stayed apart for long:
clusters, or stray items. Along the way rings of items close round an empty middle and later fill: bars of **H1**, loops, with a birth and a death. A
point of the diagram is a bar: the farther above the diagonal, the longer it lived. Short bars are noise.

**The Persistence Ratio** {PUBLISHED} (Gutiérrez & Lobel). With k classes, the k − 1 longest bars of H0 ought to separate them; all other bars lie
within. PR is the mean length within over the mean length between: small means tight, well separated classes. Models are ranked by −PR. Labels serve
for k only: the ratio does not know which item is of which class.

**What it hides.** One stray item makes as long a bar as a class does: look at what the separating bars cut off, the page counts it. PR depends on the
number of items: compare it at equal numbers only. It does not see which classes lie where, and a contradicting labelling changes nothing.

**What is ours** {OURS}. The clusters that stand out are those above the largest gap between two neighbouring lifetimes; pieces of {STRAY} items or
fewer are called stray. The interval is a jackknife over blocks of items (a bootstrap would draw items twice, and twins make bars of length 0). Chance
is the same cloud with every column shuffled by itself: same columns, no clusters. H0 is exact, from the minimum spanning tree. H1 above the chosen
number of points is that of landmarks, each next one farthest from those before; their covering radius is stated. Landmarks would bias PR upwards, so
it never uses them.

**What to try.** *Grow the radius* and press play: watch pieces meet while their bars end. Click a long bar: who joins whom? *Through training*: watch
the classes collapse. Take *shapes/circle* with the model *raw*: one long loop; *shapes/torus*: two.
"""
