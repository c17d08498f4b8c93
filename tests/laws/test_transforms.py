"""The 18 transforms: each does what its definition says, within its range, and leaves alpha to those that move pixels."""

import numpy as np
import pytest
import torch

from analysis.data import digits
from analysis.data.scenes import SIZE, builtin
from analysis.data.transforms import BATCH, FAMILIES, GREY, TRANSFORMS, apply, augment, resize, sound_ranges
from tests.refusal import refused

MOVING = {"scale", "translate", "h-flip", "v-flip", "rotate", "shear", "elastic", "erase"}
STILL = {"scale": {"size": 1}, "translate": 0, "rotate": 0, "shear": 0, "hue": 0, "brightness": 1, "posterize": {"chance": 1, "bits": 8}, "blur": 0,
         "sharpen": {"chance": 1, "factor": 1}, "noise": {"chance": 1, "strength": 0}, "pixelate": {"chance": 1, "size": 1},
         "elastic": {"chance": 1, "strength": 0}, "erase": {"chance": 1, "size": 0}, "contrast": 1,
         **{name: {"chance": 0} for name in ("h-flip", "v-flip", "grayscale", "invert")}}


@pytest.fixture(scope="module")
def cutouts():
    return builtin().cutouts[torch.arange(300) % 61]


@pytest.fixture(scope="module")
def photos():
    return np.random.default_rng(3).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)


