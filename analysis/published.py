"""Figures as published, for overlays: what other people measured, on data and models that are not here. They are never mixed with ours."""

# Gutiérrez & Lobel: Kendall tau-b of each score with the accuracy of 10 ImageNet models, by dataset. The last column is from the authors' notebook, not
# from the poster. LEEP and NCE come from code that its authors describe as buggy.
PERSISTENCE_COLUMNS = ("LEEP", "NCE", "LogME", "NC score", "PR_target", "PR", "ImageNet top-1")
PERSISTENCE = {
    "Aircraft": (0.289, 0.511, 0.36, 0.644, 0.644, 0.556, 0.511),
    "Birdsnap": (0.333, 0.644, 0.467, 0.778, 0.733, 0.689, 0.467),
    "Caltech 101": (0.422, 0.733, 0.584, 0.422, 0.733, 0.689, 0.644),
    "Stanford Cars": (0.424, 0.566, 0.519, 0.801, 0.283, 0.66, 0.613),
    "CIFAR-10": (0.477, 0.159, 0.705, 0.205, 0.341, 0.614, 0.841),
    "CIFAR-100": (0.422, 0.111, 0.629, 0.244, -0.067, 0.644, 0.867),
    "DTD": (0.022, -0.289, 0.494, 0.2, -0.556, 0.689, 0.556),
    "Pets": (0.467, 0.733, 0.511, 0.556, 0.378, 0.556, 0.689),
    "SUN397": (0.449, 0.764, 0.719, 0.315, 0.405, 0.809, 0.854),
}
PERSISTENCE_NULL = 0.248  # standard deviation of tau by chance, with 10 models

# The same: (H_sep, H_tight, PR) of ImageNet models on 4 096 training pictures, 1 000 classes
PERSISTENCE_RATIOS = {
    "inception_v3": (16.576, 10.899, 0.6575),
    "resnet152": (23.572, 17.783, 0.7544),
    "resnet101": (23.513, 18.007, 0.7658),
    "densenet201": (26.827, 20.746, 0.7733),
    "resnet50": (21.833, 16.998, 0.7785),
    "googlenet": (13.085, 10.323, 0.7889),
    "densenet121": (24.253, 19.48, 0.8032),
    "densenet169": (27.588, 22.213, 0.8052),
    "mnasnet1_0": (18.807, 15.563, 0.8275),
    "mobilenet_v2": (22.379, 18.949, 0.8468),
}

# RADAR, arXiv 2605.23028: 100 times the difference of Spearman's correlation to that of the centroid distance; lower is better
RADAR_IMAGES_COLUMNS = ("DomainNet CLIP", "DomainNet DINOv3", "OfficeHome CLIP", "OfficeHome DINOv3", "PACS CLIP", "PACS DINOv3")
RADAR_IMAGES = {
    "LEEP": (-8.63, 3.44, -4.52, 3.92, -14.64, -33.67),
    "H-score": (0.92, 19.13, 8.77, 21.98, -10.28, -50.29),
    "reg. H-score": (6.03, 17.11, 8.13, 26.95, -12.11, -48.89),
    "LogME": (12.17, 19.9, -4.41, 18.67, -9.96, -72.08),
    "NCE": (-4.88, 4.15, -7.2, 3.93, -13.61, -33.89),
    "TransRate": (2.29, 12.71, -11.78, -3.12, -25.45, -27.38),
    "S-OTDD": (27.01, 21.31, 10.88, -24.69, -23.92, -37.5),
    "RADAR": (-9.71, -9.87, -16.62, 3.55, -0.27, -30.23),
}
RADAR_TEXTS_COLUMNS = ("EuroEval Qwen3-Emb", "EuroEval EmbGemma", "Amazon Qwen3-Emb", "Amazon EmbGemma")
RADAR_TEXTS = {
    "LEEP": (-3.58, 3.94, 1.76, 1.91),
    "H-score": (9.27, 11.75, -6.84, 3.35),
    "reg. H-score": (6.13, 10.45, -6.91, 3.35),
    "LogME": (22.93, 20.82, 22.57, 20.91),
    "NCE": (-0.02, 1.88, -7.6, 5.71),
    "TransRate": (3.12, 4.1, 12.47, 19.48),
    "S-OTDD": (6.19, 18.71, 15.63, 19.69),
    "RADAR": (-7.13, -30.58, 3.21, 1.23),
}


