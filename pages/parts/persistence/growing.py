"""The filtration, to go through by hand or to play: as the radius grows, points join and clusters merge."""

import numpy as np
import streamlit as st

from analysis.figures import filtration
from pages.parts import chart as charts
from pages.parts import map as maps
from pages.parts.messages import count
from pages.parts.persistence.cloud import Cloud

STEP = 2  # per cent of the longest bar


def draw(cloud: Cloud, k: int) -> None:
    if cloud.tree.n < 2 or not cloud.tree.lengths[-1] > 0:
        st.info("All items lie at one place: nothing can grow together.", icon=":material/info:")
        return
    shares = np.arange(0, 100 + STEP, STEP)
    radii = shares / 100 * float(cloud.tree.lengths[-1])
    share = st.slider("Radius up to which points are joined, in per cent of the longest H0 bar", 0, 100, 50, STEP, key="persistence_radius",
                      bind="query-params", format="%d %%")
    at = int(np.searchsorted(shares, share))
    st.markdown(told(cloud, float(radii[at])))
    picture = maps.pictures(cloud.stack, dims=2, layer=cloud.layer)[cloud.layer]
    made = filtration.growing(picture, cloud.tree, rows=cloud.rows, radii=radii, at=at, extent=1.03 * radii[-1],
                              hover=maps.hover(cloud.stack), separation=0 if cloud.ratio(k).reason else k - 1)
    charts.show(made, alt=f"Map of {cloud.layer} beside the barcode of H0, at radius {radii[at]:.3g}", key="persistence-growing")
    if made.layout.meta and made.layout.meta.get("note"):
        st.caption(f":material/filter_alt: {made.layout.meta['note']}.")
    st.caption("Play lets the radius grow from the one shown. Each time two pieces meet, one bar ends: that is all that H0 records. "
               "The picture has two dimensions, the distances are those of all dimensions: points may join that look far apart here.")


def told(cloud: Cloud, radius: float) -> str:
    joined = cloud.tree.cut(radius)
    sizes = np.bincount(cloud.tree.components(joined))
    alone = int((sizes == 1).sum())
    return (f"At radius **{radius:.3g}** there {'is' if len(sizes) == 1 else 'are'} **{count(len(sizes), 'piece')}**: the largest holds "
            f"{count(int(sizes[0]), 'item')}, {count(alone, 'item')} {'is' if alone == 1 else 'are'} still alone.")
