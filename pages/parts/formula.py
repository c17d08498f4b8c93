"""A formula in MathML, which every browser draws without a script or a font: of LaTeX as much as pages and lessons use."""

import html
import re
import unicodedata
from collections import deque

SIGNS = {"cdot": "·", "times": "×", "pm": "±", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "sim": "∼", "propto": "∝",
         "infty": "∞", "in": "∈", "notin": "∉", "subset": "⊂", "cap": "∩", "cup": "∪", "setminus": "∖", "partial": "∂", "nabla": "∇", "to": "→",
         "rightarrow": "→", "mapsto": "↦", "ldots": "…", "dots": "…", "cdots": "⋯", "mid": "∣", "ell": "ℓ", "circ": "∘", "lVert": "‖", "rVert": "‖",
         "Vert": "‖", "|": "‖", "lvert": "|", "rvert": "|", "vert": "|", "langle": "⟨", "rangle": "⟩", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉"}
WIDE = {"sum": "∑", "prod": "∏", "int": "∫", "bigcup": "⋃", "bigcap": "⋂"} | {name: name for name in ("max", "min", "lim", "sup", "inf", "argmax", "argmin")}
NAMES = ("log", "ln", "exp", "sin", "cos", "tan", "arccos", "det", "dim", "arg", "deg")
SPACES = {",": 0.17, ":": 0.22, ";": 0.28, "!": 0, " ": 0.25, "quad": 1, "qquad": 2}  # em
ACCENTS = {"bar": "‾", "overline": "‾", "hat": "^", "tilde": "~", "vec": "→", "dot": "˙"}
WORDS = ("text", "textrm", "textbf", "operatorname", "mathrm", "mathit", "mathsf", "mathbf", "mathcal", "mathbb")  # all of them upright


def mathml(tex: str, *, block: bool = False) -> str:
    """The formula; as code where it cannot be read."""
    try:
        body = _row(deque(re.findall(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\s+|.", tex.strip(), re.DOTALL)), "")
    except (LookupError, RecursionError):
        return f"<code>{html.escape(tex)}</code>"
    return f'<math display="{"block" if block else "inline"}">{body}</math>'


def _row(tokens: deque, end: str) -> str:
    """All up to the end, which is taken too."""
    found = []
    while tokens and tokens[0] != end:
        if tokens[0].isspace():
            tokens.popleft()
        else:
            found.append(_scripted(tokens))
    if end:
        tokens.popleft()
    return found[0] if len(found) == 1 else f"<mrow>{''.join(found)}</mrow>"


def _scripted(tokens: deque) -> str:
    """One sign or group, with what stands below and above it."""
    wide = tokens[0][1:] in WIDE
    base, below, above = "<mrow></mrow>" if tokens[0] in "_^" else _sign(tokens), "", ""
    while tokens and tokens[0] in "_^'":
        mark = tokens.popleft()
        if mark == "_":
            below += _argument(tokens)
        else:
            above += "<mo>′</mo>" if mark == "'" else _argument(tokens)
    kind = ("munder", "mover", "munderover") if wide else ("msub", "msup", "msubsup")
    parts = [f"<mrow>{part}</mrow>" for part in (below, above) if part]
    name = kind[2 if below and above else 1 if above else 0]
    return f"<{name}>{base}{''.join(parts)}</{name}>" if parts else base


def _argument(tokens: deque) -> str:
    """A group in braces, or one sign: of a number its first digit."""
    while tokens[0].isspace():
        tokens.popleft()
    if tokens[0][0].isdigit() and len(tokens[0]) > 1:
        number = tokens.popleft()
        tokens.appendleft(number[1:])
        return f"<mn>{number[0]}</mn>"
    return _sign(tokens)


def _sign(tokens: deque) -> str:
    token = tokens.popleft()
    if token == "&":
        raise IndexError("a table")
    if token == "{":
        return _row(tokens, "}")
    if token == "}":
        raise IndexError("a brace closes nothing")
    if token.startswith("\\"):
        return _command(token[1:], tokens)
    if token[0].isdigit():
        return f"<mn>{token}</mn>"
    return f"<mi>{html.escape(token)}</mi>" if token.isalpha() else _operator({"-": "−", "*": "∗"}.get(token, token))


def _command(name: str, tokens: deque) -> str:
    if name in WORDS:
        return f'<mtext>{html.escape(_words(tokens)).replace(" ", "&#160;")}</mtext>'
    if name in ("frac", "tfrac", "dfrac"):
        return f"<mfrac>{_argument(tokens)}{_argument(tokens)}</mfrac>"
    if name == "sqrt":
        if tokens and tokens[0] == "[":
            raise IndexError("a root of another degree")
        return f"<msqrt>{_argument(tokens)}</msqrt>"
    if name in ACCENTS:
        return f'<mover accent="true">{_argument(tokens)}<mo>{ACCENTS[name]}</mo></mover>'
    if name in ("left", "right"):
        return "" if tokens[0] == "." and tokens.popleft() else _sign(tokens)
    if name in SPACES:
        return f'<mspace width="{SPACES[name]}em"></mspace>'
    if name in WIDE:
        return f'<mo movablelimits="true">{WIDE[name]}</mo>'
    if name in NAMES:
        return f"<mi>{name}</mi>"
    if name == "\\" or name in ("begin", "end"):
        raise IndexError("a table")
    return _operator(SIGNS.get(name, name)) if name in SIGNS or not name.isalpha() else _letter(name)


def _letter(name: str) -> str:
    """Of the Greek alphabet; another name is a KeyError."""
    case, called = "CAPITAL" if name[0].isupper() else "SMALL", name.removeprefix("var").upper().replace("LAMBDA", "LAMDA")
    return f"<mi>{unicodedata.lookup(f'GREEK {case} LETTER {called}')}</mi>"


def _operator(sign: str) -> str:
    close = ' stretchy="false" lspace="0" rspace="0"' if sign in "()[]{}|‖⟨⟩#" else ""
    return f"<mo{close}>{html.escape(sign)}</mo>"


def _words(tokens: deque) -> str:
    """What stands in braces, letter by letter."""
    while tokens[0].isspace():
        tokens.popleft()
    if tokens[0] != "{":
        return tokens.popleft()
    found, depth = [], 0
    while True:
        token = tokens.popleft()
        depth += {"{": 1, "}": -1}.get(token, 0)
        if not depth:
            return "".join(found)[1:].replace("\\", "")
        found.append(token)
