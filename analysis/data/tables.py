"""Tables: csv, tsv, jsonl and parquet, with a text, an image or numbers in each row."""

import csv
import io
import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from analysis.data import images
from analysis.data.arrays import dropped, finite_rows
from analysis.data.dataset import Dataset, rows_in_words
from analysis.data.guard import MAX_ROWS, MAX_UNPACKED, MB, WIDE, as_path, check_file
from analysis.errors import InputError

ENDINGS = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson")
MAX_COLUMNS = 10_000  # of JSON lines, where every line may name new ones
MAX_EMPTY = 20  # cells per value given, once there are a million
ROLES = ("text", "image", "label", "domain", "id")
USUAL = {  # column names that say what they hold
    "text": ("text", "sentence", "review", "content", "body", "comment", "message", "title"),
    "image": ("image", "image_path", "img", "picture", "path", "file_name", "filename", "file"),
    "label": ("label", "labels", "class", "target", "y", "sentiment", "category", "species", "variety"),
    "domain": ("domain", "source", "environment"),
    "id": ("id", "ids", "item_id", "uid", "uuid", "index", "unnamed: 0", "column 1 without a name"),
}


@dataclass(frozen=True)
class Table:
    """Columns by name: numbers (n,), vectors (n, d), or objects: texts, image bytes, None where a cell is empty."""

    columns: dict
    encoding: str = ""
    notes: tuple = ()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


@dataclass(frozen=True)
class TablePreview:
    """What a page shows before a table is loaded: kinds and guesses by column and role, and the first 20 rows."""

    columns: tuple
    kinds: dict
    rows: list
    guesses: dict
    encoding: str
    notes: tuple
    n: int


def inspect_table(path) -> TablePreview:
    table = read_table(check_file(as_path(path)))
    kinds = {name: kind(values) for name, values in table.columns.items()}
    first = [{name: _shown(values[i]) for name, values in table.columns.items()} for i in range(min(20, len(table)))]
    return TablePreview(tuple(kinds), kinds, first, guess(table), table.encoding, table.notes, len(table))


def _shown(cell):
    if isinstance(cell, bytes):
        return f"{len(cell):,} bytes"
    if isinstance(cell, (np.ndarray, list)):
        return f"{len(cell)} numbers"
    return cell.item() if isinstance(cell, np.generic) else cell


# reading


def read_table(path: Path, *, header: bool | None = None) -> Table:
    """The columns of a file that `check_file` let pass. header: whether the first line names the columns; None: look."""
    try:
        return _read_table(path, header)
    except MemoryError:
        raise InputError(f"{path.name} does not fit into memory.", "Load fewer rows or columns.") from None


def _read_table(path: Path, header: bool | None) -> Table:
    ending = path.suffix.lower()
    if ending == ".parquet":
        table, encoding, notes = _read_parquet(path), "", []
    elif ending in (".jsonl", ".ndjson"):
        text, encoding, notes = _decode(path)
        table = _read_jsonl(text, path.name)
    else:
        text, encoding, notes = _decode(path)
        table, more = _read_csv(text, path, header)
        notes += more
    names = [str(name).strip() or f"column {i + 1} without a name" for i, name in enumerate(table.column_names)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"{path.name} has more than one column named {', '.join(map(repr, twice[:5]))}.",
                         "Give every column its own name.")
    if table.num_rows == 0 or not names:
        raise InputError(f"{path.name} has {'column names but no rows' if names else 'no columns'}.", "Give one row per item.")
    if table.num_rows > MAX_ROWS:
        raise InputError(f"{path.name} has {table.num_rows:,} rows; the limit is {MAX_ROWS:,}.", "Load a part of them.")
    columns = {}
    for name, column in zip(names, table.columns, strict=True):
        try:
            columns[name] = _column(column)
        except (ValueError, TypeError, ArithmeticError, NotImplementedError) as error:  # a damaged column, or a type without values
            raise InputError(f"{path.name}: column {name!r} cannot be read: {str(error).splitlines()[0]}.",
                             "Write it again, or leave it out.") from None
    return Table(columns, encoding, tuple(notes))


