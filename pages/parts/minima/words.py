"""What the minima page explains."""

OURS, PUBLISHED = ":violet-badge[our reading]", ":blue-badge[published]"
QUESTION = "Would a larger network do better here, and can that be told before training it? Start a run, or look at ours."

NAMES = ("*all ×2*: every layer twice as wide; *layer 2 +5*: five units more in layer 2, so that it has as many parameters as another candidate; "
         "*layer 2 deeper by 3*: three layers added behind it; *residual by 3*: three residual blocks; *both*: wider, and deeper or with blocks. Layers "
         "have the numbers that the network gives them, in which activations count too.")

EXPLAINER = f"""
**What it asks.** Low places of the loss are not points but valleys: many networks can be joined by a line along which the loss hardly rises. The claim is
that the size of that valley tells how much a network gains by growing, even between ways that add equally many parameters {PUBLISHED}. Only the idea is within
reach, not the formula: **every estimator here is ours** {OURS}, and what it shows is no evidence about the published one.

**Growing** {PUBLISHED}. A layer is widened by copying units and dividing what leaves them; a layer is added that passes on what it gets; a block is added
whose output starts at zero {OURS}. None changes the function in eval mode: the first line says by how much the logits moved. With batch normalisation a
deepened layer goes by the batch in training, and what training sees moves. Copies get unequal shares of the weights, so that they can part in training; shares
and new weights are random, and each candidate is *one draw* of its expansion.

**The valley** {OURS}. From the grown network some *branches* are trained, each in another order of the data. The *barrier* of two is how far the loss on the
straight line between them rises above the line between their losses; up to ε they are *connected*.

$$ B_{{ij}} = \\max_a\\,[L((1-a)\\theta_i + a\\theta_j) - (1-a)L(\\theta_i) - aL(\\theta_j)] $$

A branch that ends more than ε above its start is no minimum of this valley {OURS}: it is left out, like one that diverges.

*Distance* is the mean between connected branches, *radius* how far one can go from the start in random directions, *volume* that of the simplex over the
largest set of branches that are all connected.

**Does it pay?** Each candidate is trained on, and so is the base; the *gain* is the difference in accuracy on items that nothing was trained on. A size is
judged by how it orders the gains, beside eleven proxies that others use and the plain number of parameters in grey. Look within a family, and at candidates of
equal size: across families many numbers go with size alone.

**When it misleads.** Few candidates, gains that differ less than their noise, or a base that can already do all it needs: then the verdict says that nothing
can be ranked. *Robustness* shows what becomes of a ranking when ε, the number of branches or their length move. ε is both the height of a barrier and how
far above its start a branch may end: both move. Branches of each length are trained by themselves, and the rate falls to 0 by the end of each length; short
ones may still end above their start and are left out.
"""
