"""What the command line shares: its two consoles, its voice, and where models are looked for."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

MODELS = Path("models")

out = Console()
err = Console(stderr=True)


def say(message: str) -> None:
    """Tell a person something that is no result."""
    err.print(message, highlight=False, markup=False, soft_wrap=True)
