"""Scenes: 61 things that differ, pairs that differ in the transforms' draw alone, and zips that are read or refused."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from analysis.data import digits, load_dataset, scenes
from analysis.data.objects import VARIANTS
from analysis.data.scenes import Scenes, builtin, does_nothing, draw, from_zip, pairs, pairs_of
from analysis.data.transforms import TRANSFORMS
from tests.refusal import refused


def png(colour=(255, 0, 0, 255), size=(20, 12), around=10, mode="RGBA", kind="PNG") -> bytes:
    """A box of one colour in a transparent frame."""
    frame = Image.new("RGBA", (size[0] + 2 * around, size[1] + 2 * around))
    frame.paste(colour, (around, around, around + size[0], around + size[1]))
    file = io.BytesIO()
    frame.convert(mode).save(file, kind)
    return file.getvalue()


def zipped(path, entries):
    with zipfile.ZipFile(path, "w") as archive:
        for name, raw in entries:
            archive.writestr(name, raw)
    return path


RED, BLUE = ("things/red.png", png()), ("things/blue.png", png((0, 0, 255, 255), (12, 20)))


# what is built in


def test_61_objects_that_differ():
    built = builtin()
    assert len(built.objects) == len(set(built.classes)) == 61 and all(name.strip() == name and name for name in built.classes)
    alpha = built.objects[..., 3] / 255
    assert (alpha.max(axis=(1, 2)) == 1).all() and (alpha.min(axis=(1, 2)) == 0).all()
    assert alpha.mean(axis=(1, 2)).min() > 0.12  # nothing too thin to be seen
    shown = (built.objects[..., :3] * alpha[..., None] + 128 * (1 - alpha[..., None])).reshape(61, -1)
    apart = np.sqrt(((shown[:, None] - shown) ** 2).mean(axis=2))
    assert apart[np.triu_indices(61, 1)].min() > 20  # in levels of 255
    grey = built.objects[..., :3].astype(int)
    colour = ((grey.max(axis=3) - grey.min(axis=3)) * alpha).sum(axis=(1, 2)) / alpha.sum(axis=(1, 2))
    assert np.median(colour) > 80  # a hue that can be turned


def test_objects_can_be_told_apart_at_the_size_they_have_in_scenes():
    """On backgrounds of all kinds the nearest of other scenes mostly shows the same object."""
    items, labels = draw(builtin(), n=61 * 20, transforms=())
    centre = items[:, 6:26, 6:26].reshape(len(items), -1).astype(np.float32)
    centre -= centre.mean(axis=1, keepdims=True)
    near = (centre**2).sum(axis=1)[:, None] + (centre**2).sum(axis=1) - 2 * centre @ centre.T
    np.fill_diagonal(near, np.inf)
    assert (labels[near.argmin(axis=1)] == labels).mean() > 0.6


def test_867_backgrounds_that_differ():
    grounds = builtin().backgrounds
    assert grounds.shape == (867, 32, 32, 3) and len({g.tobytes() for g in grounds}) == 867 == 17 * VARIANTS
    assert grounds.nbytes < 3_000_000
    spread = grounds.astype(float).std(axis=(1, 2)).max(axis=1)
    assert (spread > 3).mean() > 0.99  # none is flat
    assert grounds.mean(axis=(1, 2, 3)).std() > 25 and 80 < grounds.mean() < 160


def test_what_is_built_in_is_kept_and_read_only():
    assert builtin() is builtin() and builtin().digest == Scenes(builtin().objects, builtin().backgrounds, builtin().classes).digest
    assert builtin().digest != Scenes(builtin().objects[:5], builtin().backgrounds, builtin().classes[:5]).digest
    with pytest.raises(ValueError, match="read-only"):
        builtin().objects[0] = 0


# draws and pairs


def test_pairs_without_transforms_are_equal_bit_for_bit():
    a, b, labels = pairs(builtin(), transforms=(), n=500, seed=3)
    assert a.dtype == np.uint8 and a.shape == (500, 32, 32, 3) and labels.dtype == np.int64
    assert np.array_equal(a, b) and does_nothing(a, b) == 1


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_second_draw_changes_the_transform_alone(name):
    plain, labels = draw(builtin(), n=300, seed=5)
    a, b, same = pairs(builtin(), transforms=[name], n=300, seed=5)
    assert np.array_equal(labels, same) and (a != b).any() and (a != plain).any()
    lower = draw(builtin(), n=300, transforms=[name], seed=5, draw=1)[0]
    assert np.array_equal(lower[:, :3, :3], plain[:, :3, :3]) or name in ("translate", "rotate", "shear", "elastic")  # the background stays
    assert does_nothing(a, b) < 0.7


def test_background_shows_through_where_there_is_no_object():
    built, hidden = builtin(), {"scale": 0.2}
    plain, small = draw(built, n=200)[0], draw(built, n=200, transforms=["scale"], knobs=hidden)[0]
    rim = np.ones((32, 32), bool)
    rim[13:19, 13:19] = False
    nothing = Scenes(built.objects * np.uint8([1, 1, 1, 0]), built.backgrounds, built.classes)
    grounds = draw(nothing, n=200)[0]
    assert set(map(bytes, grounds)) <= set(map(bytes, built.backgrounds)) and len(set(map(bytes, grounds))) > 150
    assert np.array_equal(small[:, rim], grounds[:, rim]) and (small != grounds).any(axis=(1, 2, 3)).all() and (plain != small).any(axis=(1, 2, 3)).all()
    assert np.array_equal(draw(nothing, n=50, transforms=list(TRANSFORMS))[0], grounds[:50])


def test_an_item_is_the_same_whatever_the_number():
    for names in ((), ("rotate", "noise", "elastic"), tuple(TRANSFORMS)):
        many, labels = draw(builtin(), n=300, transforms=names, seed=2, draw=9)
        few, first = draw(builtin(), n=141, transforms=names, seed=2, draw=9)
        assert np.array_equal(many[:141], few) and np.array_equal(labels[:141], first)
    assert not np.array_equal(draw(builtin(), n=141, seed=3)[1], first)


def test_each_round_shows_every_class_once():
    _, labels = draw(builtin(), n=61 * 3)
    assert all(set(part) == set(range(61)) for part in labels.reshape(3, 61)) and (labels[:61] != labels[61:122]).any()
    _, some = draw(builtin(), n=10, classes=[7, 3])
    assert set(some.tolist()) == {3, 7} and (some == 7).sum() == 5


def test_pairs_of_a_datasets_own_pictures():
    items = digits.make("printed", n=100).items
    a, b, rows = pairs_of(items, transforms=["rotate"], n=40, seed=1)
    assert len(a) == len(b) == len(set(rows.tolist())) == 40 and (a != b).any()
    still, again, all_rows = pairs_of(items, transforms=[], n=400, seed=1)
    assert np.array_equal(still, again) and np.array_equal(still, items[all_rows]) and sorted(all_rows) == list(range(100))
    grey = pairs_of(items, transforms=["hue", "grayscale"], n=50, seed=1)
    assert does_nothing(*grey[:2]) == 1  # these have no colour
    other = pairs_of(items, transforms=["rotate"], n=40, seed=2)
    assert not np.array_equal(rows, other[2])


def test_scenes_as_datasets():
    plain, turned = load_dataset("builtin:transforms2d/none", n=130), load_dataset("builtin:transforms2d/rotate?n=130")
    assert plain.ids == turned.ids and np.array_equal(plain.labels, turned.labels) and plain.classes == builtin().classes
    assert plain.domain == "none" and turned.domain == "rotate" and turned.source == "builtin:transforms2d/rotate?n=130"
    assert (plain.items != turned.items).any(axis=(1, 2, 3)).mean() > 0.9
    assert not np.array_equal(load_dataset("builtin:transforms2d/rotate?n=130&draw=1").items, turned.items)
    assert load_dataset("builtin:transforms2d/all?n=130&seed=1").ids[0] != plain.ids[0]
    refused(lambda: load_dataset("builtin:transforms2d/rotat"), "rotate")
    refused(lambda: load_dataset("builtin:transforms2d/rotate?spread=1"), "no option 'spread'")


def test_bad_requests_are_refused():
    built = builtin()
    refused(lambda: draw(built, n=0), "0 items")
    refused(lambda: draw(built, n=2.5), "2.5")
    refused(lambda: draw(built, n=5, seed=-1), "-1")
    refused(lambda: draw(built, n=5, classes=[61]), "0 to 60")
    refused(lambda: draw(built, n=5, classes=[]), "[]")
    refused(lambda: draw(built, n=5, classes=[1, 1]), "different")
    refused(lambda: draw(built, n=5, transforms=["spin"]), "'spin'")
    refused(lambda: pairs(built, transforms=["rotate"], n=5, seed=None), "None")
    refused(lambda: scenes.make("spin"), "'spin'", "rotate")
    refused(lambda: Scenes(built.objects[:1], built.backgrounds, ("one",)), "1 objects", "two or more")
    refused(lambda: Scenes(built.objects[:2], built.backgrounds, ("one", "one")), "name of its own")
    refused(lambda: Scenes(built.objects[..., :3], built.backgrounds, built.classes), "(61, 32, 32, 3)")
    refused(lambda: pairs_of(("a", "b"), transforms=["rotate"], n=2), "no pictures")


# zips


def test_a_zip_of_cutouts(tmp_path):
    path = zipped(tmp_path / "mine.zip", [RED, BLUE, ("things/readme.txt", b"hello"), ("__MACOSX/things/._red.png", b"x")])
    mine = from_zip(path)
    assert mine.classes == ("red", "blue") and mine.name == "mine" and mine.backgrounds is builtin().backgrounds
    red, blue = mine.objects
    assert (red[16, 16] == [255, 0, 0, 255]).all() and (blue[16, 16] == [0, 0, 255, 255]).all()
    wide = lambda picture: ((picture[..., 3] > 127).any(axis=0).sum(), (picture[..., 3] > 127).any(axis=1).sum())
    assert wide(red) == (32, 19) and wide(blue) == (19, 32)  # trimmed, and as large as fits
    given = from_zip(path.read_bytes(), "mine.zip")
    assert given.digest == mine.digest and given.name == "mine"
    items, labels = draw(mine, n=6, transforms=["rotate"])
    assert items.shape == (6, 32, 32, 3) and set(labels.tolist()) == {0, 1}


def test_a_zip_with_backgrounds_and_folders_for_classes(tmp_path):
    ground = io.BytesIO()
    Image.new("RGB", (90, 40), (1, 2, 3)).save(ground, "JPEG", quality=100)
    entries = [("set/cat/1.png", png()), ("set/dog/1.png", png((0, 9, 0, 255))), ("set/Backgrounds/x.jpg", ground.getvalue())]
    mine = from_zip(zipped(tmp_path / "a.zip", entries))
    assert mine.classes == ("cat", "dog") and mine.backgrounds.shape == (1, 32, 32, 3) and np.abs(mine.backgrounds.astype(int) - [1, 2, 3]).max() <= 3
    palette = from_zip(zipped(tmp_path / "b.zip", [("a.png", png(mode="LA")), ("b.png", png((0, 0, 0, 255)))]))
    assert palette.classes == ("a", "b")


@pytest.mark.parametrize("entries, words", [
    ([RED, ("things/flat.png", png(mode="RGB"))], ("1 of 2 pictures", "things/flat.png", "no alpha channel")),
    ([RED, ("things/photo.jpg", png(mode="RGB", kind="JPEG"))], ("photo.jpg", "no alpha channel")),
    ([RED, ("things/full.png", png(around=0))], ("full.png", "opaque everywhere")),
    ([RED, ("things/empty.png", png((0, 0, 0, 0)))], ("empty.png", "transparent everywhere")),
    ([RED, ("things/bad.png", b"no picture")], ("bad.png", "not an image")),
    ([RED, ("things/cut.png", png(size=(300, 300))[:-400])], ("cut.png",)),
    ([RED], ("1 cut-out outside", "two or more")),
    ([RED, ("backgrounds/x.png", png(mode="RGB"))], ("1 cut-out outside", "two or more")),
    ([RED, BLUE, ("backgrounds/x.png", b"x")], ("backgrounds/x.png", "not an image")),
    ([("readme.txt", b"x")], ("0 cut-outs",)),
    ([("cat/1.png", png()), ("cat/2.png", png()), ("dog/1.png", png())], ("called '1'", "folder of its own")),
    ([("../red.png", png()), BLUE], ("leads out of its folder",)),
])
def test_zips_that_are_refused(tmp_path, entries, words):
    refused(lambda: from_zip(zipped(tmp_path / "bad.zip", entries)), "bad.zip", *words)


def test_what_is_no_zip_is_refused(tmp_path, monkeypatch):
    refused(lambda: from_zip(png(), "cat.png"), "cat.zip", "holds a PNG image")
    refused(lambda: from_zip(b"", "x.zip"), "empty")
    refused(lambda: from_zip(tmp_path / "none.zip"), "no file")
    (tmp_path / "cat.png").write_bytes(png())
    refused(lambda: from_zip(tmp_path / "cat.png"), "not a zip")
    monkeypatch.setattr(scenes, "MAX_CUTOUTS", 1)
    refused(lambda: from_zip(zipped(tmp_path / "many.zip", [RED, BLUE])), "2 cut-outs", "limit is 1")
