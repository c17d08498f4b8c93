"""What the cases page explains."""

from analysis.metrics.calibration import LOST

OURS, PUBLISHED = ":violet-badge[our reading]", ":blue-badge[published]"
STRENGTHS = {"strong": "red", "some": "orange", "none": "green", "unknown": "gray"}

EXPLAINER = f"""
**What it asks.** You have a few labelled items of a target, and many of a source. Does training on both help? The gain Δ is the accuracy on other target items
with the source, less that without. Below 0 it hurt: negative transfer {PUBLISHED}. Everything here is measured on the spot, over several draws of the
few items.

**How it looks for the cause** {OURS}. *Label contradiction*: the source's items that lie nearest to a target item know its label much less (below {LOST:.0%})
often than the target's own items do. *Covariate shift*: the source lies elsewhere, by the distance of the means, of the nearest items, and by RADAR. *Class
imbalance*: the classes have other shares. *Too little target data*: how much more all target items would reach. Each is given with the numbers it rests on. A
reading names what the numbers fit; whether it is the cause, a remedy shows.

**Remedies.** Weight the source down, drop the classes that contradict, take fewer source items: the new Δ is measured at once. If dropping the classes of a
label contradiction turns Δ around, that was it.

**The probe** {OURS}. A ridge classifier on frozen features of one layer, its strength chosen on the target's training items. *Confirm* asks another one, a
converged logistic regression, slower. The two may differ in size; they should not differ in sign.

**Predicted and measured.** For all pairs of the domains in the sidebar: RADAR's prediction beside the measured gain. The corner to fear is *looked good, hurt*.
""".replace("%", "\u202f%")
