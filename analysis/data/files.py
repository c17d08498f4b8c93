"""Files and folders that a person brings: one door for every kind."""

from pathlib import Path

from analysis.data import arrays, images, tables
from analysis.data.dataset import Dataset
from analysis.data.guard import as_path, check_file
from analysis.errors import InputError

ENDINGS = (".zip", *tables.ENDINGS, ".npy", ".npz")
COMMON = ("drop_bad_rows", "name")


def load_file(path, *, only: str | None = None, **options) -> Dataset:
    """A dataset from an image zip or folder, a table, or a NumPy file.

    text, image, label, domain, id   which column plays the role; None: the obvious one, "": none
    only            the one domain to load
    drop_bad_rows   leave out rows with empty, NaN or infinite values and images that do not decode
    name            what to call it; otherwise the file's name
    """
    return _load(path, tables.load_table, options if only is None else {**options, "only": only})


def load_domains(path, **options) -> list[Dataset]:
    """One dataset per domain of a table with a domain column; a list of one otherwise."""
    found = _load(path, tables.load_table_domains, options)
    return found if isinstance(found, list) else [found]


def _load(path, load_table, options: dict):
    path = as_path(path)
    if path.is_dir():
        return _call(images.load_folder, path, options, ("label",))
    check_file(path)
    ending = path.suffix.lower()
    if ending in tables.ENDINGS:
        return _call(load_table, path, options, tables.ROLES + (("only",) if load_table is tables.load_table else ()))
    if ending == ".zip":
        return _call(images.load_zip, path, options, ("label",))
    if ending in (".npy", ".npz"):
        return _call(arrays.load_arrays, path, options, ("label", "id"))
    raise InputError(f"{path.name} is of a kind that is not read as a dataset.",
                     f"Bring a folder of images, or one of: {', '.join(ENDINGS)}.")


def _call(load, path: Path, options: dict, known: tuple):
    options = {k: v for k, v in options.items() if v is not None}
    unknown = [k for k in options if k not in (*known, *COMMON)]
    if unknown:
        raise InputError(f"{path.name} takes no option {unknown[0]!r}.", f"Its options: {', '.join((*known, *COMMON))}.")
    try:
        return load(path, **options)
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror or error}.", "Check that you may read it.") from None
