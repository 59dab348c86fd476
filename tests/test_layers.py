"""Imports point down the layers of docs/design.md, and heavy libraries stay where they belong."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT, Stance

PACKAGE = ROOT / "training" / "stance"
LAYERS = [
    ["errors", "console"],
    ["files"],
    ["yamlfile"],
    ["records", "taxonomy"],
    ["repair", "language", "decoding", "sources", "segment", "words"],
    ["batching", "encoder", "calibrate", "split", "classifiers", "repeats", "intervals"],
    ["counts"],
    ["formats", "extract", "network", "evaluate", "config", "drafting", "ngrams", "render_words"],
    ["finetune", "runtime", "quantize", "parity", "bags"],
    ["inputs", "dataset", "classifiers.tfidf"],
    ["classifiers.transformer"],
    ["agreement", "audit", "stats", "tagger", "rows", "paired", "report", "report.reading", "report.markup"],
    ["ledger", "crossval", "render", "pyfunc", "stats_page", "report.axes", "model_cache"],
    [
        "batch",
        "heldout",
        "scoring",
        "card",
        "checkpoint",
        "figures",
        "progress",
        "report.columns",
        "report.drawing",
        "model_source",
    ],
    ["cascade"],
    ["comparison", "render_evaluation", "distributed"],
    ["train", "render_compare", "report.page"],
    ["tracking", "report.evaluation"],
    ["tracking.store", "tracking.measures"],
    ["tracking.registry"],
    ["tracking.runs"],
    ["cli_evaluate", "cli_labels", "cli_mlflow", "cli_predict", "cli_report"],
    ["cli_compare"],
    ["cli"],
    ["__main__"],
]
LEVEL = {name: number for number, names in enumerate(LAYERS) for name in names}


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "__init__"


def imports(path: Path) -> set[str]:
    """Return the stance modules that a file imports when it runs, type-checking blocks left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "stance":
            base = (node.module or "").removeprefix("stance").strip(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}".strip(".")
                found.add(inner if inner in LEVEL else base)
    return found - {""}


def test_imports_point_down() -> None:
    """No module imports one of its own layer or above; a new module must be given its layer."""
    files = {module_name(path): path for path in PACKAGE.rglob("*.py")}
    assert set(files) - {"__init__"} == set(LEVEL)
    upward = [
        f"{name} imports {other}"
        for name, path in files.items()
        for other in imports(path)
        if name != "__init__" and LEVEL[other] >= LEVEL[name]
    ]
    assert not upward


def importing(text: str) -> list[str]:
    return [module_name(path) for path in PACKAGE.rglob("*.py") if text in path.read_text(encoding="utf-8")]


def test_heavy_libraries_stay_in_their_modules() -> None:
    """MLflow is imported by tracking and model_source, and torch by the network and its training alone."""
    known = {"model_source", "tracking.store", "tracking.registry", "tracking.runs"}
    assert set(importing("import mlflow")) == known
    assert all(name.startswith("tracking.") for name in importing("\nfrom mlflow"))
    assert importing("import ray\n") == ["distributed"]
    assert importing("\nimport torch\n") == ["finetune", "network"]


HEAVY = ("torch", "transformers", "mlflow", "sklearn", "datasets", "pandas")


def test_starting_the_command_line_loads_nothing_heavy() -> None:
    """``stance --help`` must not wait for libraries that it does not use."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import stance.cli"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "stance" in loaded
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize("name", ["tfidf", "transformer"])
def test_predicting_loads_nothing_heavy(models: Path, tmp_path: Path, name: str) -> None:
    """A machine that only tags needs neither torch nor transformers, mlflow or scikit-learn."""
    (tmp_path / "a.txt").write_text("Ministers welcomed the truce.", encoding="utf-8")
    program = (
        "import sys; from stance.cli import app\n"
        f"app(['predict', 'a.txt', '--model', {str(models / name)!r}], standalone_mode=False)\n"
        f"print(sorted(set(sys.modules) & set({HEAVY!r})), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stderr.strip() == "[]"
    assert "welcomed the truce" in done.stdout


def test_no_file_outgrows_a_reader() -> None:
    """Files of the package stay under 400 lines."""
    long = {
        path.name
        for path in PACKAGE.rglob("*.py")
        if len(path.read_text(encoding="utf-8").splitlines()) > 400
    }
    assert not long


def test_every_command_has_help_and_a_docs_entry(stance: Stance) -> None:
    """Each command and each of its options is described in docs/commands.md as in --help."""
    docs = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for words in (
        ["train"],
        ["predict"],
        ["evaluate"],
        ["compare"],
        ["promote"],
        ["ui"],
        ["report"],
        ["labels", "check"],
        ["labels", "stats"],
        ["labels", "agreement"],
        ["labels", "new"],
    ):
        text = stance(*words, "--help").stdout
        assert f"## stance {' '.join(words)}" in docs
        section = docs.split(f"## stance {' '.join(words)}\n")[1].split("\n## ")[0]
        options = {word.strip(",│") for word in text.split() if word.startswith("--")} - {"--help"}
        missing = [option for option in options if option not in section]
        assert not missing, (words, missing)