# The role of invariance, arXiv 2407.04325, from the authors' executed notebooks. Their accuracies pool training, validation and test items; ours never do.
# Importance: set-up -> what varies -> (spread within disjoint transforms, same less disjoint, spread within the same transforms)
INVARIANCE_IMPORTANCE = {
    "Transforms-2D, linear probe": {
        "class relation": (0.15, 0.12, 0.05), "architecture": (0.07, 0.12, 0.02), "pretraining samples": (0.03, 0.15, 0.04)},
    "Transforms-2D, fine-tuning on 200": {
        "class relation": (0.17, 0.14, 0.13), "architecture": (0.04, 0.15, 0.03), "pretraining samples": (0.31, 0.14, 0.3)},
    "Transforms-2D, fine-tuning on 2 000": {
        "class relation": (0.04, 0.04, 0.02), "architecture": (0.05, 0.03, 0.01), "pretraining samples": (0.06, 0.04, 0.07)},
    "CIFAR-10, linear probe": {
        "class relation": (0.17, 0.19, 0.31), "architecture": (0.19, 0.12, 0.19), "pretraining samples": (0.13, 0.06, 0.23)},
    "CIFAR-100, linear probe": {
        "class relation": (0.11, 0.33, 0.38), "architecture": (0.11, 0.19, 0.21), "pretraining samples": (0.13, 0.14, 0.27)},
}
# Sensitivity of the penultimate layer: network -> trained with (the same transform, another, none) -> on each kind of data
INVARIANCE_CARRIED_DATA = ("same objects", "new objects", "noise", "CIFAR-10", "CIFAR-100")
INVARIANCE_CARRIED = {
    "ResNet-18": {"same": (0.12, 0.21, 0.56, 0.37, 0.35), "other": (0.4, 0.41, 0.69, 0.51, 0.5), "none": (0.39, 0.42, 0.69, 0.48, 0.48)},
    "DenseNet-121": {"same": (0.16, 0.24, 0.67, 0.42, 0.4), "other": (0.39, 0.4, 0.73, 0.5, 0.48), "none": (0.39, 0.41, 0.74, 0.5, 0.48)},
    "VGG-11": {"same": (0.12, 0.19, 0.66, 0.34, 0.33), "other": (0.39, 0.39, 0.75, 0.5, 0.49), "none": (0.38, 0.39, 0.78, 0.51, 0.49)},
    "ViT": {"same": (0.22, 0.26, 0.52, 0.36, 0.33), "other": (0.41, 0.41, 0.64, 0.48, 0.46), "none": (0.43, 0.42, 0.65, 0.48, 0.47)},
}
# Harm, CIFAR-10 with an irrelevant object: trained -> (transfer accuracy to the picture, both -> picture, both -> object, the object), (sensitivity to the
# picture, to the object)
INVARIANCE_HARM = {
    "picture → picture": ((0.98, 0.95, 0.8, 1.0), (0.99, 0.21)),
    "both → picture": ((0.98, 0.98, 0.53, 1.0), (1.0, 0.08)),
    "both → object": ((0.31, 0.24, 1.0, 1.0), (0.11, 0.99)),
    "object → object": ((0.36, 0.35, 0.85, 1.0), (0.98, 0.19)),
}
# Mismatch, ResNet-18: accuracy under all 8 transforms after pretraining under the first 1, 2, ... 8 of them; read off a plot, give or take INVARIANCE_READ
INVARIANCE_MISMATCH = (0.27, 0.28, 0.37, 0.52, 0.62, 0.8, 0.87, 0.98)
INVARIANCE_READ = 0.02
INVARIANCE_OTHERS = "published figures are of other data and larger networks"
INVARIANCE_POOLED = f"{INVARIANCE_OTHERS}, and their accuracies pool training, validation and test items; ours are of clean held-out items"


NOTES = {
    "Persistence Ratio: tau-b over 10 ImageNet models": "LEEP and NCE come from code that its authors describe as buggy. “ImageNet top-1” is from the authors' "
                                                        "notebook, not from the poster. “NC score” is not defined anywhere within reach.",
    "RADAR: MCI on images": "100 times the difference of Spearman's correlation to that of the centroid distance: lower is better.",
    "RADAR: MCI on texts": "100 times the difference of Spearman's correlation to that of the centroid distance: lower is better."}


def tables() -> dict[str, dict]:
    """By name: what the figure of a published table is drawn from."""
    return {
        "Persistence Ratio: tau-b over 10 ImageNet models": _table(
            "Kendall tau-b over 10 ImageNet models (Gutiérrez & Lobel)", "τ-b", PERSISTENCE_COLUMNS, tuple(PERSISTENCE),
            zip(*PERSISTENCE.values(), strict=True), 1, PERSISTENCE_NULL),
        "RADAR: MCI on images": _table("MCI on images (RADAR)", "MCI", tuple(RADAR_IMAGES), RADAR_IMAGES_COLUMNS, RADAR_IMAGES.values(), -1),
        "RADAR: MCI on texts": _table("MCI on texts (RADAR)", "MCI", tuple(RADAR_TEXTS), RADAR_TEXTS_COLUMNS, RADAR_TEXTS.values(), -1)}


def _table(title: str, unit: str, methods: tuple, columns: tuple, values, better: int, null_sd: float | None = None) -> dict:
    return {"title": title, "unit": unit, "methods": methods, "columns": columns, "values": [tuple(row) for row in values], "better": better,
            "null_sd": null_sd}
