"""What the docs tell a reader to type can be typed."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from conftest import ROOT, Stance

PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "labels").rglob("README.md")),
]
COMMANDS = sorted(
    {
        line.partition("#")[0].strip()
        for page in PAGES
        for block in re.findall(r"```(?:sh)?\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        for line in block.splitlines()
        if line.startswith("stance ")
    }
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_docs_exists(command: str, stance: Stance) -> None:
    """Each command in README and docs names a command and options that --help knows."""
    words = shlex.split(command)[1:]
    names = words[:2] if words[0] == "labels" else words[:1]
    help_text = stance(*names, "--help").stdout
    unknown = [word for word in words if word.startswith("-") and word != "-" and word not in help_text]
    assert not unknown


def test_the_readme_shows_its_two_commands() -> None:
    """Make demo and make test stand in the README and in the Makefile."""
    assert len(COMMANDS) >= 6
    for target in ("demo", "test"):
        assert f"make {target}" in PAGES[0].read_text(encoding="utf-8")
        assert f"\n{target}:" in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """No page links to a file that is not there."""
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not broken


def test_the_example_of_the_readme_is_what_the_article_gives(models: Path, stance: Stance) -> None:
    """The README's example is the shipped article, cut into sentences, furniture left out."""
    done = stance("predict", ROOT / "tests" / "data" / "unseen.txt", "--model", models / "tfidf")
    texts = [json.loads(line)["text"] for line in done.stdout.splitlines()]
    assert texts[0].startswith("Ministers edge towards")
    assert "Related news" not in texts
    shown = " ".join(re.sub(r"[│\s]+", " ", (ROOT / "README.md").read_text(encoding="utf-8")).split())
    assert texts[0].split(" as ")[0] in shown
