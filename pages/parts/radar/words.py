"""What RADAR says, in plain words."""

import numpy as np

from analysis.figures.radar import transitions
from analysis.figures.sources import nth
from analysis.metrics.calibration import BAD, LOST
from analysis.metrics.radar import Radar, SourceRanking
from pages.parts.messages import count, grouped, plain

OURS, PUBLISHED = ":violet-badge[our reading]", ":blue-badge[published]"
GEOMETRY = ":gray-badge[geometry only]"
COLOURS = {"Good": "green", "Mixed": "orange", "Bad": "red"}
QUESTION = ("**Which source moves as the target does?** Low is near. *Good*: not told apart from the target's own halves; *bad*: clearly farther than "
            "chance; no verdict is a measured gain.")
NEAR, FAR = 0.25, 1.0  # of the target's spread: how far apart the domains' means lie before the model does anything; ours


def number(value: float) -> str:
    """As many digits as such a score bears, with a true minus."""
    return f"{value:.{0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2}f}".replace("-", "−")


def answers(found: SourceRanking) -> list[str]:
    """One line per source, nearest first."""
    order = sorted(found.sources.items(), key=lambda item: item[1].rank or len(found) + 1)
    return [_answer(found, name, source) for name, source in order]


def _answer(found: SourceRanking, name: str, source) -> str:
    if source.reason:
        return f"**{plain(name)}**: no score. {plain(source.reason)}"
    if np.isnan(source.score):
        return f"**{plain(name)}**: on its way …"
    ranked = int((found.ranks > 0).sum())
    place = "nearest" if source.rank == 1 else nth(source.rank)
    of = f"{place} of {ranked}" if ranked > 1 else "the only source"
    half = f", {grouped(int(source.half))} a side" if source.half else ""
    n = f"n = {grouped(found.n_target)} and {grouped(int(found.n[found.names.index(name)]))}{half}"
    known = source.matched[~np.isnan(source.matched)]
    if not len(known):
        return f"**{plain(name)}**: **{number(source.score)}** at all items, {of}; {n}. What chance gives is on its way."
    low, high = source.band
    se = found.se[found.names.index(name)]
    width = "" if np.isnan(se) else f" ± {number(1.96 * se)}"
    verdict = f":{COLOURS[source.verdict]}-badge[{source.verdict.lower()}] " if source.verdict else ""
    far = "" if len(known) == len(source.matched) else f" after {len(known)} of {len(source.matched)} splits"
    measured = f"**{number(float(known.mean()))}{width}** against a null of {number(low)} to {number(high)}{far}"
    return f"{verdict}**{plain(name)}**: {measured}, {of}{_alike(found, name)}; {n} {GEOMETRY}"


def _alike(found: SourceRanking, name: str) -> str:
    """Neighbours in rank whose intervals overlap with its own."""
    low, high = found.sources[name].matched_interval
    others = [other for other, s in found.sources.items() if other != name and s.matched_interval[0] <= high and s.matched_interval[1] >= low]
    return f" (not told apart from {', '.join(map(plain, others[:3]))}{' and others' * (len(others) > 3)})" if others and not np.isnan(low) else ""


def contradiction(found: SourceRanking) -> list[str]:
    """Sources that look near and say something else: where labels allow the check."""
    near = lambda name: "looks near, but its labels contradict" if found.sources[name].verdict else "has labels that contradict"
    return [f"**{plain(name)}** {near(name)} the target's: of an item's 5 nearest neighbours the target's own give its class "
            f"{found.own[i]:.0%} of the time, those of {plain(name)} {found.borrowed[i]:.0%}. RADAR cannot see this.".replace("%", "\u202f%")
            for i, name in enumerate(found.names) if found.contradicts[i]]


