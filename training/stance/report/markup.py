"""HTML and SVG out of Python: text is escaped unless it was made here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

_EMPTY = frozenset({"meta", "br", "hr"})

Child = Any  # text, a number, Html, None, or any iterable of these


class Html(str):
    """Markup that needs no escaping."""

    __slots__ = ()


def element(name: str, /, *children: Child, **attributes: Any) -> Html:
    """Return an element.

    Args:
        name: of the tag.
        children: what is inside; None is left out.
        attributes: ``class_`` for class, ``text_anchor`` for text-anchor; None leaves one out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{fragment(*children)}</{name}>")


def fragment(*children: Child) -> Html:
    """Return children one after another, text among them escaped."""
    return Html("".join(_written(child) for child in children))


def _written(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, Iterable) and not isinstance(child, str):
        return fragment(*child)
    return escape(str(child), quote=False)