def _decode(path: Path) -> tuple[str, str, list[str]]:
    """(text, encoding, notes): utf-8 with or without a mark, utf-16 with one, else the western single-byte codes."""
    raw = path.read_bytes()
    tries = ("utf-16",) if raw.startswith(WIDE) else ("utf-8-sig",) if raw.startswith(b"\xef\xbb\xbf") else ("utf-8", "cp1252", "latin-1")
    for encoding in tries:
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise InputError(f"{path.name} starts like {tries[0]} text but does not go on like it.", "Save it as utf-8.")
    if not text.strip():
        raise InputError(f"{path.name} is empty.", "Check that it was saved or copied completely.")
    told = {"utf-8-sig": "utf-8 with a byte order mark", "cp1252": "latin-1 (Windows-1252): check the accents"}.get(encoding, encoding)
    return text, encoding, [] if encoding == "utf-8" else [f"read as {told}"]


def _read_csv(text: str, path: Path, header: bool | None):
    import pyarrow as pa
    from pyarrow import csv as arrow

    delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(text)
    first = next((row for _, row in _csv_rows(text[:MB], delimiter)), [])
    notes = [] if delimiter in ",\t" or len(first) == 1 else [f"columns are separated by {delimiter!r}"]
    if header is None:
        header = not _all_numbers(first)
        notes += [] if header else ["no column names in the file: the first line is read as a row"]
    comma = delimiter == ";" and re.search(r"(^|;)-?\d+,\d+(;|\r?$)", text[:MB], re.MULTILINE)  # 1,5 for 1.5
    notes += ["numbers are written with a decimal comma"] if comma else []
    raw = text.encode("utf-8", "replace")
    try:
        table = arrow.read_csv(
            pa.BufferReader(raw),
            # one block, so that types are judged from the whole file
            read_options=arrow.ReadOptions(block_size=len(raw) + 1, autogenerate_column_names=not header),
            parse_options=arrow.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=arrow.ConvertOptions(decimal_point="," if comma else "."))
    except pa.ArrowInvalid as error:
        _explain_ragged(text, delimiter, path.name)
        raise InputError(f"{path.name} cannot be read as a table: {str(error).splitlines()[0]}.", "Save it again as csv.") from None
    return table if header else table.rename_columns([f"column {i + 1}" for i in range(table.num_columns)]), notes


def _delimiter(text: str) -> str:
    line = re.sub(r'"[^"]*"', "", text[:MB].lstrip().split("\n", 1)[0])
    return max(",;\t|", key=line.count)  # the first of equals


def _all_numbers(cells: list[str]) -> bool:
    """True for a row of data; 0, 1, 2, ... are names that pandas gives."""
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        return False
    return len(values) < 2 or (values != list(range(len(values))) and values != list(range(1, len(values) + 1)))


def _csv_rows(text: str, delimiter: str):
    """(line number, cells) of every row that is not blank."""
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return ((reader.line_num, row) for row in reader if row)


def _explain_ragged(text: str, delimiter: str, called: str) -> None:
    width, wrong = None, []
    for line, row in _csv_rows(text, delimiter):
        width = width or len(row)
        if len(row) != width:
            wrong.append(f"line {line} has {len(row)}")
    if wrong:
        count = f"{len(wrong)} lines have" if len(wrong) > 1 else "1 line has"
        shown = ", ".join(wrong[:5]) + (", ..." if len(wrong) > 5 else "")
        raise InputError(f"{called} has {width} columns, but {count} another number: {shown}.",
                         "Give every line the same number of columns; put texts that contain the separator in double quotes.")


