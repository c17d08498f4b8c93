"""What the page shows, noted while it is drawn: what lies where on it, and which studies it stands on.

Streamlit has no call that tells what a page shows, so its messages to the browser are noted in passing: a reference each, by their place on the page.
A fragment that is drawn again writes to its own places, so the note stays true. This is the one file that knows those messages.
"""

import re
import time
import uuid
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import streamlit as st
from streamlit.proto.Block_pb2 import Block as BlockProto
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext

MAIN = 0  # the first step of a place: the page itself, not the sidebar
KEY = "_record"
REST, PATIENCE = 0.2, 3.0  # seconds after which nothing more of a fragment comes, and for which that is waited for
APART = "report-opened"  # the key of a container that says something about the page, and is no part of it


_shown: WeakValueDictionary = WeakValueDictionary()  # token of a session -> its record


@dataclass
class Block:
    """A container, with what lies in it by place."""

    proto: BlockProto | None = None
    children: dict = field(default_factory=dict)

    def place(self, path: list[int], what) -> None:
        """Replaces what was there, and all that was in it."""
        here = self
        for step in path[:-1]:
            inner = here.children.get(step)
            if not isinstance(inner, Block):
                inner = here.children[step] = Block()
            here = inner
        here.children[path[-1]] = what

    def __iter__(self):
        """Top to bottom."""
        found = (self.children[step] for step in sorted(self.children))
        return (one for one in found if not (isinstance(one, Block) and one.proto is not None and one.proto.id.endswith(f"-{APART}")))


@dataclass
class Record:
    """Of one page in one session, as it is shown now."""

    title: str
    page: str
    workspace: object  # None where the page stands apart from it
    file: str = ""  # what a saved report is called, without its ending
    token: str = ""  # of the session: who has it may ask for what it shows
    query: str = ""  # of the address
    touched: float = 0.0  # when something was last drawn, by `time.monotonic`
    root: Block = field(default_factory=Block)
    studies: dict = field(default_factory=dict)  # key -> (unit, inputs, options)
    tables: dict = field(default_factory=dict)  # key of a chart -> its numbers


def begin(title: str, page: str, workspace) -> Record:
    """A new one for this run of the page."""
    token = st.session_state.setdefault("_token", uuid.uuid4().hex)
    st.session_state["_shown"] = _shown.get(token)  # kept until this one is drawn
    found = st.session_state[KEY] = Record(title, page, workspace, f"sextant-{page or 'load'}", token)
    return found


def end(noted: Record) -> None:
    """The page is drawn: this is what the server now gives away as its report, as long as the session lasts."""
    _shown[noted.token] = noted
    st.session_state.pop("_shown", None)


def shown(token: str, page: str) -> Record | None:
    """The page of the session with this token, as it was last drawn in full; where a fragment of it is being drawn again, the caller waits until it is."""
    found = _shown.get(token)
    if found is None or (found.page or "load") != page:
        return None
    patience = time.monotonic() + PATIENCE
    while time.monotonic() < min(found.touched + REST, patience):
        time.sleep(REST / 4)
    return found


def current() -> Record | None:
    return st.session_state.get(KEY)


def title(text: str, file: str) -> None:
    """What a report of the page is called, and its file, without an ending."""
    if (here := current()) is not None:
        here.title, here.file = text, re.sub(r"[^A-Za-z0-9._-]+", "-", file)


def apart() -> None:
    """The page does not use the workspace: what the sidebar names is no input of its report."""
    if (here := current()) is not None:
        here.workspace = None


def study(unit, inputs: dict, options: dict, *, key: str) -> None:
    """What the page asked for under this key."""
    if (here := current()) is not None:
        here.studies[key] = unit, inputs, options


def table(frame, *, key: str) -> None:
    """The numbers under the chart of this key."""
    if (here := current()) is not None:
        here.tables[key] = frame


def _note(context: ScriptRunContext, message: ForwardMsg) -> None:
    if message.WhichOneof("type") != "delta" or KEY not in context.session_state:
        return
    here, path, delta = context.session_state[KEY], list(message.metadata.delta_path), message.delta
    here.query, here.touched = context.query_string, time.monotonic()
    if len(path) > 1 and path[0] == MAIN:
        kind = delta.WhichOneof("type")
        if kind == "add_block":
            here.root.place(path[1:], Block(delta.add_block))
        elif kind == "new_element":
            here.root.place(path[1:], delta.new_element)


def _listening(send):
    def enqueue(context: ScriptRunContext, message: ForwardMsg) -> None:
        send(context, message)
        _note(context, message)
    enqueue.noted = True
    return enqueue


if not hasattr(ScriptRunContext.enqueue, "noted"):
    ScriptRunContext.enqueue = _listening(ScriptRunContext.enqueue)