def gauge(found: SourceRanking) -> str:
    """How far apart the domains are before the model does anything."""
    known = [(float(g), name) for g, name in zip(found.gauge, found.names, strict=True) if not np.isnan(g)]
    if not known:
        return ""
    (least, near), (most, far) = min(known), max(known)
    span = f"{number(least)} target spreads ({plain(near)})" + (f" to {number(most)} ({plain(far)})" if len(known) > 1 else "")
    between = [name for g, name in known if NEAR <= g < FAR]
    weak = (f" Moderately apart, where RADAR is published as weak: {', '.join(map(plain, between))}." if between else
            " None is moderately apart, where RADAR is published as weak.")
    return f"Layer-0 gauge: before the model does anything, the means of target and source lie {span} apart.{weak}"


def method(found: SourceRanking, changed: str) -> str:
    """What was computed, from how much, and what was switched."""
    options = found.options
    window = f"{len(found.layers) - 1} transitions, {found.layers[0]} to {found.layers[-1]}"
    halves = f"; null and scores on {grouped(found.half)} items a side, {len(found.null)} splits" if len(found.null) else ""
    interval = "; ±: 95\u202f% by a jackknife over items" if not np.isnan(found.se).all() else ""
    switched = f" Switched: {changed}." if changed else ""
    pairs = f"{count(int(options.get('pairs', 0)), 'pair')} a side, " if options.get("pairs") else ""
    return f"{pairs}{plain(window)}, seed {options.get('seed', 0)}{halves}{interval}.{switched}"


def pair(found: Radar) -> str:
    """Where two domains diverge most."""
    step = int(np.nanargmax(found.per_transition))
    kind, other = ("angles", "lengths") if found.marginals[step, 0] >= found.marginals[step, 1] else ("lengths", "angles")
    return (f"**{plain(found.names[1])}** diverges from **{plain(found.names[0])}** most from {plain(found.layers[step])} to {plain(found.layers[step + 1])} "
            f"(divergence {number(float(found.per_transition[step]))}), more by its {kind} than by its {other}; all transitions together, at all items, "
            f"{number(found.score)} ± {number(1.96 * found.mc_error)} (Monte Carlo alone).")


def steps(layers: tuple) -> list[str]:
    return transitions(layers, plain=str)


EXPLAINER = f"""
**What it asks** {PUBLISHED} (RADAR, arXiv 2605.23028). Will training on a source help a target? Take an item x of the target, and a partner p. Between
two layers, x moves (traj); from x to p is sep, from p to where x went is detour. They make a triangle. Its angle θ at the partner, and how much longer
the way by the partner is (d), are measured at every layer, for partners of the same domain and for partners of the source. If the two kinds of
pairs move alike, the source is near; the score is how far their distributions lie apart. Higher: further, a worse source.

**What the verdict means** {OURS}. The target's items are split in halves, and one half scored against the other: that is the null, what no difference
gives with so many items. A source is scored against halves, with as many of its items; one that is smaller than that has a null of its own size.
*Good*: its interval reaches into the null's 95%; *bad*: it begins above {BAD} times the null's top; else *mixed*. A wide interval is called good too: it
says "not told apart", not "the same". It is read off geometry only: whether it predicts a gain is measured on the ranking and cases pages.

**What it cannot see.** Labels. A source that looks much the same and calls things differently (digits turned by 180°) is nearer than printed digits,
and hurts far more. Where classes share names, the page checks that: it warns when the nearest source items know the target's labels less than {LOST:.0%}
as often as the target's own. It is also published as weak where domains are moderately apart: the layer-0 gauge shows that beforehand. "Moderately" is
{NEAR} to {FAR:.0f} target spreads, our reading.

**What is ours** {OURS}. Which corner the angle is at, what the length is divided by, how pairs are drawn, the mixture and its divergence: the paper's
text is silent or unreachable there. Each is one of the *Switches*, and the view *Readings* shows the ranking under each, side by side.

**What to try.** *Graded noise*: the score grows with each step. *Same looks, other labels*: the blind spot. *Review domains*: the same with texts.
""".replace("%", "\u202f%")
