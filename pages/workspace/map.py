"""Map: what lies near what in a layer, as a picture, and the items behind it."""

import streamlit as st

from analysis.metrics import projection
from pages.parts import chart, extraction, selection, workspace
from pages.parts import map as maps
from pages.parts.messages import count, plain

st.title("Map")
answer = st.container()
at = workspace.current()
stack = maps.stack(at)
if (stack is None or len(stack.sources) < len(at.datasets)) and not extraction.panel(at, key="map-extract") and stack is None:
    answer.markdown("Every item as a point, near to what the model finds alike. For that, the model has to look at the items first.")
    st.stop()

# what is shown

colours, others = maps.colourings(stack), maps.others(stack, at)
layer = at.layer if at.layer in stack.layers else stack.layers[-1]
with st.container(horizontal=True, vertical_alignment="bottom"):
    method = st.segmented_control("Method", ["PCA", "UMAP"], default="PCA", key="map_method", bind="query-params", required=True)
    axes = st.segmented_control("Axes", ["2-D", "3-D"], default="2-D", key="map_axes", bind="query-params", required=True)
    drag = st.segmented_control("Drag to", ["Move", "Lasso", "Box"], default="Move", key="map_drag", bind="query-params", required=True,
                                disabled=axes == "3-D", help="Move and zoom, and click a point; or draw round points to select them.")
    shade = st.selectbox("Colour", list(colours), key="map_colour", bind="query-params", width=210, required=True)
    second = st.selectbox("Beside it", ["Nothing", *others], key="map_beside", bind="query-params", width=210, required=True,
                          help="Another stored representation of the target dataset: same colours, same selection.")
dims, colour = int(axes[0]), colours[shade](layer)
settings = {}
if method == "UMAP":
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = lambda name, low, high, start, step, key: st.number_input(name, low, high, start, step, key=key, bind="query-params", width=150)
        settings = {"n_neighbors": number("Neighbours", 2, 200, 15, 1, "map_neighbours"),
                    "min_dist": number("Least distance", 0.0, 0.99, 0.1, 0.05, "map_distance"), "seed": number("Seed", 0, 10_000, 0, 1, "map_seed")}
if len(stack.layers) > 1:
    st.session_state["map_layer"] = layer
    st.select_slider("Layer", stack.layers, key="map_layer", on_change=lambda: workspace.choose(layer=st.session_state["map_layer"]))

# the picture

pictures = maps.pictures(stack, dims=dims, layer=layer)
picture, reach = pictures[layer], projection.span(pictures.values())
if method == "UMAP":
    laid = maps.umap(stack, layer, dims, key="map-umap", **settings)
    picture, reach = (picture, reach) if laid is None else (laid, None)
answer.markdown(maps.told(stack, layer, picture))

other = maps.beside(stack, others[second]) if second in others else None
look = {"drag": {"Move": "pan", "Lasso": "lasso", "Box": "select"}[drag], "height": 600 if other is None else 520}
left, right = st.columns([7, 2] if other is None else [1, 1], gap="medium")
with left:
    maps.chart(stack, picture, colour, key="map-chart", where=layer, reach=reach, alt=f"{method} of {layer}, {len(stack):,} items by {colour.title}",
               **look)
    shown = " and ".join(f"{count(len(r), 'item')} of {plain(d)}" for r, d in zip(stack.representations, stack.domains, strict=True))
    st.caption(f"{shown}." + (" Points are chosen in 2-D, or by search." if dims == 3 else ""))
if other is not None:
    with right:
        maps.chart_beside(other, second, stack, picture, shade, key="map-beside-chart", **look)
    right = st.container(horizontal=True, vertical_alignment="top")

# the items

with right:
    st.text_input("Find items", key="map_find", type="search", placeholder="id, class or words", width="stretch" if other is None else 260,
                  on_change=lambda: maps.search(stack, st.session_state["map_find"]))
    chosen = stack.rows(selection.current())
    if len(chosen):
        maps.card(stack, int(chosen[0]))
    elif st.session_state["map_find"] and selection.current() is None:
        st.caption("Nothing found.")
maps.selected(stack, layer, key="map")

with st.expander("How to read this map", icon=":material/school:"):
    st.markdown("""
**What it shows.** Each point is an item. A layer describes it by many numbers; the map keeps the two or three directions along which the items differ most
(PCA), so points far apart here really are far apart in the layer. All domains are projected together, and the slider keeps the axes: each layer is scaled
to the same total variance and turned, not bent, to lie as close as possible to the layer before. A tight cloud in the middle means that the picture
carries little of that layer's variance.

**What it hides.** Points that lie together here may be far apart in the directions left out; the axes' share of variance says how much that is. The
sentence above the map and the list of neighbours use all dimensions, so trust them over the picture. UMAP draws neighbourhoods more clearly, but the size of
its groups and the gaps between them mean little, and another seed gives another picture.

**What to try.** Slide from the first layer to the last and watch classes come apart. Colour by domain: do the two domains mix? Lasso the points in the wrong
cloud and look at their pictures. In 3-D, drag to turn.
""")
