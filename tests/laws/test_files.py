"""What a person may bring: every kind that loads, and every kind that is refused with a name and a remedy."""

import io
import json
import pickle
import stat
import sys
import types
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.data import catalogue, files, guard, images, inspect_table, load_dataset, load_domains, tables
from tests.refusal import refused


def png(colour=(255, 0, 0), size=(8, 6), kind="PNG", **options) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind, **options)
    return file.getvalue()


def zipped(path, entries, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, raw in entries:
            archive.writestr(name, raw)
    return path


def written(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


RED, BLUE = (255, 0, 0), (0, 0, 255)
CLASSES = [("set/cats/1.png", png(RED)), ("set/cats/2.png", png(RED)), ("set/dogs/1.png", png(BLUE)), ("set/dogs/2.png", png(BLUE))]


# images


def test_zip_folders_are_classes(tmp_path):
    junk = [("__MACOSX/set/cats/._1.png", b"x"), ("set/.DS_Store", b"x"), ("set/readme.txt", b"hello")]
    data = load_dataset(zipped(tmp_path / "pets.zip", CLASSES + junk))
    assert data.items.shape == (4, 6, 8, 3) and data.items.dtype == np.uint8 and data.modality == "image"
    assert [data.classes[i] for i in data.labels] == ["cats", "cats", "dogs", "dogs"]
    assert data.ids == ("cats/1.png", "cats/2.png", "dogs/1.png", "dogs/2.png") and data.name == "pets"
    assert (data.items[0] == RED).all() and (data.items[3] == BLUE).all()
    assert "1 files that are not images" in data.notes[0]


def test_folder_equals_zip(tmp_path):
    for name, raw in CLASSES:
        place = tmp_path / "pets" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(raw)
    folder, archive = load_dataset(tmp_path / "pets"), load_dataset(zipped(tmp_path / "pets.zip", CLASSES))
    assert folder.digest == archive.digest


def test_one_folder_loads_without_labels_unless_they_were_chosen(tmp_path):
    path = zipped(tmp_path / "cats.zip", CLASSES[:2])
    data = load_dataset(path)
    assert data.labels is None and "without labels" in data.notes[0]
    refused(lambda: load_dataset(path, label="folder"), "all carry the label 'cats'")


def test_sizes_are_made_one(tmp_path):
    data = load_dataset(zipped(tmp_path / "a.zip", [*CLASSES, ("set/dogs/3.png", png(BLUE, (20, 20)))]))
    assert data.items.shape == (5, 6, 8, 3) and "1 of 5 images resized to 8x6" in data.notes[0] and (data.items[4] == BLUE).all()
    large = load_dataset(zipped(tmp_path / "b.zip", [(f"{c}.png", png(RED, (2000, 1000))) for c in "ab"]))
    assert large.items.shape == (2, 256, 512, 3)


def test_turned_grey_deep_and_clear_pictures(tmp_path):
    turned = Image.new("RGB", (8, 6), BLUE)
    turned.paste(RED, (0, 0, 4, 6))  # left half red
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90° clockwise: the left side comes to the top
    raw = {}
    deep = Image.fromarray(np.full((8, 6), 65535 // 2, np.uint16))
    for name, picture, options in [("turned", turned, {"exif": exif}), ("deep", deep, {}),
                                   ("clear", Image.new("RGBA", (6, 8), (0, 0, 0, 0)), {}), ("grey", Image.new("L", (6, 8), 77), {})]:
        file = io.BytesIO()
        picture.save(file, "PNG", **options)
        raw[name] = file.getvalue()
    data = load_dataset(zipped(tmp_path / "a.zip", [(f"{k}.png", v) for k, v in raw.items()]))
    shown = dict(zip(data.ids, data.items, strict=True))
    assert data.items.shape == (4, 8, 6, 3)
    assert (shown["turned.png"][0] == RED).all() and (shown["turned.png"][-1] == BLUE).all()
    assert abs(int(shown["deep.png"][0, 0, 0]) - 127) <= 1 and (shown["clear.png"] == 255).all() and (shown["grey.png"] == 77).all()


@pytest.mark.parametrize("name, why", [("/etc/1.png", "absolute"), ("../1.png", "out of its folder"), ("..\\1.png", "backslash"),
                                       ("a/../../1.png", "out of its folder"), ("C:/1.png", "drive")])
def test_zip_names_that_lead_away(tmp_path, name, why):
    error = refused(lambda: load_dataset(zipped(tmp_path / "bad.zip", [*CLASSES, (name, png())])), why)
    assert repr(name) in error.message and not list(tmp_path.glob("*.png"))


def test_zip_links_twins_and_broken_archives(tmp_path):
    link = zipfile.ZipInfo("set/cats/3.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(lambda: load_dataset(zipped(tmp_path / "link.zip", [*CLASSES, (link, "/etc/passwd")])), "'set/cats/3.png'", "is a link")
    with pytest.warns(UserWarning):
        zipped(tmp_path / "twins.zip", [*CLASSES, CLASSES[0]])
    refused(lambda: load_dataset(tmp_path / "twins.zip"), "twice")
    whole = (tmp_path / "link.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:len(whole) // 2])
    refused(lambda: load_dataset(tmp_path / "cut.zip"), "not a sound zip")
    refused(lambda: load_dataset(zipped(tmp_path / "none.zip", [("a.txt", b"x")])), "no images", "a.txt")
    refused(lambda: load_dataset(zipped(tmp_path / "lzma.zip", CLASSES, compression=zipfile.ZIP_LZMA)), "uncommon method")
    damaged = bytearray(zipped(tmp_path / "flip.zip", CLASSES).read_bytes())
    damaged[60] ^= 255
    (tmp_path / "flip.zip").write_bytes(damaged)
    refused(lambda: load_dataset(tmp_path / "flip.zip"), "set/cats/1.png", "cannot be unpacked")


def test_zip_bomb(tmp_path, monkeypatch):
    path = zipped(tmp_path / "bomb.zip", [("a.png", b"\0" * 12_000_000), ("b.png", png())], compression=zipfile.ZIP_DEFLATED)
    refused(lambda: load_dataset(path), "bomb.zip", "unpacks to more than")
    # a claim is not enough: what arrives is counted
    path = zipped(tmp_path / "b.zip", CLASSES)
    with guard.Archive(path) as archive:
        monkeypatch.setattr(guard, "MAX_UNPACKED", 100)
        refused(lambda: [archive.read(name) for name in archive.entries], "unpacks to more than")


def test_images_that_cannot_be_used(tmp_path, monkeypatch):
    path = zipped(tmp_path / "a.zip", [*CLASSES, ("set/dogs/bad.png", b"no picture"), ("set/dogs/cut.png", png(size=(90, 90))[:-40])])
    refused(lambda: load_dataset(path), "2 of 6 images", "set/dogs/bad.png", "set/dogs/cut.png", "drop_bad_rows=True")
    data = load_dataset(path, drop_bad_rows=True)
    assert len(data) == 4 and any("dropped 2 of 6" in note for note in data.notes)
    monkeypatch.setattr(images, "MAX_PIXELS", 47)
    refused(lambda: load_dataset(zipped(tmp_path / "b.zip", CLASSES)), "million pixels", "set/cats/1.png")
    monkeypatch.setattr(images, "MAX_IMAGES", 3)
    refused(lambda: load_dataset(tmp_path / "b.zip"), "4 images", "limit is 3")


def test_images_beside_the_class_folders(tmp_path):
    path = zipped(tmp_path / "a.zip", [*CLASSES, ("set/cover.png", png())])
    refused(lambda: load_dataset(path), "set/cover.png", "folder of its class")
    assert load_dataset(path, label="").labels is None


# tables


REVIEWS = "text,label,domain\n" + "".join(
    f"a fine thing number {i},{'good' if i % 2 else 'bad'},{'film' if i < 6 else 'book'}\n" for i in range(10))


def test_csv_guesses_and_choices(tmp_path):
    path = written(tmp_path / "r.csv", REVIEWS)
    seen = inspect_table(path)
    assert seen.guesses == {"text": "text", "label": "label", "domain": "domain"} and seen.n == 10 and len(seen.rows) == 10
    assert seen.columns == ("text", "label", "domain") and seen.kinds["text"] == "text" and seen.rows[0]["label"] == "bad"
    assert json.dumps(seen.rows)  # plain values, for a page to show
    whole = load_dataset(path)
    assert len(whole) == 10 and whole.classes == ("bad", "good") and "holds 2 domains" in whole.notes[0]
    film, book = load_domains(path)
    assert (film.domain, len(film), book.domain, len(book)) == ("film", 6, "book", 4)
    assert book.ids == ("6", "7", "8", "9") and book.digest == load_dataset(path, only="book").digest
    assert load_dataset(path, label="").labels is None
    assert load_dataset(path, text="label", label="domain").classes == ("book", "film")
    refused(lambda: load_dataset(path, only="phone"), "no domain 'phone'", "film, book")


def test_same_rows_in_every_format(tmp_path):
    frame = pd.read_csv(written(tmp_path / "r.csv", REVIEWS))
    frame.to_csv(tmp_path / "r.tsv", sep="\t", index=False)
    frame.to_csv(tmp_path / "r2.csv", sep=";", index=False)
    frame.to_parquet(tmp_path / "r.parquet")
    frame.to_json(tmp_path / "r.jsonl", orient="records", lines=True)
    digests = {load_dataset(tmp_path / name, only="film").digest for name in ("r.csv", "r.tsv", "r2.csv", "r.parquet", "r.jsonl")}
    assert len(digests) == 1


@pytest.mark.parametrize("encoding, note", [("latin-1", "latin-1"), ("utf-8-sig", "byte order mark"), ("utf-16", "utf-16")])
def test_encodings_load_with_a_note(tmp_path, encoding, note):
    data = load_dataset(written(tmp_path / "r.csv", "text,label\nschön und größer,ja\nça marche très bien,non\n", encoding))
    assert data.items[0] == "schön und größer" and data.items[1] == "ça marche très bien" and note in data.notes[0]


def test_image_paths_stay_in_the_folder(tmp_path):
    (tmp_path / "set").mkdir()
    for name, colour in (("1.png", RED), ("2.png", BLUE)):
        (tmp_path / "set" / name).write_bytes(png(colour))
    (tmp_path / "secret.png").write_bytes(png())
    data = load_dataset(written(tmp_path / "set" / "t.csv", "image,label\n1.png,a\n2.png,b\n"))
    assert data.modality == "image" and (data.items[1] == BLUE).all() and data.classes == ("a", "b")
    away = written(tmp_path / "set" / "away.csv", "image,label\n1.png,a\n../secret.png,b\n")
    refused(lambda: load_dataset(away), "../secret.png", "not lie in the table's folder")
    refused(lambda: load_dataset(written(tmp_path / "set" / "gone.csv", "image,label\n1.png,a\n9.png,b\n")), "9.png", "no such file")
    pd.DataFrame({"image": [{"bytes": png(RED), "path": None}, {"bytes": png(BLUE), "path": None}]}).to_parquet(tmp_path / "hub.parquet")
    assert (load_dataset(tmp_path / "hub.parquet").items == data.items).all()


def test_numbers_and_vectors_are_arrays(tmp_path):
    x = np.random.default_rng(0).normal(size=(6, 3)).round(3)
    table = pd.DataFrame(x, columns=["a", "b", "c"]).assign(species=list("xyxyxy"))
    table.to_csv(tmp_path / "n.csv")  # with pandas' unnamed index, which is taken for ids
    data = load_dataset(tmp_path / "n.csv")
    assert data.modality == "array" and np.allclose(data.items, x) and data.classes == ("x", "y") and data.ids[5] == "5"
    pd.DataFrame({"embedding": list(x), "label": [0, 1] * 3}).to_parquet(tmp_path / "v.parquet")
    assert np.allclose(load_dataset(tmp_path / "v.parquet").items, x)
    written(tmp_path / "v.jsonl", "".join(json.dumps({"v": list(row)}) + "\n" for row in x))
    assert np.allclose(load_dataset(tmp_path / "v.jsonl").items, x)
    np.savetxt(tmp_path / "plain.tsv", x, delimiter="\t")  # no names
    assert np.allclose(load_dataset(tmp_path / "plain.tsv").items, x)
    decimal = load_dataset(written(tmp_path / "d.csv", "a;b;id\n1,5;2;7\n-2,25;3;7\n"))  # ids that repeat are no features either
    assert decimal.items.tolist() == [[1.5, 2], [-2.25, 3]] and "decimal comma" in decimal.notes[1] and "left out" in decimal.notes[2]
    assert load_dataset(written(tmp_path / "points.csv", "x,y\n0.5,1.5\n2.5,0.25\n")).items.shape == (2, 2)  # here y is no label


def test_rows_with_holes(tmp_path):
    numbers = written(tmp_path / "n.csv", "a,b,label\n1,2,x\nnan,3,y\n4,inf,x\n5,6,y\n,1,y\n")
    refused(lambda: load_dataset(numbers), "3 of 5 rows (rows 1, 2, 4; the first row is 0)", "drop_bad_rows=True")
    data = load_dataset(numbers, drop_bad_rows=True)
    assert data.ids == ("0", "3") and np.isfinite(data.items).all() and "dropped 3 of 5 rows" in data.notes[0]
    texts = written(tmp_path / "t.csv", "text,label\ngood,x\n ,y\nbad,\nfine,y\n")
    refused(lambda: load_dataset(texts, text="text"), "2 of 4 rows (rows 1, 2;")
    assert load_dataset(texts, text="text", drop_bad_rows=True).items == ("good", "fine")


def test_columns_at_fault(tmp_path):
    path = written(tmp_path / "r.csv", REVIEWS)
    refused(lambda: load_dataset(path, label="labels"), "no column 'labels'", "label, text, domain")
    refused(lambda: load_dataset(path, labels="label"), "no option 'labels'")
    refused(lambda: load_dataset(written(tmp_path / "d.csv", "text,text,label\na,b,x\nc,d,y\n")), "more than one column named 'text'")
    ragged = written(tmp_path / "ragged.csv", "text,label\ngood,x\nbad\nso, so,y,z\n\nfine,y\n")
    refused(lambda: load_dataset(ragged), "2 columns", "line 3 has 1", "line 4 has 4", "double quotes")
    nested = written(tmp_path / "ragged.jsonl", '{"v": [1, 2]}\n{"v": [1]}\n{"v": [3, 4]}\n')
    (tmp_path / "half.jsonl").write_text('{"text": "a \\ud800 b"}\n{"text": "c"}\n')
    refused(lambda: load_dataset(tmp_path / "half.jsonl"), "half a character")
    refused(lambda: load_dataset(nested), "'v'", "1 of 3 rows (row 1;")
    deep = written(tmp_path / "deep.jsonl", '{"v": [[1, 2], [3, 4]]}\n{"v": [[1, 2], [3, 4]]}\n')
    refused(lambda: load_dataset(deep), "nested lists")
    refused(lambda: load_dataset(written(tmp_path / "b.jsonl", '{"text": "a"}\n{"text": \n')), "line 2")
    refused(lambda: load_dataset(written(tmp_path / "c.jsonl", '{"text": "a"}\n[1, 2]\n')), "line 2", "list")
    refused(lambda: load_dataset(written(tmp_path / "n.csv", "name\nann\nbob\n")), "no column of texts, images or numbers", "name")


def test_too_few_rows_and_classes(tmp_path):
    refused(lambda: load_dataset(written(tmp_path / "one.csv", "text,label\ngood,x\n")), "1 item")
    refused(lambda: load_dataset(written(tmp_path / "head.csv", "text,label\n")), "no rows")
    same = written(tmp_path / "same.csv", "text,label\ngood,x\nbad,x\n")
    refused(lambda: load_dataset(same, label="label"), "all carry the label 'x'")
    guessed = load_dataset(same)
    assert guessed.labels is None and "'label' has one class" in guessed.notes[0]
    lonely = written(tmp_path / "lonely.csv", REVIEWS + "all alone here,bad,phone\n")
    refused(lambda: load_domains(lonely), "phone", "1 item")


# any file


def test_files_that_are_not_what_they_say(tmp_path, monkeypatch):
    refused(lambda: load_dataset(written(tmp_path / "empty.csv", "")), "empty.csv is empty")
    refused(lambda: load_dataset(written(tmp_path / "blank.csv", " \n\n")), "is empty")
    (tmp_path / "picture.csv").write_bytes(png())
    refused(lambda: load_dataset(tmp_path / "picture.csv"), "named .csv but holds a PNG image")
    zipped(tmp_path / "zip.csv", CLASSES)
    refused(lambda: load_dataset(tmp_path / "zip.csv"), "holds a zip archive")
    (tmp_path / "binary.csv").write_bytes(b"a,b\n\0\1\2\3")
    refused(lambda: load_dataset(tmp_path / "binary.csv"), "holds something else")
    for name in ("t.zip", "t.npy", "t.parquet"):
        refused(lambda name=name: load_dataset(written(tmp_path / name, "text,label\na,b\n")), f"named {name[1:]}")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and nothing more")
    refused(lambda: load_dataset(tmp_path / "cut.parquet"), "not a sound parquet")
    refused(lambda: load_dataset(written(tmp_path / "sheet.xlsx", "PK")), "Save the sheet as csv")
    refused(lambda: load_dataset(written(tmp_path / "notes.doc", "hello")), "not read as a dataset", ".parquet")
    refused(lambda: load_dataset(tmp_path / "gone.csv"), "no file", "spelling")
    with open(tmp_path / "huge.csv", "wb") as file:  # sparse: takes no room
        file.truncate(500 * guard.MB)
    refused(lambda: load_dataset(tmp_path / "huge.csv"), "huge.csv has 500 MB", "limit is 200 MB")


def test_code_is_refused(tmp_path):
    for name in ("w.pt", "w.pth", "w.pkl", "w.pt2"):
        refused(lambda name=name: load_dataset(written(tmp_path / name, "anything")), name, "run code")
    (tmp_path / "hidden.npy").write_bytes(pickle.dumps([1, 2, 3]))
    refused(lambda: load_dataset(tmp_path / "hidden.npy"), "pickle")


def test_arrays(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(6, 3)), np.array([0, 1, 0, 1, 0, 1])
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "xy.npz", x=x, y=y, class_names=np.array(["no", "yes"]))
    assert load_dataset(tmp_path / "x.npy").labels is None
    data = load_dataset(tmp_path / "xy.npz")
    assert np.allclose(data.items, x) and data.classes == ("no", "yes") and data.modality == "array"
    pictures = np.zeros((3, 4, 4, 3), np.uint8)
    np.save(tmp_path / "p.npy", pictures)
    assert load_dataset(tmp_path / "p.npy").modality == "image"
    np.save(tmp_path / "deep.npy", np.zeros((2, 3, 4)))
    refused(lambda: load_dataset(tmp_path / "deep.npy"), "(2, 3, 4)")
    np.savez(tmp_path / "short.npz", x=x, y=y[:4])
    refused(lambda: load_dataset(tmp_path / "short.npz"), "6 rows but labels of shape (4,)")
    np.savez(tmp_path / "same.npz", x=x, y=y * 0)
    refused(lambda: load_dataset(tmp_path / "same.npz"), "all carry the label '0'")
    refused(lambda: load_dataset(tmp_path / "xy.npz", label="z"), "no array 'z'", "x, y")
    x[[1, 4], 0] = np.nan, np.inf
    np.savez(tmp_path / "holes.npz", x=x, y=y)
    refused(lambda: load_dataset(tmp_path / "holes.npz"), "2 of 6 rows (rows 1, 4;", "drop_bad_rows=True")
    assert load_dataset(tmp_path / "holes.npz", drop_bad_rows=True).ids == ("0", "2", "3", "5")
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}, None], dtype=object), allow_pickle=True)
    refused(lambda: load_dataset(tmp_path / "objects.npy"), "Python objects", "astype")


def test_arrays_with_lying_headers(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((4, 3)))
    raw = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "long.npy").write_bytes(raw.replace(b"(4, 3), }      ", b"(400000000, 3)}"))
    refused(lambda: load_dataset(tmp_path / "long.npy"), "claims shape (400000000, 3)", "96")
    (tmp_path / "cut.npy").write_bytes(raw[:-8])
    refused(lambda: load_dataset(tmp_path / "cut.npy"), "holds 88")
    (tmp_path / "odd.npy").write_bytes(raw[:20] + b"?" * 20 + raw[40:])
    refused(lambda: load_dataset(tmp_path / "odd.npy"), "header that cannot be read")


