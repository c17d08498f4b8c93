"""Map: what lies near what in a layer, as a picture, and the items behind it."""

import streamlit as st

from analysis.metrics import projection
from pages.parts import docs, extraction, items, selection, workspace
from pages.parts import map as maps
from pages.parts.messages import count, plain
from pages.parts.stack import beside, left_out, others, stack

st.title("Map")
answer = st.container()
at = workspace.current()
here = stack(at)
odd = left_out(at, here) if here else []
if (here is None or len(here.sources) + len(odd) < len(at.datasets)) and not extraction.panel(at, key="map-extract") and here is None:
    answer.markdown("Every item as a point, near to what the model finds alike. For that, the model has to look at the items first.")
    st.stop()
here = here or stack(at)  # it may have come while the panel was drawn

for source in odd:
    st.warning(f"{plain(workspace.label(source))} is not drawn: its items are of another width than the target's in every layer.",
               icon=":material/visibility_off:")

# what is shown

colours, stored = maps.colourings(here), others(here, at)
layer = at.layer if at.layer in here.layers else here.layers[-1]
with st.container(horizontal=True, vertical_alignment="bottom"):
    method = st.segmented_control("Method", ["PCA", "UMAP"], default="PCA", key="map_method", bind="query-params", required=True)
    axes = st.segmented_control("Axes", ["2-D", "3-D"], default="2-D", key="map_axes", bind="query-params", required=True)
    drag = st.segmented_control("Drag to", ["Move", "Lasso", "Box"], default="Move", key="map_drag", bind="query-params", required=True,
                                disabled=axes == "3-D", help="Move and zoom, and click a point; or draw round points to select them.")
    shade = st.selectbox("Colour", list(colours), key="map_colour", bind="query-params", width=155)
    second = st.selectbox("Compare with", ["Nothing", *stored], key="map_beside", bind="query-params", width=155,
                          help="Another model on the same target, drawn beside: same colours, same selection. "
                               "It is listed here once it is stored: choose it in the sidebar and extract it.")
    other = beside(here, stored[second]) if second in stored else None
if second in stored and other is None:
    st.caption(f":material/info: {plain(second)} is of other items than the target: it cannot be drawn beside it.")
settings = {}
if method == "UMAP":
    with st.container(horizontal=True):
        settings["n_neighbors"] = st.number_input("Neighbours", 2, 200, 15, key="map_neighbours", bind="query-params", width=150)
        settings["min_dist"] = st.number_input("Minimum distance", 0.0, 0.99, 0.1, 0.05, key="map_distance", bind="query-params", width=150)
        settings["seed"] = st.number_input("Seed", 0, 10_000, 0, key="map_seed", bind="query-params", width=150)
if len(here.layers) > 1:
    st.session_state["map_layer"] = layer  # the sidebar's layer, to slide through
    st.select_slider("Layer", here.layers, key="map_layer", on_change=lambda: workspace.choose(layer=st.session_state["map_layer"]))

# the picture

dims, colour = int(axes[0]), colours[shade](layer)
pictures = maps.pictures(here, dims=dims, layer=layer)
picture, bounds = pictures[layer], projection.bounds(pictures.values())
laid = maps.umap(here, layer, dims, key="map-umap", **settings) if method == "UMAP" else None
if laid is not None:
    picture, bounds = laid, None
said, how = maps.told(here, layer, picture)
answer.markdown(said)
answer.caption(how)

look = {"drag": {"Move": "pan", "Lasso": "lasso", "Box": "select"}[drag], "height": 520}
left, right = st.columns([7, 2] if other is None else [1, 1], gap="medium")
with left:
    if other is not None:
        with st.container(horizontal=True, vertical_alignment="center", height=38, border=False):
            st.markdown(f"**{plain(workspace.label(at.model))}**, {plain(layer)}")
    maps.chart(here, picture, colour, key="map-chart", where=layer, bounds=bounds, **look,
               alt=f"{method} of {layer}: {len(here):,} items, coloured by {colour.title}")
    shown = " and ".join(f"{count(len(r), 'item')} of {plain(d)}" for r, d in zip(here.representations, here.domains, strict=True))
    alone = " This layer has axes of its own: all layers together are too many numbers to align here." if len(pictures) < len(here.layers) else ""
    heads = here.representations[0].heads
    if shade in ("Prediction", "Confidence") and heads:
        st.caption(f"The model's head knows {len(heads)} classes, {plain(heads[0])} to {plain(heads[-1])}: those it was trained on, not those of the dataset.")
    st.caption(f"{shown}.{' Points are chosen in 2-D, or by search.' if dims == 3 else ''}{alone}")
if other is not None:
    with right:
        same = other.layers.index(layer) if layer in other.layers else len(other.layers) - 1
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(second)}**,", width="content")
            its_layer = st.selectbox("Its layer", other.layers, same, key=f"map_beside_layer-{layer}", width=130, label_visibility="collapsed")
        maps.chart_beside(other, second, its_layer, picture, shade, key="map-beside-chart", **look)
    right = st.container(horizontal=True)

# the items

with right:
    st.text_input("Find items", key="map_find", type="search", placeholder="id, class or words", width="stretch" if other is None else 260,
                  on_change=lambda: items.search(here, st.session_state["map_find"]))
    chosen = here.rows(selection.current())
    if len(chosen):
        items.card(here, int(chosen[0]))
    elif st.session_state["map_find"] and selection.current() is None:
        st.caption("Nothing found.")
    else:
        st.caption("Click a point, or drag a lasso round some: they are shown here and below.")
items.selected(here, layer, key="map")

with st.expander("How to read this map", icon=":material/school:"):
    st.markdown("""
**What it shows.** Each point is an item, which a layer describes by many numbers. PCA keeps the two or three directions along which the
items differ most, so points far apart here are far apart in the layer. All domains share one projection. The slider keeps the axes: each
layer's picture is scaled to the same spread, and turned, not bent, to lie as close as possible to the layer before.

**What it hides.** Points that lie together here may be far apart in the directions left out; the axes' share of the variance says how much
that is. The sentence above the map and the lists of neighbours use all dimensions: trust them over the picture. UMAP draws neighbourhoods
more clearly, but the size of its groups and the gaps between them mean little, and another seed draws another picture.

**What to try.** Slide from the first layer to the last and watch the classes come apart. Colour by domain: do the domains mix? Lasso the
points in the wrong cloud and look at their pictures.
""")
    docs.link("map")
