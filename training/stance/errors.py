"""The errors that stance raises on purpose: one sentence with what was wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class StanceError(Exception):
    """Something failed that is not the user's doing. The command line turns it into exit code 1."""

    exit_code = 1


class UserError(StanceError):
    """An input, a setting or a label is wrong and the user can mend it. Exit code 2."""

    exit_code = 2


class ArticleError(UserError):
    """One article cannot be tagged; others may.

    Attributes:
        place: ``file`` or ``file:line``.
        reason: what is wrong with it and what to do, without the place.
    """

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


class DamagedModelError(StanceError):
    """A model folder is incomplete or its bytes are not the ones that training wrote."""


class MissingExtraError(UserError):
    """A part of stance was called whose optional dependencies are not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package '{package}', which is not installed; "
            f"run: pip install 'stance[{extra}]'"
        )


def at(path: Path | str, line: int | None = None) -> str:
    """Return the place of an error as ``path`` or ``path:line``."""
    return str(path) if line is None else f"{path}:{line}"


def all_at_once(heading: str, problems: Sequence[str], *, shown: int = 20) -> UserError:
    """Build one error out of every problem found, so that the user mends them in one go."""
    if len(problems) == 1:
        return UserError(problems[0])
    lines = [f"  {problem}" for problem in problems[:shown]]
    if len(problems) > shown:
        lines.append(f"  ... and {len(problems) - shown} more")
    return UserError("\n".join([f"{heading}: {len(problems)} problems", *lines]))
