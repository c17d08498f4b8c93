"""sensitivity: which changes of its input a model notices."""

from analysis.commands.terminal import aligned, cell, last, leads_to, number, span
from analysis.errors import InputError


def add(verbs) -> None:
    p = verbs.add_parser("sensitivity", help="which changes of its input a model notices",
                         description="How far each transform moves what MODEL makes of an item, over how far random items lie apart: 0, it does not notice the "
                                     "transform; 1, the transform makes as much difference as taking another item. The items are scenes of Transforms-2D, or "
                                     "the pictures or texts of DATASET.")
    p.add_argument("model", metavar="MODEL", help="builtin:vit/seed0, builtin:text/minilm, hf:org/name, or a folder with a transformers checkpoint")
    p.add_argument("dataset", nargs="?", metavar="DATASET", help="whose items are transformed: builtin:digits/handwritten, builtin:reviews/film, hf:org/name, "
                                                                 "or a file (default: the built-in scenes)")
    p.add_argument("--scenes", metavar="ZIP", help="of cut-outs with an alpha channel, one for each class, to make scenes of instead of the built-in ones")
    p.add_argument("--transform", nargs="+", metavar="T", help="names of transforms: rotate, hue, ... of pictures, typos, case, ... of texts (default: all)")
    p.add_argument("--layer", nargs="+", metavar="LAYER", help="names of layers, or: all (default: the last)")
    p.add_argument("--pairs", type=int, default=500, metavar="N", help="that are compared, for each transform (default: 500)")
    p.add_argument("--range", action="append", default=[], metavar="T.KNOB=LOW[:HIGH]", help="what a knob of a transform is drawn from, for example "
                                                                                         "rotate.angle=-30:30; repeatable (default: as published)")
    p.add_argument("--seed", type=int, default=0, help="of everything that is drawn (default: 0)")
    leads_to(p, run)


def run(options) -> dict:
    from analysis import load_model
    from analysis.studies.sensitivity import profile

    layers = "all" if options.layer == ["all"] else options.layer
    chosen = {"transforms": options.transform, "layers": layers, "n": options.pairs, "seed": options.seed, "knobs": _knobs(options.range)}
    found = last(profile, {**_items(options), "model": load_model(options.model)}, chosen)
    if options.json != "-":
        print("\n".join(_said(found)))
    return found.manifest()


def _items(options) -> dict:
    """What is transformed, as the study is given it."""
    if options.dataset and options.scenes:
        raise InputError(f"{options.dataset} and {options.scenes} cannot both be transformed.", "Give either a dataset or --scenes.")
    if options.scenes:
        from analysis.data.scenes import from_zip
        return {"scenes": from_zip(options.scenes)}
    if options.dataset:
        from analysis import load_dataset
        return {"dataset": load_dataset(options.dataset)}
    return {}


def _knobs(given: list[str]) -> dict:
    """{transform: {knob: value or (low, high)}}; what they may be is for the transforms to say."""
    found = {}
    for text in given:
        where, equals, value = text.partition("=")
        transform, dot, knob = where.rpartition(".")
        if not equals or not dot:
            raise InputError(f"{text!r} is no range of a transform's knob.", "Write T.KNOB=LOW:HIGH or T.KNOB=VALUE, for example rotate.angle=-30:30.")
        low, colon, high = value.partition(":")
        found.setdefault(transform, {})[knob] = (number(low), number(high)) if colon else number(low)
    return found


def _said(found) -> list[str]:
    """A line for each transform, what is noticed most on top; layer by layer where there are several."""
    each = len(found.layers) > 1
    heads = ["transform", "family", *(["layer"] if each else []), "sensitivity", "95 % interval", "idle pairs"]
    order = lambda line: (found.layers.index(line["layer"]), bool(line["reason"]), -line["value"])
    rows = [[line["transform"], line["family"], *([line["layer"]] if each else []), cell(line["value"]), span(line["low"], line["high"]),
             f"{100 * line['idle']:.0f} %"] for line in sorted(found.table().to_dict("records"), key=order)]
    layers = f"{len(found.layers)} layers" if each else f"layer {found.layers[0]}"
    lines = [f"{found.model}, {layers}, on {found.data}: {found.n} pairs of each transform, seed {found.options['seed']}",
             "sensitivity 1 is what random pairs give, 0 that the transform is not noticed; idle pairs are those it leaves as they are"]
    return [*lines, *aligned([heads, *rows]), *(f"note: {warning}" for warning in found.warnings), *_lacking(found)]


def _lacking(found) -> list[str]:
    """Why there is no number, once for all transforms that have the same reason."""
    reasons = {}
    for transform in found.transforms:
        for layer in found.layers:
            if why := found.reason(transform, layer):
                reasons.setdefault(why, []).append(transform)
    return [f"note: no sensitivity to {', '.join(transforms)}. {why}" for why, transforms in reasons.items()]
