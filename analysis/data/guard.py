"""What every file passes before it is believed: its size, its real kind, and for zips the names and the unpacked size."""

import os
import stat
import zipfile
import zlib
from pathlib import Path

from analysis.errors import InputError

MB = 2**20
MAX_FILE = 200 * MB
MAX_UNPACKED = 1024 * MB
MAX_RATIO = 200  # unpacked to packed, once a zip unpacks to more than
RATIO_FROM = 10 * MB
MAX_ROWS = 1_000_000

MAGIC = {b"PK\x03\x04": "a zip archive", b"PK\x05\x06": "an empty zip archive", b"\x93NUMPY": "a NumPy array", b"PAR1": "a parquet table",
         b"\x89PNG": "a PNG image", b"\xff\xd8\xff": "a JPEG image", b"GIF8": "a GIF image", b"%PDF": "a PDF document",
         b"\x1f\x8b": "a gzip archive", b"7z\xbc\xaf": "a 7z archive", b"Rar!": "a rar archive", b"\xd0\xcf\x11\xe0": "an old Office file",
         b"\x89HDF": "an HDF5 file", b"SQLite format 3": "an SQLite database", b"<!DOCTYPE": "a web page", b"<!doctype": "a web page",
         b"<html": "a web page"}
BINARY = {".zip": (b"PK\x03\x04", b"PK\x05\x06"), ".npz": (b"PK\x03\x04", b"PK\x05\x06"), ".npy": (b"\x93NUMPY",), ".parquet": (b"PAR1",)}
TEXT = (".csv", ".tsv", ".jsonl", ".ndjson")
EXCEL = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers")
WIDE = (b"\xff\xfe", b"\xfe\xff")  # byte order marks of utf-16


def as_path(given) -> Path:
    """What somebody gave as a path, with ~ spelt out; whether a file lies there is asked later."""
    why = "paths are texts" if not isinstance(given, (str, os.PathLike)) else "" if str(given).strip() else "it is empty"
    try:
        if not why:
            path = Path(given).expanduser()
            path.exists()
            return path
    except (OSError, RuntimeError) as error:  # too long, a folder that may not be entered, no such user
        why = getattr(error, "strerror", None) or str(error)
    shown = repr(given)
    raise InputError(f"{shown if len(shown) < 100 else shown[:97] + '...'} is not the path of a file or folder: {why}.",
                     "Check the path and its spelling.")


def check_file(path: Path, *, limit: int = MAX_FILE) -> Path:
    """The path of a file that exists, holds no code, is not empty, not too large, and is of the kind that its ending says."""
    if not path.is_file():
        raise InputError(f"There is no file {str(path)!r}.", "Check the path and its spelling.")
    ending = path.suffix.lower()
    if ending in EXCEL:
        raise InputError(f"{path.name} is a spreadsheet, which is not read.", "Save the sheet as csv and load that.")
    size = path.stat().st_size
    if size == 0:
        raise InputError(f"{path.name} is empty.", "Check that it was saved or copied completely.")
    with open(path, "rb") as file:
        head = file.read(4096)
    kind = next((words for magic, words in MAGIC.items() if head.startswith(magic)), "")
    if not (kind and ending in TEXT):  # a csv that is really a zip gets the sentence below
        from analysis.models.weights import refuse_code
        refuse_code(path)
    if size > limit:
        raise InputError(f"{path.name} has {size / MB:,.0f} MB; the limit is {limit / MB:,.0f} MB.",
                         "Load fewer items or fewer columns, or smaller pictures.")
    wrong = ending in BINARY and not head.startswith(BINARY[ending])
    if wrong or (ending in TEXT and (kind or (b"\0" in head and not head.startswith(WIDE)))):
        raise InputError(f"{path.name} is named {ending} but holds {kind or 'something else'}.",
                         "Give it the ending of what it is, or save it again in the format that its name says.")
    return path


class Archive:
    """A zip, read in memory and never extracted. Names are checked first; sizes as claimed, and again as the bytes arrive."""

    def __init__(self, path: Path):
        self.path, self._seen, self._total = path, set(), 0
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise InputError(f"{path.name} is not a sound zip archive: {error}.",
                             "Pack it again, or check that the copy is complete.") from None
        try:
            self.entries = self._check(self._zip.infolist())
        except InputError:
            self._zip.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._zip.close()

    def _check(self, infos: list) -> dict[str, zipfile.ZipInfo]:
        """Files by name, in the archive's order, without what macOS leaves behind."""
        entries = {}
        for info in infos:
            name = info.orig_filename
            why = _unsafe(name, info)
            if why:
                raise InputError(f"{self.path.name} holds the entry {name!r}, which {why}.",
                                 "Pack the folder again, without links or passwords and with plain relative names.")
            if info.is_dir() or "__MACOSX" in name.split("/") or name.rsplit("/", 1)[-1].startswith("."):
                continue
            if name in entries:
                raise InputError(f"{self.path.name} holds the entry {name!r} twice.", "Pack each file once.")
            entries[name] = info
        self._check_size(sum(info.file_size for info in entries.values()))
        return entries

    def _check_size(self, total: int) -> None:
        packed = max(self.path.stat().st_size, 1)
        if total > MAX_UNPACKED or (total > RATIO_FROM and total > MAX_RATIO * packed):
            raise InputError(f"{self.path.name} has {packed / MB:,.1f} MB and unpacks to more than {total / MB:,.0f} MB.",
                             f"At most {MAX_UNPACKED / MB:,.0f} MB and {MAX_RATIO} times the packed size are unpacked.")

    def read(self, name: str) -> bytes:
        parts, new = [], name not in self._seen
        self._seen.add(name)
        try:
            with self._zip.open(self.entries[name]) as file:
                while part := file.read(MB):
                    parts.append(part)
                    if new:
                        self._total += len(part)
                        self._check_size(self._total)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
            raise InputError(f"{self.path.name}: the entry {name!r} cannot be unpacked: {error}.", "Pack the archive again.") from None
        return b"".join(parts)


def _unsafe(name: str, info: zipfile.ZipInfo) -> str:
    if name.startswith("/"):
        return "is an absolute path"
    if "\\" in name or "\0" in name:
        return "has a backslash or a null in its name"
    if name[1:2] == ":":
        return "names a drive"
    if ".." in name.split("/"):
        return "leads out of its folder"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a link"
    if info.flag_bits & 1:
        return "is locked with a password"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # the others give no bound on what one read unpacks
        return "is packed with an uncommon method"
    return ""
