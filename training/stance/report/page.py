"""The page itself: style, script and data put into one HTML file that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from html import escape
from importlib import resources
from typing import Any

# The scripts share one scope, in this order; only main.js runs anything by itself.
SCRIPTS = (
    "dom.js",
    "corpus.js",
    "filter.js",
    "statistics.js",
    "labels.js",
    "charts.js",
    "controls.js",
    "figures.js",
    "lists.js",
    "reader.js",
    "main.js",
)
STYLES = ("page.css", "parts.css", "print.css")


def page(data: Mapping[str, Any], title: str) -> str:
    """Return the whole HTML text.

    A content security policy names the hashes of the page's own style and script and forbids
    everything else, so that neither a slip of ours nor the text of an article can load or run
    anything.

    Args:
        data: as :func:`stance.report.columns.columns` gives it.
        title: of the window and the page.
    """
    style, script = joined(STYLES), joined(SCRIPTS)
    parts = {
        "title": escape(title),
        "policy": f"default-src 'none'; style-src '{hash_of(style)}'; script-src '{hash_of(script)}'",
        "style": style,
        "data": embedded(data),
        "script": script,
    }
    # One pass, so that an article that quotes a placeholder stays what it is.
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], asset("page.html"))


def embedded(value: Any) -> str:
    """Return JSON that is safe inside a script element: nothing in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def joined(names: tuple[str, ...]) -> str:
    """Return the named files of the page's folder, one after another."""
    return "\n" + "\n".join(asset(name) for name in names)


def asset(name: str) -> str:
    """Return a file of the page's folder as text."""
    return (resources.files("stance.report") / "app" / name).read_text(encoding="utf-8")


def hash_of(text: str) -> str:
    """Return the source expression that lets an inline style or script pass a content security policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