# the hub


class FakeHub(types.ModuleType):
    """Stands in for the library `datasets`: one set sorted by class, as they often are."""

    def load_dataset(self, path, config=None, *, split):
        if path != "org/set":
            raise ConnectionError("Couldn't reach the hub")
        if split not in ("train", "hidden"):
            raise ValueError(f'Unknown split "{split}". Should be one of [\'train\'].')
        return FakeTable(range(40), hidden=split == "hidden")


class FakeTable:
    column_names = ("text", "label")
    features = {"text": None, "label": types.SimpleNamespace(names=["bad", "good"])}

    def __init__(self, rows, hidden=False):
        self.rows, self.hidden = list(rows), hidden

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, name):
        return [f"sentence number {i}" if name == "text" else -1 if self.hidden else int(i >= 20) for i in self.rows]

    def shuffle(self, seed):
        return FakeTable(np.random.default_rng(seed).permutation(self.rows))

    def select(self, rows):
        return FakeTable(self.rows[i] for i in rows)


def test_hub(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    refused(lambda: load_dataset("hf:org/set"), "not installed", "pip install datasets")
    monkeypatch.setitem(sys.modules, "datasets", FakeHub("datasets"))
    data = load_dataset("hf:org/set?n=20")
    assert len(data) == 20 and data.classes == ("bad", "good") and 0 < data.labels.sum() < 20 and "20 of 40 items drawn" in data.notes[0]
    assert data.modality == "text" and data.name == "org/set" and load_dataset("hf:org/set?n=20").digest == data.digest
    assert load_dataset("hf:org/set?split=hidden").labels is None  # -1 is how a hub set keeps its labels back
    assert load_dataset(data.source).digest == data.digest
    refused(lambda: load_dataset("hf:org/sett"), "could not be fetched", "online", "spelt")
    refused(lambda: load_dataset("hf:org/set?split=test"), "no split 'test'")
    refused(lambda: load_dataset("hf:org/set?label=stars"), "no column 'stars'", "label")
    refused(lambda: load_dataset("hf:org/set?splitt=test"), "Did you mean split")


def test_first_look_is_light():
    """The catalogue and the module behind it load neither pandas nor anything heavier."""
    import subprocess
    code = "import sys; from analysis.data import catalogue; catalogue(); " \
           "print([m for m in ('pandas', 'pyarrow', 'PIL', 'torch', 'sklearn', 'matplotlib', 'scipy', 'datasets') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]" and catalogue()


def test_every_ending_is_served():
    assert set(files.ENDINGS) == {".zip", ".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".npy", ".npz"}


def test_what_is_no_path(tmp_path):
    for call in (load_dataset, inspect_table, load_domains):
        refused(lambda call=call: call(None), "None is not the path")
        refused(lambda call=call: call("a" * 5000 + ".csv"), "aaa", "is not the path")
        refused(lambda call=call: call(""), "'' is not the path", "it is empty")
        refused(lambda call=call: call("~nobody-of-that-name/x.csv"), "is not the path")


def test_parquet_that_repeats_a_long_text(tmp_path, monkeypatch):
    import pyarrow as pa
    from pyarrow import parquet

    monkeypatch.setattr(tables, "MAX_UNPACKED", 20 * guard.MB)
    long = "x" * 100_000
    for i, column in enumerate((pa.array([long] * 300), pa.array([long] * 300, pa.large_string()),
                                pa.array([long] * 300, pa.string_view()), pa.array([long.encode()] * 300),
                                pa.array([long] * 300).dictionary_encode(), pa.array([{"bytes": long.encode()}] * 300),
                                pa.array([[long]] * 300),
                                pa.array([long.encode()] * 300, pa.binary(100_000)), pa.array([[1.0] * 10_000] * 300))):
        path = tmp_path / f"{i}.parquet"
        parquet.write_table(pa.table({"text": column}), path, compression="zstd")
        assert path.stat().st_size < guard.MB
        before = pa.total_allocated_bytes()
        refused(lambda path=path: inspect_table(path), "unpacks to more than 20 MB")
        assert pa.total_allocated_bytes() - before < 40 * guard.MB
    words = pa.array(["short", "text", None] * 1000)
    parquet.write_table(pa.table({"text": words, "kind": words.dictionary_encode(), "n": pa.array([1, 2, 2] * 1000).dictionary_encode()}),
                        tmp_path / "good.parquet")
    columns = tables.read_table(tmp_path / "good.parquet").columns
    assert columns["text"].tolist() == columns["kind"].tolist() == ["short", "text", None] * 1000 and columns["n"][:3].tolist() == [1, 2, 2]


def test_memory_that_runs_out_is_said(tmp_path, monkeypatch):
    def full(*_):
        raise MemoryError
    monkeypatch.setattr(tables, "_column", full)
    refused(lambda: inspect_table(written(tmp_path / "r.csv", REVIEWS)), "does not fit into memory")


def test_json_lines_of_ever_new_names(tmp_path):
    new = written(tmp_path / "a.jsonl", "".join(f'{{"k{i}": 1}}\n' for i in range(4000)))
    refused(lambda: load_dataset(new), "different names", "Use the same names")
    wide = json.dumps({f"k{i}": 1 for i in range(10_001)})
    refused(lambda: load_dataset(written(tmp_path / "b.jsonl", f"{wide}\n{wide}\n")), "10,001 different names")
    lines = [{"text": f"a thing {i}"} | ({"label": "ab"[i % 2]} if i else {}) for i in range(9)]
    few = written(tmp_path / "c.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    assert tables.read_table(few).columns["label"].tolist() == [None, *"babababa"]
