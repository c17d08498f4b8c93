"""What a leaderboard says, in plain words."""

import numpy as np

from analysis.metrics.leaderboard import Leaderboard
from analysis.metrics.transferability import SCORES, Score
from pages.parts.messages import count, grouped, plain

FEWEST = 5  # rows from which on an order of them says something
OURS, PUBLISHED = ":violet-badge[our reading]", ":blue-badge[published]"


def answer(found: Leaderboard) -> str:
    """What is truly best, which score orders best, and what the plain baselines come to."""
    means = found.means()
    if np.isnan(means).all():
        return "The scores come first; the measured truth is on its way."
    best, there = int(np.nanargmax(means)), int(np.isfinite(means).sum())
    mean, low, high = found.truth_interval(found.names[best])
    shown = percent if found.kind == "models" else points
    leads = f"of the {there} of {len(means)} measured so far is best" if there < len(means) - len(_refused(found)) else "is truly best"
    told = f"**{plain(found.names[best])}** {leads}: {found.truth_name} **{shown(mean)}**{_interval(low, high, shown)}. "
    if found.kind == "sources":
        hurt = sum(found.truth_interval(name)[2] < 0 for name in found.names)
        told += f"**{hurt} of {count(len(found.names), 'blend')}** hurt. "
    taus = {score: found.correlation(score, resamples=0).value for score in found.scores}
    known = {score: tau for score, tau in taus.items() if not np.isnan(tau)}
    if not known or there < FEWEST:
        return told + f"With fewer than {FEWEST} of them nothing is said of the scores."
    of = lambda kinds: {score: tau for score, tau in known.items() if found.kinds[found.scores.index(score)] in kinds}
    scores, trivial = of(("score", "published-method")), of(("trivial",))
    if scores:
        first = max(scores, key=scores.get)
        told += f"Of the scores, **{plain(found.title(first))}** orders them best (τ {number(scores[first])})"
        told += (f"; the best plain baseline, **{plain(found.title(max(trivial, key=trivial.get)))}**, has τ {number(max(trivial.values()))}." if trivial
                 else "; no plain baseline is known.")
    return told


def method(found: Leaderboard, truth: str = "") -> str:
    what, where = ("model", "on") if found.kind == "models" else ("blend", "for")
    rows = f"{count(len(found.names), what)} {where} {plain(found.target)}"
    seeds = int(np.isfinite(found.truth).sum(axis=1).max()) if found.truth.size else 0
    truth = truth or f"a linear probe on {grouped(found.budget)} of {count(found.n, 'item')}"
    told = f"truth: {truth}, tested on others, {count(seeds, 'split')}" if seeds else "truth not there yet"
    return f"{rows}; {told}; intervals over splits, 95\u202f%; seed {found.options.get('seed', 0)}."


def meaning(score: str, found: Leaderboard) -> str:
    """What a score is, what it can be, what it would be by chance, and whose reading of it this is."""
    known = SCORES.get(score)
    if known is None:
        return f"RADAR: how differently the layers move the source's items; lower is nearer. {OURS}"
    direction = "Higher is better." if known.direction > 0 else "Lower is better."
    ours = f" {OURS} {plain(known.ours)}" if known.ours else ""
    return f"**{plain(known.title)}**: {plain(known.meaning)} {direction}{_range(known)}{_chance(found, score)} Cost: {plain(known.work)}.{ours}"


def _range(known: Score) -> str:
    low, high = known.range
    if np.isinf(known.range).all():
        return ""
    return f" From {low:g} up." if np.isinf(high) else f" At most {high:g}." if np.isinf(low) else f" From {low:g} to {high:g}.".replace("-", "−")


def _chance(found: Leaderboard, score: str) -> str:
    span = found.chance(score)
    if span is None:
        return ""
    low, high = (f"{value:.3g}".replace("-", "−") for value in span)
    return f" **At chance: {low}**{f' to {high}, by row' if low != high else ''}."


def number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def percent(value: float) -> str:
    return f"{100 * value:.1f}\u202f%".replace("-", "−")


def points(value: float) -> str:
    return f"{100 * value:+.1f} points".replace("-", "−")


def _interval(low: float, high: float, shown) -> str:
    return "" if np.isnan(low) else f" (interval {shown(low)} to {shown(high)})"


def _refused(found: Leaderboard) -> list[str]:
    """Rows that will have no truth."""
    return [name for name in found.names if found.reason(name, found.truth_name)]


EXPLAINER = f"""
**What it asks.** You have a dataset and several models, or a target and several sources. Which to take, before training anything? A score of transferability
answers from the representations alone {PUBLISHED}; here each meets what came of it, measured on the spot.

**The truth** {OURS}. Models: the accuracy of a linear probe on frozen features, trained on part of the items and tested on others, over several splits.
Sources: the gain Δ, what the probe gains when a blend of sources is added to a few items of the target. Below 0: the sources hurt, which is called
negative transfer.

**How a score is judged.** Kendall's τ between score and truth: 1 is the same order, 0 no relation. With ten models chance alone gives about ±.25, so look at
the interval and at the grey band before believing a winner. Regret is what the score's first choice costs. MCI (sources) compares with the plain distance of
the domains' means: below 0 is better than that {PUBLISHED}.

**Always compare with the grey ones.** The number of parameters, the accuracy on the source, the number of items, the distance of means. A score that does not
beat them is not worth its computation; on ImageNet models, plain source accuracy is published to do better than every score beside it.

**What is missing is said.** A model without a head has no LEEP; a layer that cannot be read has no score, and the table says why.
"""
