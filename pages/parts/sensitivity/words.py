"""What the sensitivity page asks and explains."""

OURS, PUBLISHED = ":violet-badge[our reading]", ":blue-badge[published]"

QUESTIONS = {
    "carried": "A network was trained to ignore one transform. Does it ignore it on objects, and on data, that it never saw?",
    "mismatch": "A network learned to ignore some transforms, and the target has others. What does too much invariance cost, and what too little?",
    "importance": "What matters more for transfer: the right invariances, or the classes, the architecture and the number of pictures it was pretrained with?",
    "harm": "A network learned to ignore something. What does that cost when the target needs just that?",
}
SETUPS = {
    "carried": "Each network learns the classes of Transforms-2D under one transform, or under none. Its penultimate layer is then compared on pairs of "
               "pictures.",
    "mismatch": "Pretrained on some classes under the first so many transforms, frozen, and read by a linear probe on other classes under each set.",
    "importance": "Pretrained under the target's transforms (*same*) or under as many others (*disjoint*), while one more thing about pretraining varies; read "
                  "by a linear probe. *Within*: how far the best and the worst level of that thing lie apart. *Same vs disjoint*: what the target's own "
                  "transforms add.",
    "harm": "Printed digits, called *picture*, with a small object in the corner. *both → picture*: a network was shown both and learned to tell the digit. A "
            "linear probe on its frozen features then asks for the digit or for the object: what it learned to ignore is hard to find again.",
}
EXPLAINER = f"""
**What it asks.** Which changes of its input does a representation ignore? Two pictures of the same object on the same background that differ only in a
transform's draw are sent through the model. *Sensitivity* is how far apart they come out, on average, over how far apart random pictures come out
{PUBLISHED}.

$$ s_t(f) = \\frac{{\\text{{mean}}\\,\\lVert f(x_i) - f(x_i') \\rVert}}{{\\text{{mean}}\\,\\lVert f(x_i) - f(x_{{\\pi(i)}}) \\rVert}} $$

**How to read it.** 0: the model does not notice the transform (it is *invariant*). 1: the transform makes as much difference as taking another picture, which
is the chance level. It can exceed 1: noise may move a picture farther than any other picture lies. Neither end is good in itself: a model that ignores
colour cannot tell ripe from unripe.

**The transforms.** The 18 of Transforms-2D with their ranges {PUBLISHED}; how far *translate* moves, and the objects and
backgrounds drawn here, are {OURS}. Photometric and corruption
transforms change the object, not what is behind it. Each is usable on any dataset of pictures: then it changes the whole picture. For texts there are five
transforms of ours {OURS}.

**The interval** {OURS} comes from resampling the pairs in blocks, since each picture is in two random pairs. The random partner never is the item itself.

**When it misleads.** A transform that hardly changes these pictures gives a low number whatever the model: turning a disc, flipping a symmetric shape. That is
said where nothing changes at all; a low number next to *the pairs noticed least* is worth a look. And a layer of few or dead units is "insensitive" because
it says little: where random pairs coincide too, the number is refused (0/0).

**The experiments** ask what invariance does for transfer. Published accuracies pool training, validation and test pictures; ours are of clean held-out
pictures, so compare shapes, not levels.
"""
