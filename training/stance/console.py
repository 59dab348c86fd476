"""The two streams of the command line: results go out, messages go to standard error."""

from __future__ import annotations

from rich.console import Console

out = Console()
err = Console(stderr=True)


def say(message: str) -> None:
    """Tell the user something that is no result."""
    err.print(message, highlight=False, markup=False, soft_wrap=True)
