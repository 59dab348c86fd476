"""The model card: what a model is, how good it is where, and what it is not for."""

from __future__ import annotations

from collections.abc import Sequence

from stance.calibrate import Calibration
from stance.config import TrainConfig
from stance.crossval import Problem
from stance.evaluate import AxisReport, Coverage, Report
from stance.parity import Parity

_LIMITS = """\
## What it is not for

- It reads **one English sentence at a time**, without the article around it.
- It tells how a sentence *presents* a relation between states. It does not tell who is right, what
  a writer or an outlet believes, or whether a sentence is true.
- Do not rank outlets, journalists or people by it without reading the sentences behind the figures.
- Scores come from the articles named above. On other subjects, periods or styles they will be lower;
  measure them with `stance evaluate` on sentences of your own first.
"""


def model_card(
    config: TrainConfig, problem: Problem, report: Report, calibration: Calibration, light: Parity | None
) -> str:
    """Return the README.md of a model folder, after Mitchell et al., "Model Cards", 2019."""
    data = problem.data
    articles = len(set(data.groups))
    parts = [
        f"# {config.name}\n",
        f"A `{config.family}` model that tags sentences on {len(report.axes)} axes: "
        f"{', '.join(report.axes)}. Trained by `stance train` with seed {config.seed}.\n",
        "```\n"
        f"stance predict article.txt --model models/{config.name}\n"
        f"stance evaluate models/{config.name} --data my-labels.jsonl\n"
        "```\n",
        "## Trained on\n",
        f"{len(data.examples)} sentences of {articles} articles, labels folder `{data.name}`, "
        f"fingerprint `{data.fingerprint[:12]}`.\n",
        "## Scores\n",
        f"Cross-validated on {report.n} of the {len(data.examples)} sentences: each was predicted by a model "
        "that saw no sentence of its article. Brackets hold 95% intervals from leaving out each of their "
        f"{report.groups} articles.\n",
        *(_axis_section(name, axis) for name, axis in report.axes.items()),
        "## Calibration\n",
        "\n".join(_calibration_lines(report, calibration)) + "\n",
        *(_coverage_section(name, axis.coverage) for name, axis in report.axes.items() if axis.coverage),
        *([_light_section(light)] if light else []),
        _LIMITS,
    ]
    return "\n".join(parts)


def _axis_section(name: str, axis: AxisReport) -> str:
    lines = [f"### {name}\n"]
    for metric, score in axis.scores.items():
        low, high = axis.intervals[metric]
        lines.append(f"- {metric.replace('_', ' ')}: **{score:.2f}** [{low:.2f}, {high:.2f}]")
    lines += [
        "",
        "| label, weakest first | precision | recall | F1 | 95% | sentences |",
        "|---|---|---|---|---|---|",
    ]
    for label, each in axis.weakest_first():
        low, high = each.f1_interval
        shown = f"{each.precision:.2f} | {each.recall:.2f} | {each.f1:.2f} | {low:.2f}-{high:.2f}"
        lines.append(f"| {label} | {shown if each.support else '- | - | - | -'} | {each.support} |")
    return "\n".join(lines) + "\n"


def _coverage_section(name: str, coverage: Sequence[Coverage]) -> str:
    lines = [
        f"## Leaving unsure sentences unlabelled: {name}\n",
        "`stance predict --min-confidence P` labels a sentence `unsure` where the best label's probability "
        "is below P. On the cross-validated sentences:\n",
        "| P | labelled | accuracy | macro F1 |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {each.confidence:.2f} | {each.share:.0%} | {each.accuracy:.2f} | {each.macro_f1:.2f} |"
        for each in coverage
    ]
    return "\n".join(lines) + "\n"


def _light_section(light: Parity) -> str:
    agreement = ", ".join(f"{name} {value:.2%}" for name, value in light.agreement.items())
    loss = ", ".join(f"{name} {100 * value:+.2f}" for name, value in light.loss.items())
    kept = "is kept, and taken where it is quicker" if light.kept else "is not near enough and was not kept"
    return (
        "## In 8-bit integers\n\n"
        f"The int8 form {kept}. On the cross-validated sentences it decides alike: {agreement}; points of "
        f"macro F1 lost: {loss}.\n"
    )


def _calibration_lines(report: Report, calibration: Calibration) -> list[str]:
    lines = []
    for name, axis in report.axes.items():
        each = calibration[name]
        line = (
            f"- {name}: temperature {each.temperature:.2f}; expected calibration error {axis.ece:.3f}; "
            f"Brier score {axis.brier:.3f}"
        )
        if each.thresholds:
            line += "; thresholds " + ", ".join(
                f"{label} {value:.2f}" for label, value in each.thresholds.items()
            )
        lines.append(line)
    return lines
