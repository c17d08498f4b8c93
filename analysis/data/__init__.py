"""What goes in: built-in datasets, files, the hub, and what the store keeps, all behind one call."""

import re
from dataclasses import replace
from difflib import get_close_matches
from urllib.parse import parse_qsl, urlencode

from analysis.data import digits, reviews, scenes, shapes
from analysis.data.dataset import Dataset
from analysis.data.files import load_domains, load_file
from analysis.data.guard import as_path
from analysis.data.tables import TablePreview, inspect_table
from analysis.entry import Entry
from analysis.errors import InputError

__all__ = ["Dataset", "Entry", "TablePreview", "catalogue", "inspect_table", "load_dataset", "load_domains"]

COUNT, SEED = (int, 20, 100_000), (int, 0, 2**32 - 1)
OPTIONS = {  # of a built-in group, or of one dataset in it: name -> (type, lowest, highest)
    "digits": {"n": COUNT, "seed": SEED},
    "characters": {"n": COUNT, "seed": SEED},
    "reviews": {},
    "shapes": {"n": COUNT, "seed": SEED, "noise": (float, 0, 10)},
    "shapes/blobs": {"n": COUNT, "seed": SEED, "clusters": (int, 2, 100), "spread": (float, 0, 10), "dim": (int, 1, 1000)},
    "transforms2d": {"n": COUNT, "seed": SEED, "draw": SEED},
    "hf": {"split": str, "config": str, "text": str, "image": str, "label": str, "n": (int, 2, 100_000), "seed": SEED},
}


def catalogue() -> list[Entry]:
    """Every built-in dataset; none is built for it."""
    return [
        *(Entry(f"builtin:digits/{d}", f"Digits, {d.replace('-', ' ')}", "Digits", "image", about,
                1797 if d.startswith("handwritten") else digits.GENERATED) for d, about in digits.DOMAINS.items()),
        Entry("builtin:characters/printed", "Characters, printed", "Digits", "image",
              "The digits 0-9 and the capitals A-Z in many fonts: what the models of the zoo learned first.", 3000),
        *(Entry(f"builtin:reviews/{d}", reviews.title(d), "Reviews", "text", reviews.about(d), len(reviews.rows(d)))
          for d in reviews.DOMAINS),
        *(Entry(f"builtin:shapes/{k}", shapes.title(k), "Shapes", "array", shapes.about(k), shapes.DEFAULT_N) for k in shapes.KINDS),
        *(Entry(f"builtin:transforms2d/{k}", scenes.title(k), "Transforms-2D", "image", scenes.about(k), scenes.DEFAULT_N) for k in scenes.KINDS),
    ]


def load_dataset(source, **options) -> Dataset:
    """The dataset of an id or a path.

    source   "builtin:digits/handwritten", "builtin:shapes/blobs?clusters=6&spread=0.3", "hf:org/name?split=test", "store:<digest>",
             or a path; a Dataset is handed back as it is
    options  those of the id (they may also stand in it, as a query), or for a path the columns to use: see `load_file`
    """
    if isinstance(source, Dataset):
        return source
    text = str(source)
    scheme, _, rest = text.partition(":")
    if scheme == "store":
        from analysis.store import default
        return default().dataset(rest)
    if scheme not in ("builtin", "hf"):
        return _load_path(source, options)
    name, asked = _parted(rest)
    options = {**asked, **{k: v for k, v in options.items() if v is not None}}
    if scheme == "hf":
        from analysis.data.hub import load_hub
        return load_hub(name, **_checked(f"hf:{name}", options, OPTIONS["hf"]))
    group, _, which = name.partition("/")
    options = _sound(name, options)
    make = {"digits": digits.make, "reviews": reviews.make, "shapes": shapes.make, "transforms2d": scenes.make}.get(group)
    made = make(which, **options) if make else digits.make_characters(**options)
    return replace(made, source=f"builtin:{name}?{urlencode(options)}") if options else made


def check(source: str) -> None:
    """Refuses a built-in id that there is not, or an option that it does not take; nothing is built for it."""
    scheme, _, rest = source.partition(":")
    if scheme == "builtin":
        _sound(*_parted(rest))


def _parted(rest: str) -> tuple[str, dict]:
    name, _, query = rest.partition("?")
    return name, dict(parse_qsl(query, keep_blank_values=True))


def _sound(name: str, options: dict) -> dict:
    if f"builtin:{name}" not in {entry.id for entry in catalogue()}:
        raise _unknown(f"builtin:{name}")
    return _checked(f"builtin:{name}", options, OPTIONS.get(name, OPTIONS[name.partition("/")[0]]))


def _load_path(source, options: dict) -> Dataset:
    text = str(source)
    if "://" in text:
        raise InputError(f"{text} is an address; data is not fetched from the web.", "Download it and load the file.")
    path = as_path(source)
    if not path.exists() and not path.suffix:
        raise _unknown(text)
    return load_file(path, **options)


def _unknown(text: str) -> InputError:
    known = [entry.id for entry in catalogue()]
    tails = {k.removeprefix("builtin:"): k for k in known} | {k.rpartition("/")[2]: k for k in known}
    close = get_close_matches(text, known, 3, 0.9) or [tails[t] for t in get_close_matches(text.rpartition(":")[2], tails, 3, 0.6)]
    groups = {}
    for ident in known:
        group, _, last = ident.partition("/")
        groups.setdefault(group, {})[re.sub(r"-[1-5]$", "-1 to 5", last)] = None
    listed = "; ".join(f"{group}/ {', '.join(names)}" for group, names in groups.items())
    return InputError(f"There is no dataset {text!r}.", (f"Did you mean {' or '.join(close)}? " if close else "") +
                      f"Built in are {listed}. Or give the path of a file or folder.")


def _checked(ident: str, options: dict, known: dict) -> dict:
    """Options with the right names, as the right types, within their bounds."""
    out = {}
    for name, value in options.items():
        if name not in known:
            close = get_close_matches(name, known, 1)
            raise InputError(f"{ident} has no option {name!r}.", (f"Did you mean {close[0]}? " if close else "") +
                             (f"Its options: {', '.join(known)}." if known else "It takes none."))
        if known[name] is str:
            out[name] = str(value)
            continue
        kind, low, high = known[name]
        try:
            out[name] = kind(value) if isinstance(value, str) or kind(value) == value else None
        except (TypeError, ValueError, OverflowError):
            out[name] = None
        if out[name] is None or not low <= out[name] <= high:
            raise InputError(f"{ident}: {name} = {value!r} is not {'a whole number' if kind is int else 'a number'} from {low} to {high}.",
                             f"For example {ident}?{name}={max(low, 1)}.")
    return out