def square(n=400, side=20, frame=32, colour=(0.8, 0.4, 0.2)):
    """Opaque squares in the middle of a transparent frame."""
    pictures = torch.zeros(n, 4, frame, frame)
    inside = slice((frame - side) // 2, (frame + side) // 2)
    pictures[:, :3, inside, inside] = torch.tensor(colour)[:, None, None]
    pictures[:, 3, inside, inside] = 1
    return pictures


def seen(pictures):
    return pictures[:, :3] * pictures[:, 3:]


def centres(alpha):
    """Of gravity, in pixels from the centre of the frame: (n, 2) of x and y; and the covariances (n, 2, 2)."""
    at = torch.arange(alpha.shape[-1], dtype=torch.float64) - (alpha.shape[-1] - 1) / 2
    share = alpha.double() / alpha.double().sum((1, 2), keepdim=True)
    y, x = torch.meshgrid(at, at, indexing="ij")
    mean = torch.stack([(share * x).sum((1, 2)), (share * y).sum((1, 2))], 1)
    apart = torch.stack([x - mean[:, 0, None, None], y - mean[:, 1, None, None]], 1)
    return mean, torch.einsum("nihw,njhw,nhw->nij", apart, apart, share)


def test_the_18_by_name_and_family():
    assert len(TRANSFORMS) == 18
    assert {f: sum(t.family == f for t in TRANSFORMS.values()) for f in FAMILIES} == {"geometric": 6, "photometric": 6, "corruption": 6}
    for transform in TRANSFORMS.values():
        assert transform.about.endswith(".") and transform.knobs
        assert all(k.lowest <= k.low <= k.high <= k.highest for k in transform.knobs.values())


@pytest.mark.parametrize("name", TRANSFORMS)
def test_values_stay_in_range_and_alpha_is_respected(name, cutouts):
    kept = cutouts.clone()
    out = apply(cutouts, name, seed=1)
    assert torch.equal(cutouts, kept)  # the caller's stay theirs
    assert out.shape == cutouts.shape and out.min() >= 0 and out.max() <= 1 and out.isfinite().all()
    assert (out != cutouts).any()
    if name not in MOVING:
        assert torch.equal(out[:, 3], cutouts[:, 3])


@pytest.mark.parametrize("name", TRANSFORMS)
def test_an_item_depends_on_the_seed_and_its_place_alone(name, cutouts):
    whole, part = apply(cutouts, name, seed=4), apply(cutouts[:BATCH + 9], name, seed=4)
    assert torch.allclose(seen(whole)[:len(part)], seen(part), atol=1e-5)
    assert torch.equal(whole, apply(cutouts, name, seed=4))
    assert not torch.equal(whole, apply(cutouts, name, seed=5))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_knob_turned_to_nothing_changes_nothing(name, cutouts, photos):
    still = {name: STILL[name]}
    assert np.array_equal(augment(photos, [name], seed=2, knobs=still), photos)
    out = apply(cutouts, name, seed=2, knobs=still)
    assert torch.allclose(out[:, 3], cutouts[:, 3], atol=1e-5)
    assert torch.allclose(seen(out), seen(cutouts), atol=3e-3 if name == "posterize" else 1e-5)


@pytest.mark.parametrize("name", [name for name, t in TRANSFORMS.items() if "chance" in t.knobs])
def test_half_of_the_items_are_changed(name):
    pictures = torch.rand(3000, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    changed = lambda **knobs: (apply(pictures, name, seed=6, knobs={name: knobs} if knobs else None) != pictures).any(3).any(2).any(1).float().mean()
    assert abs(changed() - 0.5) < 0.04
    assert abs(changed(chance=0.2) - 0.2) < 0.04 and changed(chance=1) > 0.99 and changed(chance=0) == 0


# geometric


def test_scale_is_the_share_of_the_side():
    wide = square(side=20)
    area = (apply(wide, "scale", seed=0)[:, 3].sum((1, 2)) / 400) ** 0.5
    assert 0.39 < area.min() < 0.42 and 0.98 < area.max() < 1.02 and abs(area.mean() - 0.7) < 0.03
    half = apply(wide, "scale", seed=0, knobs={"scale": 0.5})
    assert torch.allclose(half[:, 3].sum((1, 2)), torch.tensor(100.0), rtol=0.02)
    assert torch.allclose(half[:, :3, 14:18, 14:18], wide[:, :3, 14:18, 14:18], atol=1e-5)  # colours do not mix with what is transparent
    assert torch.allclose(resize(square(1, side=32), torch.tensor([SIZE]))[:, 3].sum(), torch.tensor((SIZE * 32) ** 2), rtol=0.01)


def test_translate_moves_whole_pixels_and_stays_in_frame(cutouts):
    moved = apply(cutouts, "translate", seed=0)
    assert torch.allclose(moved[:, 3].sum((1, 2)), cutouts[:, 3].sum((1, 2)), atol=1e-3)  # nothing left the frame
    away = centres(moved[:, 3])[0] - centres(cutouts[:, 3])[0]
    assert torch.allclose(away, away.round(), atol=1e-3) and away.abs().max() == pytest.approx(4, abs=1e-3)
    assert len({tuple(a) for a in away.round().int().tolist()}) > 60
    for picture, there, (x, y) in zip(cutouts[:20], moved, away.round().int().tolist(), strict=False):
        assert torch.allclose(torch.roll(picture, (y, x), (1, 2)), there, atol=1e-5)


def test_flips_mirror(cutouts):
    for name, axis in (("h-flip", 3), ("v-flip", 2)):
        assert torch.equal(apply(cutouts, name, seed=0, knobs={name: {"chance": 1}}), cutouts.flip(axis))


def test_rotate_turns_by_the_angle(cutouts):
    quarter = apply(cutouts, "rotate", seed=0, knobs={"rotate": 90})
    assert torch.allclose(quarter, torch.rot90(cutouts, 1, (2, 3)), atol=1e-4)  # anticlockwise
    bar = torch.zeros(500, 4, 32, 32)
    bar[:, :, 14:18, 17:29] = 1  # from the centre to the right
    mean, _ = centres(apply(bar, "rotate", seed=0)[:, 3])
    angle = torch.rad2deg(torch.atan2(-mean[:, 1], mean[:, 0])) % 360
    assert torch.allclose(mean.norm(dim=1), mean.norm(dim=1).mean(), rtol=0.1)
    assert np.histogram(angle, bins=6, range=(0, 360))[0].min() > 50
    mean, _ = centres(apply(bar, "rotate", seed=0, knobs={"rotate": (0, 90)})[:, 3])
    assert (mean[:, 0] > -0.5).all() and (mean[:, 1] < 0.5).all()


def test_shear_slants_both_axes_and_keeps_the_area():
    small = square(side=6)
    out = apply(small, "shear", seed=0)[:, 3]
    assert torch.allclose(out.sum((1, 2)), torch.tensor(36.0), rtol=0.12)
    _, before = centres(small[:, 3])
    _, after = centres(out)
    spread = after.diagonal(dim1=1, dim2=2) / before.diagonal(dim1=1, dim2=2)
    most = 1 + np.tan(np.radians(50)) ** 2  # the variance along one axis, once slanted by the most
    assert spread[:, 1].min() > 0.95 and 0.9 * most < spread[:, 1].max() < 1.15 * most and spread[:, 0].max() > most
    assert (after[:, 0, 1] > 1).any() and (after[:, 0, 1] < -1).any()


# photometric


def test_hue_keeps_the_largest_and_the_smallest_channel(cutouts):
    out = apply(cutouts, "hue", seed=0)
    assert torch.allclose(out[:, :3].amax(1), cutouts[:, :3].amax(1), atol=1e-5) and torch.allclose(out[:, :3].amin(1), cutouts[:, :3].amin(1), atol=1e-5)
    third = apply(cutouts, "hue", seed=0, knobs={"hue": 1 / 3})
    assert torch.allclose(third[:, [1, 2, 0]], cutouts[:, :3], atol=1e-5)  # red becomes green, green blue
    grey = torch.rand(5, 1, 8, 8).expand(-1, 3, -1, -1)
    assert torch.allclose(apply(grey, "hue", seed=0), grey)


def test_brightness_is_one_factor_from_0_to_2():
    pictures = torch.full((500, 3, 4, 4), 0.4)
    factor = apply(pictures, "brightness", seed=0) / pictures
    assert torch.allclose(factor, factor[:, :1, :1, :1]) and factor.min() < 0.03 and 1.97 < factor.max() <= 2 and abs(factor.mean() - 1) < 0.06


def test_grayscale_is_the_luminance(cutouts):
    out = apply(cutouts, "grayscale", seed=0, knobs={"grayscale": {"chance": 1}})
    assert torch.equal(out[:, 0], out[:, 1]) and torch.equal(out[:, 0], out[:, 2])
    shown = cutouts[:, 3] > 0
    assert torch.allclose(out[:, 0][shown], (cutouts[:, :3] * torch.tensor(GREY)[:, None, None]).sum(1)[shown], atol=1e-5)


@pytest.mark.parametrize("bits", [1, 2, 3, 8])
def test_posterize_keeps_the_leading_bits(bits, photos):
    out = augment(photos, ["posterize"], seed=0, knobs={"posterize": {"chance": 1, "bits": bits}})
    assert np.array_equal(out, photos & (256 - (1 << (8 - bits)))) and len(np.unique(out)) == 2**bits


def test_invert_is_the_negative(photos):
    assert np.array_equal(augment(photos, ["invert"], seed=0, knobs={"invert": {"chance": 1}}), 255 - photos)


def test_sharpen_enlarges_differences_to_the_neighbours(photos):
    pictures = torch.from_numpy(photos).permute(0, 3, 1, 2) / 1020 + 0.4
    out = apply(pictures, "sharpen", seed=0, knobs={"sharpen": {"chance": 1, "factor": 2}})
    kernel = torch.ones(3, 1, 3, 3)
    kernel[:, :, 1, 1] = 5
    smooth = torch.nn.functional.conv2d(pictures, kernel / 13, groups=3)
    assert torch.allclose(out[:, :, 1:-1, 1:-1], (2 * pictures[:, :, 1:-1, 1:-1] - smooth).clamp(0, 1), atol=1e-5)


# corruption


def test_blur_reaches_three_pixels_and_keeps_the_sum():
    point = torch.zeros(400, 3, 32, 32)
    point[:, :, 16, 16] = 1
    out = apply(point, "blur", seed=0)
    assert torch.allclose(out.sum((2, 3)), torch.tensor(1.0), atol=1e-4)
    assert out[:, :, 13:20, 13:20].sum((2, 3)).min() > 0.9999 and (out[:, 0, 13] > 0).any()
    width = centres(out[:, 0])[1][:, 0, 0] ** 0.5
    assert width.min() < 0.15 and 1.3 < width.max() < 1.5


def test_noise_is_added_and_clipped_not_wrapped():
    for level in (0.0, 0.5, 1.0):
        pictures = torch.full((200, 3, 16, 16), level)
        added = apply(pictures, "noise", seed=0, knobs={"noise": {"chance": 1}}) - level
        assert added.min() == 0 and added.max() == pytest.approx(1 - level)
        if level == 0:
            assert abs((added == 0).float().mean() - 0.5) < 0.01 and abs((added == 1).float().mean() - 0.1587) < 0.01
            assert abs((added > 0.5).float().mean() - 0.3085) < 0.01


def test_pixelate_shows_ten_pixels_a_side(photos):
    out = augment(photos, ["pixelate"], seed=0, knobs={"pixelate": {"chance": 1}}).astype(int)
    assert (np.abs(np.diff(out, axis=1)).any(axis=(0, 2, 3))).sum() == 9 and (np.abs(np.diff(out, axis=2)).any(axis=(0, 1, 3))).sum() == 9
    assert np.abs(out.mean(axis=(1, 2)) - photos.mean(axis=(1, 2))).max() < 1


def test_elastic_bends_smoothly(cutouts):
    x = torch.arange(32).float().expand(200, 3, 32, 32) / 31  # shows how far each pixel came from
    away = 31 * (apply(x, "elastic", seed=0, knobs={"elastic": {"chance": 1}}) - x)[:, 0, 8:24, 8:24]
    assert 1 < away.std() < 4 and away.abs().max() < 15
    assert away.diff(dim=1).abs().mean() < 0.5  # neighbours go together
    area = apply(cutouts, "elastic", seed=0)[:, 3].sum((1, 2)) / cutouts[:, 3].sum((1, 2))
    assert 0.9 < area.mean() < 1.1


def test_erase_cuts_out_14x14_anywhere():
    out = apply(torch.ones(2000, 4, 32, 32), "erase", seed=0, knobs={"erase": {"chance": 1}})
    gone = out[:, 3] == 0
    rows, columns = gone.any(2), gone.any(1)
    assert (rows.sum(1) == 14).all() and (columns.sum(1) == 14).all() and (gone.sum((1, 2)) == 196).all()
    assert set(rows.int().argmax(1).tolist()) == set(columns.int().argmax(1).tolist()) == set(range(19))
    assert (apply(torch.ones(10, 3, 32, 32), "erase", seed=0, knobs={"erase": {"chance": 1}}).sum((1, 2, 3)) == 3 * (1024 - 196)).all()


def test_contrast_multiplies_the_distance_to_the_mean_of_what_is_seen():
    pictures = square(side=20, colour=(0.5, 0.5, 0.5))
    pictures[:, :3, 6:16, 6:26] += 0.1
    pictures[:, :3, 16:26, 6:26] -= 0.1
    out = apply(pictures, "contrast", seed=0)[:, 0]
    factor = (out[:, 10, 16] - out[:, 20, 16]) / 0.2
    assert torch.allclose((out[:, 10, 16] + out[:, 20, 16]) / 2, torch.tensor(0.5), atol=1e-5)
    assert factor.min() < 0.03 and 1.97 < factor.max() <= 2.0001 and abs(factor.mean() - 1) < 0.07


# any dataset, and what is refused


@pytest.mark.parametrize("shape", [(8, 8), (64, 64), (9, 7), (24, 40)])
def test_pictures_of_any_side_can_be_augmented(shape):
    items = np.random.default_rng(0).integers(0, 256, (150, *shape, 3), dtype=np.uint8)
    for name in TRANSFORMS:
        out = augment(items, [name], seed=0)
        assert out.shape == items.shape and out.dtype == np.uint8 and (out != items).any()
        assert np.array_equal(out[:7], augment(items[:7], [name], seed=0))
    assert augment(items[:0], list(TRANSFORMS), seed=0).shape == (0, *shape, 3)


def test_lengths_are_in_shares_of_the_side():
    small, large = (apply(torch.ones(50, 4, side, side), "erase", seed=0, knobs={"erase": {"chance": 1}})[:, 3] for side in (32, 64))
    assert ((large == 0).sum((1, 2)) == 4 * (small == 0).sum((1, 2))).all()
    shifts = [centres(apply(square(100, side // 2, side), "translate", seed=0)[:, 3])[0] / side for side in (32, 64)]
    assert torch.allclose(*shifts, atol=0.025)


def test_transforms_follow_each_other_in_the_order_given():
    items = digits.make("printed", n=50).items
    both = augment(items, ["rotate", "noise"], seed=3)
    assert np.array_equal(both, augment(items, ["rotate", "noise"], seed=3)) and not np.array_equal(both, augment(items, ["noise", "rotate"], seed=3))
    assert np.array_equal(augment(items, [], seed=3), items)
    edges = augment(np.full((9, 16, 16, 3), 200, np.uint8), ["rotate", "shear", "translate", "scale"], seed=0)
    assert (edges == 200).all()  # no dark corners: beyond a picture its edge goes on


def test_ranges():
    assert sound_ranges({"rotate": (0, 90)}) == {"rotate": {"angle": (0.0, 90.0)}}
    assert sound_ranges({"h-flip": 1, "posterize": {"bits": [2, 4]}}) == {"h-flip": {"chance": (1.0, 1.0)}, "posterize": {"bits": (2.0, 4.0)}}
    assert sound_ranges(None) == sound_ranges({}) == {}
    levels = {len(torch.unique(p)) for p in apply(torch.rand(300, 3, 32, 32), "posterize", seed=0, knobs={"posterize": {"chance": 1, "bits": (2, 4)}})}
    assert levels == {4, 8, 16}


@pytest.mark.parametrize("height, width", [(32, 32), (20, 44)])
@pytest.mark.parametrize("size", [0.3, 1.0, 1.9])
@pytest.mark.parametrize("edge", ["top", "bottom", "left", "right", "middle", "none"])
def test_what_is_scaled_is_the_same_wherever_it_is_seen(height, width, size, edge):
    """Beside a batch in which everything is seen, so that nothing is left out."""
    seen = {"top": (slice(0, 3), slice(None)), "bottom": (slice(-3, None), slice(None)), "left": (slice(None), slice(0, 3)),
            "right": (slice(None), slice(-3, None)), "middle": (slice(9, 12), slice(20, 24)), "none": (slice(0), slice(0))}[edge]
    rng = torch.Generator().manual_seed(0)
    one, every = (torch.rand((1, 4, height, width), generator=rng) for _ in range(2))
    shown = torch.zeros(height, width)
    shown[seen] = 1
    one[:, 3] *= shown
    alone = apply(one, "scale", seed=3, knobs={"scale": size})
    both = apply(torch.cat([one, every]), "scale", seed=3, knobs={"scale": size})[:1]
    premultiplied = lambda x: x[:, :3] * x[:, 3:]
    torch.testing.assert_close(alone[:, 3], both[:, 3], atol=1e-5, rtol=0)
    torch.testing.assert_close(premultiplied(alone), premultiplied(both), atol=1e-5, rtol=0)


@pytest.mark.parametrize("ranges, words", [
    ({"rotat": 1}, ("'rotat'", "Did you mean rotate?")),
    ({"rotate": {"angel": 1}}, ("no knob 'angel'", "It has angle")),
    ({"rotate": (90, 0)}, ("rotate: angle", "from 90 down to 0", "0 to 90")),
    ({"rotate": 400}, ("from -360 to 360",)),
    ({"rotate": "far"}, ("'far'", "a number or a (low, high)")),
    ({"rotate": (0, float("nan"))}, ("nan",)),
    ({"noise": {"chance": (0, 1)}}, ("chance = (0, 1)", "one number")),
    ({"posterize": {"bits": 1.5}}, ("bits = 1.5", "whole number")),
    ([("rotate", 1)], ("no ranges",)),
])
def test_unsound_ranges_are_refused(ranges, words):
    refused(lambda: sound_ranges(ranges), *words)


def test_bad_pictures_names_and_seeds_are_refused(photos):
    refused(lambda: augment(photos.astype(float), ["rotate"], seed=0), "float64", "uint8")
    refused(lambda: augment(photos[..., 0], ["rotate"], seed=0), "(40, 32, 32)")
    refused(lambda: augment(photos, ["spin"], seed=0), "'spin'", "rotate")
    refused(lambda: augment(photos, ["rotate", "rotate"], seed=0), "twice")
    refused(lambda: augment(photos, 5, seed=0), "5", "rotate")
    refused(lambda: augment(photos, ["rotate"], seed=-1), "-1")
    refused(lambda: apply(torch.zeros(2, 1, 8, 8), "rotate", seed=0), "(2, 1, 8, 8)")
