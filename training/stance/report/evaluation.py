"""The page of ``stance evaluate``: how good a model is on some rows, and where it errs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markdown_it import MarkdownIt

from stance.evaluate import AxisReport, LabelScore
from stance.report.drawing import coverage_chart, reliability_chart, score_bar, score_strip
from stance.report.markup import Child, Html, element, fragment
from stance.report.page import hash_of, joined
from stance.scoring import Evaluation, Mistake
from stance.taxonomy import Axis

STYLES = ("page.css", "parts.css", "print.css", "evaluation.css")
_CARD = "README.md"
_LIMITS = "## What it is not for"
_METRICS = {"macro_f1": "macro-F1", "micro_f1": "micro-F1", "accuracy": "accuracy"}
_FEW_ARTICLES = 40


def evaluation_page(found: Evaluation) -> str:
    """Return the whole HTML text; it holds no script, loads nothing, and its policy forbids both."""
    style = joined(STYLES)
    title = f"{found.tagger.name} on {found.data.resolve().name}"
    axes = found.report.axes.items()
    body = element(
        "main",
        _notices(found),
        [_axis_section(found, name, scores) for name, scores in axes],
        _measured(found),
        _limits(found),
    )
    policy = f"default-src 'none'; style-src '{hash_of(style)}'"
    head = fragment(
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        # Inside style elements nothing is escaped, and the hash covers every letter.
        element("style", Html(style)),
    )
    page = element("html", element("head", head), element("body", _masthead(found, title), body), lang="en")
    return f"<!doctype html>\n{page}\n"


def _masthead(found: Evaluation, title: str) -> Html:
    report = found.report
    told = (
        f"{_plural(report.n, 'sentence')} of {_plural(report.groups, 'article')}, predicted by ",
        element("span", f"{found.tagger.name} {found.tagger.fingerprint}", class_="mono"),
        f". Score {report.score:.3f}, the mean of the macro-F1 of {' and '.join(report.axes)}.",
    )
    return element(
        "header",
        element("p", "stance evaluation", class_="kicker"),
        element("h1", title),
        element("p", *told, class_="provenance"),
        class_="masthead",
    )


def _notices(found: Evaluation) -> list[Html]:
    report, notes = found.report, []
    if found.known:
        notes.append(
            f"{found.known:,} of {report.n:,} sentences were trained on: scores on them are too high."
        )
    if report.groups == report.n:
        notes.append("No two rows share an article, so every sentence counts as drawn on its own.")
    elif report.groups < _FEW_ARTICLES:
        notes.append(
            f"Only {_plural(report.groups, 'article')}: the intervals are wide and themselves rough."
        )
    return [element("p", note, class_="notice") for note in notes]


def _axis_section(found: Evaluation, name: str, scores: AxisReport) -> Html:
    axis = found.tagger.taxonomy.axes[name]
    figures: list[Child] = [_reliability(name, axis, scores)]
    if scores.confusion is not None:
        figures.insert(0, _confusion(axis, scores.confusion))
    if scores.coverage is not None:
        figures.append(_coverage(name, scores))
    else:
        figures.append(
            element("div", element("h3", "The same in figures"), _bins_table(scores), class_="two")
        )
    return element(
        "section",
        element("h2", _words(name), class_="axis"),
        element("p", _in_words(scores), class_="lede"),
        _tiles(scores),
        _labels(axis, scores),
        element("div", figures, class_="trio"),
        _errors(axis, found.errors[name]),
        class_="axis",
        id=name,
    )


def _in_words(scores: AxisReport) -> str:
    known = [(label, each) for label, each in scores.weakest_first() if each.support]
    if not known:
        return "No sentence carries any of these labels."
    (weakest, low), (best, high) = known[0], known[-1]
    told = f"Weakest is {_words(weakest)} (F1 {low.f1:.2f}), best {_words(best)} ({high.f1:.2f})."
    gap = f" Probabilities are off by {100 * scores.ece:.1f} points on average."
    return told + gap


def _tiles(scores: AxisReport) -> Html:
    tiles = [
        _tile(
            _METRICS[metric],
            f"{value:.2f}",
            _range(scores.intervals[metric]),
            score_strip(value, scores.intervals[metric]),
        )
        for metric, value in scores.scores.items()
    ]
    tiles += [
        _tile("expected calibration error", f"{scores.ece:.3f}", "0 is perfect"),
        _tile("Brier score", f"{scores.brier:.3f}", "0 is perfect"),
    ]
    return element("dl", tiles, class_="tiles")


def _tile(name: str, value: str, note: str, drawing: Html | None = None) -> Html:
    return element(
        "div",
        element("dt", name),
        element("dd", value, class_="big"),
        element("dd", note, class_="range"),
        element("dd", drawing) if drawing else None,
    )


def _range(interval: tuple[float, float]) -> str:
    return f"95%: {interval[0]:.2f} to {interval[1]:.2f}"


def _labels(axis: Axis, scores: AxisReport) -> Html:
    head = ("label, weakest first", "F1 from 0 to 1", "F1", "95%", "precision", "recall", "sentences")
    classes = (None, "cell", "n", "n", "n spare", "n spare", "n")
    cells = [element("th", name, scope="col", class_=kind) for name, kind in zip(head, classes, strict=True)]
    rows = [_label_row(axis, label, each) for label, each in scores.weakest_first()]
    table = element("table", element("thead", element("tr", cells)), element("tbody", rows), class_="labels")
    return element("div", element("h3", "Labels"), table, class_="block")


def _label_row(axis: Axis, label: str, score: LabelScore) -> Html:
    name = element("th", _label(axis, label), scope="row")
    if not score.support:
        rest = element("td", "no such sentence", class_="absent", colspan=5)
        return element("tr", name, rest, element("td", "0", class_="n"))
    low, high = score.f1_interval
    return element(
        "tr",
        name,
        element("td", score_bar(score.f1, score.f1_interval), class_="cell"),
        element("td", f"{score.f1:.2f}", class_="n"),
        element("td", f"{low:.2f}–{high:.2f}", class_="n"),
        element("td", f"{score.precision:.2f}", class_="n spare"),
        element("td", f"{score.recall:.2f}", class_="n spare"),
        element("td", f"{score.support:,}", class_="n"),
        data_label=label,
    )


def _label(axis: Axis, label: str) -> Html:
    """Return a label with the shape and colour that it has in the report of tagged articles."""
    if axis.index is None:
        return element("span", _words(label), class_="label")
    weight = axis.index.get(label, 0.0)
    shape, side = ("▼", "low") if weight < 0 else ("▲", "high") if weight > 0 else ("●", "zero")
    glyph = element("span", shape, class_=f"glyph {side}", aria_hidden="true")
    return element("span", glyph, _words(label), class_="label")


def _confusion(axis: Axis, counts: Sequence[Sequence[int]]) -> Html:
    rows = [
        element(
            "tr",
            element("th", _label(axis, label), scope="row"),
            [_confusion_cell(gold, given, count, sum(row)) for given, count in enumerate(row)],
        )
        for gold, (label, row) in enumerate(zip(axis.names, counts, strict=True))
    ]
    head = element("tr", element("td"), [element("th", _words(label), scope="col") for label in axis.names])
    return element(
        "figure",
        element("h3", "What is taken for what"),
        element("figcaption", "rows: as annotated; columns: as given; shares of the row"),
        element(
            "div",
            element("table", element("thead", head), element("tbody", rows), class_="confusion"),
            class_="scroll",
        ),
    )


def _confusion_cell(gold: int, given: int, count: int, total: int) -> Html:
    share = count / max(1, total)
    heat = f"heat{round(10 * share)}"
    small = element("small", f"{share:.0%}")
    return element("td", f"{count:,}", small, class_=f"{heat} right" if gold == given else heat)


def _reliability(name: str, axis: Axis, scores: AxisReport) -> Html:
    what = "of the given label" if axis.single else "of every label"
    caption = f"share right by the probability {what}; on the dashed line they agree"
    table = _below(_bins_table(scores)) if axis.single else None
    return element(
        "figure",
        element("h3", "Are probabilities what they say?"),
        element("figcaption", caption),
        reliability_chart(scores.calibration, f"Reliability of {name}"),
        table,
    )


def _bins_table(scores: AxisReport) -> Html:
    rows = [
        (f"{each.low:.1f} to {each.high:.1f}", f"{each.n:,}", f"{each.confidence:.2f}", f"{each.right:.2f}")
        if each.n
        else (f"{each.low:.1f} to {each.high:.1f}", "0", "", "")
        for each in scores.calibration
    ]
    return _table(("probability", "answers", "stated, mean", "share right"), rows)


def _coverage(name: str, scores: AxisReport) -> Html:
    curve = scores.coverage or ()
    rows = [
        (f"{each.share:.0%}", f"{each.confidence:.2f}", f"{each.accuracy:.2f}", f"{each.macro_f1:.2f}")
        for each in curve
    ]
    return element(
        "figure",
        element("h3", "Labelling only what is sure"),
        element("figcaption", "scores of the sentences that --min-confidence leaves labelled"),
        coverage_chart(curve, f"Coverage and scores of {name}"),
        _below(_table(("labelled", "from", "accuracy", "macro-F1"), rows)),
    )


def _below(table: Html) -> Html:
    return element("details", element("summary", "Figures as a table"), table, class_="data")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Html:
    cells = [element("th", name, scope="col", class_="n" if at else None) for at, name in enumerate(head)]
    body = [
        element(
            "tr", element("th", row[0], scope="row"), [element("td", cell, class_="n") for cell in row[1:]]
        )
        for row in rows
    ]
    return element("table", element("thead", element("tr", cells)), element("tbody", body))


def _errors(axis: Axis, mistakes: Sequence[Mistake]) -> Html | None:
    if not mistakes:
        return None
    items = [
        element(
            "li",
            element("p", each.text, class_="text"),
            element("p", _mistake(axis, each), element("span", each.group), class_="meta"),
            class_="sentence-item",
        )
        for each in mistakes
    ]
    return element(
        "div", element("h3", "Wrong, and sure of it"), element("ol", items, class_="errors"), class_="block"
    )


def _mistake(axis: Axis, mistake: Mistake) -> Html:
    verb = "gave " if mistake.label in mistake.given else "missed "
    gold = [fragment(", " if at else None, _label(axis, label)) for at, label in enumerate(mistake.gold)]
    told = (
        verb,
        _label(axis, mistake.label),
        f" ({mistake.probability:.2f}); annotated: ",
        gold or "nothing",
    )
    return element("span", *told, class_="verdict")


def _measured(found: Evaluation) -> Html:
    manifest, report = found.tagger.manifest, found.report
    labels = manifest["labels"]
    facts: list[tuple[str, str]] = [
        ("model", f"{found.tagger.name}, a {manifest['family']} in {found.tagger.classifier.precision}"),
        ("fingerprint", found.tagger.fingerprint),
        (
            "trained on",
            f"{_plural(labels['rows'], 'sentence')} of {_plural(labels['articles'], 'article')}, "
            f"labels folder {labels['name']}",
        ),
        (
            "measured on",
            f"{found.data.resolve().name}: {_plural(report.n, 'sentence')} of "
            f"{_plural(report.groups, 'article')}",
        ),
        ("of these trained on", f"{found.known:,}"),
        (
            "intervals",
            "95%, from leaving out each article in turn, since sentences of one article err together",
        ),
        (
            "F1",
            "the harmonic mean of precision and recall; macro-F1 counts every label alike, "
            "micro-F1 every sentence with a label",
        ),
        ("calibration error", "the mean gap between stated probability and share right, over ten bins"),
    ]
    rows = [fragment(element("dt", name), element("dd", value)) for name, value in facts]
    return element(
        "section",
        element("h2", "What was measured on what"),
        element("dl", rows, class_="facts"),
        class_="axis",
    )


def _limits(found: Evaluation) -> Html | None:
    """Return what the model's card says that it is not for; a card without such a part has nothing to say."""
    path = found.tagger.folder / _CARD
    card = path.read_text(encoding="utf-8") if path.is_file() else ""
    _, heading, rest = card.partition(_LIMITS)
    if not heading:
        return None
    text = MarkdownIt("commonmark", {"html": False}).render(rest.split("\n## ")[0])
    return element("section", element("h2", "What the model is not for"), Html(text), class_="limits")


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _words(name: str) -> str:
    return name.replace("_", " ")