def _read_jsonl(text: str, called: str):
    import pyarrow as pa

    columns, n, given = {}, 0, 0  # name -> {row: value}: a line may leave names out
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{called}, line {number}: not JSON ({error}).", "Write one JSON object per line.") from None
        if not isinstance(row, dict):
            raise InputError(f"{called}, line {number}: holds a {type(row).__name__}, not an object.",
                             'Write one JSON object per line: {"text": "...", "label": "..."}.')
        for name, value in row.items():
            columns.setdefault(name, {})[n] = value
        n, given = n + 1, given + len(row)
        if len(columns) > MAX_COLUMNS or (n * len(columns) > 1_000_000 and n * len(columns) > MAX_EMPTY * given):
            raise InputError(f"{called}: its first {n:,} lines use {len(columns):,} different names, most of them in few lines.",
                             f"Use the same names in every line, at most {MAX_COLUMNS:,}.")

    def typed(filled):
        values = [filled.get(i) for i in range(n)]
        try:
            return pa.array(values)
        except (pa.ArrowException, OverflowError, TypeError):  # kinds mixed within a column
            return pa.array([None if v is None else v if isinstance(v, str) else json.dumps(v) for v in values])
    try:
        return pa.table([typed(v) for v in columns.values()], names=list(columns))
    except UnicodeEncodeError:
        raise InputError(f"{called} holds half a character (an escape such as \\ud800 alone).", "Save the texts again as utf-8.") from None


