"""Small data and small models, made in memory; nothing here reaches the network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from report_browser import Open, opener
from stance.classifiers import FitLog
from stance.config import load_config
from stance.train import NoTracker, run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"

TAXONOMY = """\
name: tiny
axes:
  framing:
    kind: single
    description: how two states deal with each other
    labels: {conciliatory: they come together, hawkish: they fall out, neutral: neither}
    index: {conciliatory: -1, hawkish: 1}
  topics:
    kind: multi
    description: what it is about
    labels: {tariffs: duties, farming: farm goods, space: rockets}
"""

# Four invented articles of six sentences: enough for every fold to see every framing.
ROWS = [
    ("a", "Ministers welcomed the truce and promised to lift the duties.", "conciliatory", ["tariffs"]),
    ("a", "The capital threatened new duties on steel from its neighbour.", "hawkish", ["tariffs"]),
    ("a", "Wheat shipments reached four million tonnes in March.", "neutral", ["farming"]),
    ("a", "Both governments agreed to reopen the border to barley.", "conciliatory", ["farming"]),
    ("a", "Officials accused the rival of dumping cheap steel.", "hawkish", ["tariffs"]),
    ("a", "The committee meets on the second Tuesday of the month.", "neutral", []),
    ("b", "The envoys agreed to lift the ban on beef by summer.", "conciliatory", ["farming"]),
    ("b", "Its navy threatened to answer any further inspection.", "hawkish", []),
    ("b", "The rate on cotton stands at twelve percent.", "neutral", ["tariffs"]),
    ("b", "They welcomed a plan to share data from the lunar probe.", "conciliatory", ["space"]),
    ("b", "Prosecutors accused the neighbour of stealing rocket plans.", "hawkish", ["space"]),
    ("b", "The launch site lies two hours north of the city.", "neutral", ["space"]),
    (
        "c",
        "Leaders praised the truce and agreed to cut duties on tea.",
        "conciliatory",
        ["tariffs", "farming"],
    ),
    ("c", "Retaliation on soybeans was threatened within days.", "hawkish", ["farming"]),
    ("c", "The satellite weighs nine hundred kilograms.", "neutral", ["space"]),
    ("c", "The ministry welcomed the offer of talks on fishing.", "conciliatory", []),
    ("c", "Lawmakers accused the rival of breaking the launch treaty.", "hawkish", ["space"]),
    ("c", "Rice prices were unchanged in the week.", "neutral", ["farming"]),
    ("d", "A joint crew agreed to fly to the station next year.", "conciliatory", ["space"]),
    ("d", "The government threatened to double the levy on wine.", "hawkish", ["tariffs"]),
    ("d", "The schedule lists duties on ninety lines.", "neutral", ["tariffs"]),
    ("d", "Growers welcomed the end of the boycott of apples.", "conciliatory", ["farming"]),
    ("d", "Officials accused the neighbour of jamming its satellites.", "hawkish", ["space"]),
    ("d", "The hearing was held in the old customs house.", "neutral", []),
]

ARTICLE = (
    "Monday, 3 March 2025\n\n"
    "Capitals agree to lift duties on tea\n\n"
    "Ministers welcomed the truce on Sunday. "
    "Officials accused the rival of dumping steel in the U.S. market.\n\n"
    "Related news\n"
)


class Silent:
    """A watcher and fit log that keeps nothing."""

    def plan(self, fits: int) -> None:
        """Ignore."""

    def fit(self, title: str) -> FitLog:
        """Ignore."""
        return self

    def skip(self, fits: int, title: str) -> None:
        """Ignore."""

    def metric(self, name: str, value: float, step: int) -> None:
        """Ignore."""

    def progress(self, done: int, total: int, loss: float | None) -> None:
        """Ignore."""


def write_rows(path: Path, rows: Sequence[tuple[str, str, str, list[str]]] = ROWS) -> None:
    """Write rows in the format of a labels file."""
    lines = [
        json.dumps(
            {"id": f"{group}:{number}", "article": group, "text": text, "framing": framing, "topics": topics}
        )
        for number, (group, text, framing, topics) in enumerate(rows)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a labels folder of 24 rows from four articles."""
    folder = tmp_path_factory.mktemp("data") / "tiny"
    folder.mkdir()
    (folder / "taxonomy.yaml").write_text(TAXONOMY, encoding="utf-8")
    write_rows(folder / "rows.jsonl")
    return folder


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a random two-layer BERT and a word tokenizer, as transformers saves them."""
    pytest.importorskip("torch", reason="needs the train extra")
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import TemplateProcessing
    from tokenizers.trainers import WordPieceTrainer
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("encoder")
    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer.train_from_iterator(
        [row[1] for row in ROWS], WordPieceTrainer(vocab_size=300, special_tokens=special)
    )
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=300, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def configs(tmp_path_factory: pytest.TempPathFactory, labels: Path, encoder: Path) -> Path:
    """Return a folder with a small config of each family."""
    folder = tmp_path_factory.mktemp("configs")
    common = f"labels: {labels}\nseed: 3\nfolds: 4\n"
    (folder / "tfidf.yaml").write_text(
        f"name: tfidf\nfamily: tfidf\n{common}inner_folds: 3\n", encoding="utf-8"
    )
    (folder / "transformer.yaml").write_text(
        f"name: transformer\nfamily: transformer\n{common}inner_folds: 1\n"
        f"params: {{encoder: {encoder}, epochs: 4, lr: 0.003, batch_size: 8}}\n",
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, configs: Path) -> Path:
    """Return a folder with one trained model of each family; tests must not change it."""
    folder = tmp_path_factory.mktemp("models")
    for path in sorted(configs.glob("*.yaml")):
        run(load_config(path), folder, NoTracker(), Silent())
    return folder


Stance = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def stance(tmp_path: Path) -> Stance:
    """Return a function that runs the command line in ``tmp_path``, as a user would."""

    def call(*words: str | Path, stdin: str = "", code: int | None = 0) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
        done = subprocess.run(
            [sys.executable, "-m", "stance", *map(str, words)],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            env=environment,
            check=False,
        )
        if code is not None:
            assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return call


# Headless, quiet, and without a look at the network.
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return a headless Chromium that is installed already."""
    api = pytest.importorskip("playwright.sync_api", reason="needs the dev extra")
    with api.sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, CHROMIUM)), playwright.chromium.executable_path)
        if not Path(found).exists():
            pytest.skip(
                f"no Chromium found: none of {', '.join(CHROMIUM)} is on the PATH, and "
                "playwright installed none; install chromium to test the pages"
            )
        running = playwright.chromium.launch(executable_path=found, args=CHROMIUM_ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens a report on rows; no console error and no request may come of it."""
    with opener(browser, tmp_path) as open_report:
        yield open_report