def _read_parquet(path: Path):
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            schema, names = file.schema_arrow, file.schema_arrow.names
            too_large = InputError(f"{path.name} unpacks to more than {MAX_UNPACKED / MB:,.0f} MB.", "Load fewer rows or columns.")
            if file.metadata.num_rows > MAX_ROWS:
                raise InputError(f"{path.name} has {file.metadata.num_rows:,} rows; the limit is {MAX_ROWS:,}.", "Load a part of them.")
            claimed, largest = _claims(file)
            if claimed > MAX_UNPACKED or _text_bytes(path, schema) > MAX_UNPACKED:
                raise too_large
            batches, size = [], 0
            for batch in file.iter_batches(batch_size=min(1024, MAX_UNPACKED // max(largest, 1))):  # a few bytes can unpack to a great many
                size += batch.nbytes
                if size > MAX_UNPACKED:
                    raise too_large
                batches.append(batch)
        names = [n for n in names if not re.fullmatch(r"__index_level_\d+__", n)]  # pandas' own
        table = pa.Table.from_batches(batches, schema)
        return table if len(names) == len(schema) else table.select(names)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        if isinstance(error, (InputError, MemoryError)):
            raise
        raise InputError(f"{path.name} is not a sound parquet file: {str(error).splitlines()[0]}.", "Write it again.") from None


def _claims(file) -> tuple[int, int]:
    """(bytes that a parquet file says it unpacks to, bytes in the largest chunk of texts inside lists or structs)."""
    total, nested = 0, 0
    for group in map(file.metadata.row_group, range(file.num_row_groups)):
        for i, chunk in enumerate(map(group.column, range(file.metadata.num_columns))):
            fixed = {"INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 12, "FIXED_LEN_BYTE_ARRAY": file.schema.column(i).length}
            width = fixed.get(chunk.physical_type, 0)
            total += max(chunk.total_uncompressed_size, width * chunk.num_values)
            if chunk.physical_type == "BYTE_ARRAY" and "." in chunk.path_in_schema:
                nested = max(nested, chunk.total_uncompressed_size)
    return total, nested


def _text_bytes(path: Path, schema) -> int:
    """Bytes of the columns of texts with every value written out. They are read as stored, where a value that repeats stands once."""
    import pyarrow as pa
    from pyarrow import compute, parquet

    of = lambda kind: kind.value_type if pa.types.is_dictionary(kind) else kind
    names = [f.name for f in schema if of(f.type) in (pa.string(), pa.binary(), pa.large_string(), pa.large_binary(),
                                                pa.string_view(), pa.binary_view())]
    total = 0
    with parquet.ParquetFile(path, read_dictionary=names) as file:
        for group in range(file.num_row_groups):
            for chunk in (c for column in file.read_row_group(group, columns=names).columns for c in column.chunks):
                lengths = compute.binary_length(chunk.dictionary).take(chunk.indices)
                total += compute.sum(lengths.cast(pa.int64())).as_py() or 0
            if total > MAX_UNPACKED:
                break
    return total


def _column(column) -> np.ndarray:
    """An Arrow column as numpy: numbers, vectors, or objects."""
    import pyarrow as pa

    kinds = pa.types
    if kinds.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    of = column.type
    if kinds.is_integer(of) or kinds.is_floating(of):
        return column.to_numpy() if column.null_count == 0 else column.cast(pa.float64(), safe=False).to_numpy()
    if kinds.is_decimal(of):
        return column.cast(pa.float64()).to_numpy()
    if kinds.is_null(of):
        return np.full(len(column), None, object)
    if kinds.is_list(of) or kinds.is_large_list(of) or kinds.is_fixed_size_list(of):
        values = column.to_pylist()
        widths = {len(v) if v is not None else -1 for v in values}
        if len(widths) == 1 and kinds.is_primitive(of.value_type):
            return np.array(values, np.float64).reshape(len(values), *widths)
        return objects(values)
    if kinds.is_struct(of) and "bytes" in [of.field(i).name for i in range(of.num_fields)]:  # how image tables of the hub are stored
        return objects([None if v is None else v["bytes"] for v in column.to_pylist()])
    if kinds.is_string(of) or kinds.is_large_string(of) or kinds.is_binary(of) or kinds.is_large_binary(of):
        return objects(column.to_pylist())
    return objects([None if v is None else str(v) for v in column.to_pylist()])


def objects(values: list) -> np.ndarray:
    out = np.empty(len(values), object)
    out[:] = values
    return out


# choosing columns


def kind(values: np.ndarray) -> str:
    """number, vector, text, image (bytes, or paths that end like one), empty."""
    if values.dtype != object:
        return "vector" if values.ndim == 2 else "number"
    some = [v for v in values if v is not None][:200]
    if not some:
        return "empty"
    if isinstance(some[0], str):
        return "image" if sum(v.lower().endswith(images.ENDINGS) for v in some) > 0.9 * len(some) else "text"
    return "image" if isinstance(some[0], bytes) else "vector"


def guess(table: Table) -> dict[str, str]:
    """role -> column, for the roles that some column plainly plays."""
    kinds, lower = {n: kind(v) for n, v in table.columns.items()}, {n.lower(): n for n in reversed(list(table.columns))}
    usual = {role: [lower[w] for w in words if w in lower] for role, words in USUAL.items()}
    out = {}
    take = lambda role, names: next((out.setdefault(role, n) for n in names if n not in out.values()), None)
    take("id", [n for n in usual["id"] if _unique(table.columns[n])])
    take("label", [n for n in usual["label"] if _countable(table.columns[n])])
    take("domain", [n for n in usual["domain"] if kinds[n] == "text"])
    take("image", [n for n in [*usual["image"], *kinds] if kinds[n] == "image"])
    if "image" not in out:
        take("text", [n for n in usual["text"] if kinds[n] == "text"])
        prose = [n for n in kinds if kinds[n] == "text" and _length(table.columns[n]) >= 20]
        take("text", [] if "text" in out else sorted(prose, key=lambda n: -_length(table.columns[n])))
    few = [n for n in kinds if kinds[n] == "text" and 2 <= len(set(table.columns[n])) <= max(2, len(table) // 5)]
    take("label", [] if "label" in out else few)
    return out


def _countable(values: np.ndarray) -> bool:
    """Texts or whole numbers: in a table of points, y is a coordinate."""
    if kind(values) != "number":
        return kind(values) == "text"
    present = values[np.isfinite(values)]
    return bool((present == np.round(present)).all())


def _unique(values: np.ndarray) -> bool:
    return values.ndim == 1 and len(set(values.tolist())) == len(values)


def _length(values: np.ndarray) -> float:
    return float(np.mean([len(v) for v in values[:1000] if v is not None] or [0]))


def choose(table: Table, called: str, asked: dict) -> tuple[dict[str, str], set[str]]:
    """(role -> column, the roles that were asked for). None leaves a role to the guess, "" leaves it out."""
    for role, name in asked.items():
        if name and name not in table.columns:
            close = get_close_matches(str(name), table.columns, 3, 0.5)
            listed = ", ".join(dict.fromkeys([*close, *table.columns]))
            raise InputError(f"{called} has no column {name!r} to use as {role}.",
                             f"Its columns: {listed if len(listed) < 500 else listed[:500] + ' ...'}.")
    chosen = {role: name for role, name in asked.items() if name}
    for role in ("label", "domain", "id"):
        if role in chosen and kind(table.columns[chosen[role]]) == "vector":
            raise InputError(f"{called}: column {chosen[role]!r} holds lists, which cannot serve as {role}.",
                             "Choose a column of texts or numbers.")
    if "text" in chosen and "image" in chosen:
        raise InputError("Both a text column and an image column were chosen.", "Choose one of them.")
    for role, name in guess(table).items():
        rival = {"text": "image", "image": "text"}.get(role)
        if asked.get(role) is None and name not in chosen.values() and rival not in chosen:
            chosen[role] = name
    return chosen, {role for role in asked if asked[role]}


# from a table to datasets


def load_table(path: Path, *, only: str | None = None, drop_bad_rows: bool = False, name: str = "", **asked) -> Dataset:
    """All rows, or those of one domain. text, image, label, domain, id: column names; None: the obvious one, "": none."""
    table = read_table(path)
    chosen, explicit = choose(table, path.name, asked)
    domains = _domains(table, chosen)
    if only is not None and only not in domains:
        raise InputError(f"{path.name} has no domain {only!r}.", f"Its domains: {', '.join(domains) or 'none; choose a domain column'}.")
    if only is None and len(domains) > 1:
        table = replace(table, notes=(*table.notes, f"holds {len(domains)} domains together: {', '.join(domains)}"))
    where = np.arange(len(table)) if only is None else domains[only]
    domain = only if only is not None else next(iter(domains)) if len(domains) == 1 else path.stem
    title = name or path.stem
    return build(table, where, path, chosen, explicit, drop_bad_rows, domain, title if only is None else f"{title}, {only}")


def load_table_domains(path: Path, *, drop_bad_rows: bool = False, name: str = "", **asked) -> list[Dataset]:
    """One dataset per value of the domain column; one in all without such a column."""
    table = read_table(path)
    chosen, explicit = choose(table, path.name, asked)
    domains = _domains(table, chosen)
    if not domains:
        return [load_table(path, drop_bad_rows=drop_bad_rows, name=name, **asked)]
    return [build(table, where, path, chosen, explicit, drop_bad_rows, domain, f"{name or path.stem}, {domain}")
            for domain, where in domains.items()]


def _domains(table: Table, chosen: dict) -> dict[str, np.ndarray]:
    """domain -> its rows, in the order of first appearance."""
    if "domain" not in chosen:
        return {}
    values = [str(v).strip() if v is not None else "" for v in table.columns[chosen["domain"]].tolist()]
    out = {}
    for i, value in enumerate(values):
        out.setdefault(value, []).append(i)
    return {value: np.array(where) for value, where in out.items()}


def build(table: Table, where: np.ndarray, path: Path, chosen: dict, explicit: set, drop_bad: bool, domain: str, title: str) -> Dataset:
    """The dataset that these rows make, by the columns chosen; labels that were only guessed give way when they cannot serve."""
    pick = lambda role: table.columns[chosen[role]][where] if role in chosen else None
    items, usable, notes = _items(table, where, path, chosen)
    labels, ids = pick("label"), pick("id")
    ids = [str(v) for v in (where if ids is None else ids.tolist())]
    if labels is not None and "label" not in explicit:
        why = _unlike_labels(labels)
        labels, notes = (None, [*notes, f"column {chosen['label']!r} {why}: loaded without labels"]) if why else (labels, notes)
    bad = ~usable
    if labels is not None:
        bad |= missing(labels)
    if bad.any():
        if not drop_bad:
            raise InputError(f"{title} has empty, NaN or infinite values in {rows_in_words(bad)}.",
                             "Drop these rows (the load page offers it; in Python: drop_bad_rows=True) or mend them.")
        notes = [*notes, dropped(bad)]
    kept = np.flatnonzero(~bad)
    if "image" in chosen:
        items, among, more = images.decode([items[i] for i in kept], path.name, drop_bad=drop_bad)
        kept, notes = kept[among], [*notes, *more]
    elif isinstance(items, np.ndarray):
        items = items[kept]
    else:
        items = tuple(items[i] for i in kept)
    if labels is not None:
        labels = labels[kept]
        labels = [str(v).strip() for v in labels] if labels.dtype == object else labels
    return Dataset(items, labels, (), [ids[i] for i in kept], domain, title, str(path), "", (*table.notes, *notes))


def _items(table, where, path, chosen) -> tuple:
    """(texts, image sources or a numeric table; which rows are usable; notes)."""
    if "text" in chosen:
        values = table.columns[chosen["text"]][where]
        texts = ["" if v is None else str(v) for v in values.tolist()]
        return texts, np.array([bool(t.strip()) for t in texts]), []
    if "image" in chosen:
        values = table.columns[chosen["image"]][where]
        sources = [_image_source(v, path.parent, i) for i, v in zip(where, values, strict=True)]
        return sources, np.array([bool(v) for v in values]), []
    taken = set(chosen.values())
    numeric = {n: v[where] for n, v in table.columns.items()
               if n not in taken and n.lower() not in USUAL["id"] and kind(v) in ("number", "vector")}
    for name, values in numeric.items():
        if values.dtype == object:
            refuse_ragged(name, values, path.name)
    if not numeric:
        raise InputError(f"{path.name} has no column of texts, images or numbers to load (columns: {', '.join(table.columns)}).",
                         "Choose a text column (text=...) or an image column (image=...).")
    left = [n for n in table.columns if n not in taken and n not in numeric]
    notes = [f"columns left out, as they hold no features: {', '.join(left)}"] if left else []
    with np.errstate(over="ignore"):
        x = np.column_stack([v.astype(np.float32) for v in numeric.values()])
    return x, finite_rows(x), notes


def refuse_ragged(name: str, values: np.ndarray, called: str) -> None:
    widths = np.array([-1 if v is None else len(v) for v in values])
    if any(isinstance(cell, list) for v in values if v is not None for cell in v[:1]):
        raise InputError(f"{called}: column {name!r} holds nested lists.", "A layer is a table: average or flatten the inner axis first.")
    usual = np.bincount(widths[widths >= 0]).argmax()
    raise InputError(f"{called}: column {name!r} holds {usual} numbers in most rows, but not in {rows_in_words(widths != usual)}.",
                     "Every row needs the same number of features.")


def _image_source(value, folder: Path, row: int) -> images.Source:
    if isinstance(value, bytes):
        return f"row {row}", lambda: value
    name = str(value)

    def read() -> bytes:
        place = (folder / name).resolve()
        if not place.is_relative_to(folder.resolve()):
            raise InputError("it does not lie in the table's folder")
        if not place.is_file():
            raise InputError("there is no such file beside the table")
        return images.read_file(place)
    return name, read


def missing(values: np.ndarray) -> np.ndarray:
    if values.dtype == object:
        return np.array([v is None or not str(v).strip() for v in values])
    return ~np.isfinite(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)


def _unlike_labels(values: np.ndarray) -> str:
    """Why a guessed label column cannot serve, or ""."""
    present = values[~missing(values)]
    distinct = len(set(present.tolist()))
    if distinct < 2:
        return "has one class"
    return "differs in every row" if distinct == len(values) > 2 else ""
