// The figures above the reader, all drawn from the sentences that pass the filter.

const MOST_GROUPS = 20;
const MOST_TOGETHER = 24;
const CLEAREST_SHOWN = 5;

function drawFigures(view) {
  const { corpus, selection } = view;
  const open = openTables();
  byId("figures").replaceChildren(
    ...corpus.axes.filter((axis) => axis.single).map((axis) => overview(view, axis)),
    measureBar(view),
    ...missingNotes(corpus),
    overTime(view) ?? "",
    sideBySide(view),
    ...corpus.axes.filter((axis) => !axis.single).map((axis) => togetherTable(axis, selection.rows)),
    clearestLists(view) ?? "",
  );
  for (const summary of document.querySelectorAll("#figures details.data > summary")) {
    if (open.has(headingOf(summary))) summary.click();
  }
}

// Who reads a table goes on reading it when a filter changes or the page is printed.
function openTables() {
  return new Set([...document.querySelectorAll("#figures details.data[open]")].map(headingOf));
}

function headingOf(element) {
  return element.closest("section").querySelector("h2").textContent;
}

function overview({ corpus, selection, filter }, axis) {
  const filtered = filter.labels[corpus.axes.indexOf(axis)].size > 0;
  return h("section", { class: "overview", "data-axis": axis.name },
    h("h2", {}, words(axis.name)),
    filtered ? h("p", { class: "notice" }, `A filter on ${words(axis.name)} is on: shares are among the chosen labels only.`) : null,
    h("div", { class: "lead" }, axis.weights ? indexCard(corpus, selection.rows, axis) : null, shareTable(corpus, selection.rows, axis)));
}

function indexCard(corpus, rows, axis) {
  const measure = indexMeasure(axis);
  const estimate = overall(corpus, rows, measure);
  const ends = poles(axis);
  const known = estimate.sentences > 0;
  return h("div", { class: "index" },
    h("p", { class: "caption" }, measure.name),
    h("p", { class: "big" }, known ? measure.format(estimate.mean) : "none"),
    known ? h("p", { class: "range" }, `95% interval ${measure.format(estimate.low)} to ${measure.format(estimate.high)}`) : null,
    known ? rule(estimate, measure) : null,
    h("p", { class: "ends" },
      h("span", {}, `${signed(measure.low)} ${words(ends.low.label)}`),
      h("span", {}, `${words(ends.high.label)} ${signed(measure.high)}`)));
}

function rule(estimate, measure) {
  const x = scale([measure.low, measure.high], [6, 294]);
  return canvas(300, 22, measure.name, interval(estimate, measure),
    svg("line", { x1: 6, x2: 294, y1: 11, y2: 11, class: "grid" }),
    svg("line", { x1: x(0), x2: x(0), y1: 4, y2: 18, class: "grid zero" }),
    bar(x(estimate.low), 11, x(estimate.high), 11, measure),
    dot(x(estimate.mean), 11, { estimate }, measure));
}

function shareTable(corpus, rows, axis) {
  const measures = measuresOf(corpus).filter((measure) => measure.axis === axis && measure.column !== null);
  const found = measures.map((measure) => ({ measure, estimate: overall(corpus, rows, measure) }));
  const strip = h("div", { class: "strip", "aria-hidden": "true" }, found.map(({ measure, estimate }) => {
    const part = h("i", { class: `part ${lookOf(axis, measure.column).line}` });
    part.style.cssText = `flex:${estimate.mean || 0};--colour:${pointColour(measure)}`;
    return part;
  }));
  return h("div", { class: "shares" }, strip, h("table", {},
    h("thead", {}, h("tr", {}, ["label", "share", "95% interval", "sentences"].map((name, at) => h("th", { scope: "col", class: at ? "n" : null }, name)))),
    h("tbody", {}, found.map(({ measure, estimate }) => h("tr", { "data-label": axis.columns[measure.column] },
      h("th", { scope: "row" }, labelTag(axis, measure.column)),
      h("td", { class: "n" }, percent(estimate.mean)),
      h("td", { class: "n faint" }, `${percent(estimate.low)} to ${percent(estimate.high)}`),
      h("td", { class: "n" }, `${number(hits(estimate))} of ${number(estimate.sentences)}`))))));
}

// Which figure the charts show, and over which periods.
function measureBar(view) {
  const options = view.measures.map((measure) => h("option", { value: measure.key, selected: measure === view.measure }, measure.name));
  const periods = ["auto", ...possiblePeriods(view.corpus)].map((name) => h("option", { value: name, selected: name === view.period }, name));
  return h("div", { class: "measure" },
    h("label", {}, "The charts show ", h("select", { id: "measure", change: (event) => view.choose({ measure: event.target.value }) }, options)),
    view.corpus.dated ? h("label", {}, " by ", h("select", { id: "period", change: (event) => view.choose({ period: event.target.value }) }, periods)) : null,
    h("p", { class: "note" }, `Bars are 95% intervals over articles; a hollow dot stands on fewer than ${FEW_ARTICLES} articles.`));
}

function missingNotes(corpus) {
  const missing = [[corpus.dated, "date", "over time"], [corpus.sourced, "source", "by source"]].filter(([count]) => !count);
  if (!missing.length) return [];
  const names = missing.map(([, name]) => name).join(" and no ");
  return [h("p", { class: "notice" }, `The rows carry no ${names}, so nothing is shown ${missing.map(([, , where]) => where).join(" or ")}.`)];
}

function overTime(view) {
  const { corpus, selection, measure } = view;
  if (!corpus.dated) return null;
  const articles = selection.articles.filter((article) => corpus.days[article] !== NO_DAY);
  const undated = selection.articles.length - articles.length;
  const heading = h("h2", {}, "Over time");
  if (!articles.length) return h("section", {}, heading, h("p", { class: "notice" }, "None of the articles shown has a date that could be read."));
  const points = timePoints(view, articles);
  const chosen = view.period === "auto" ? fittingPeriod(corpus, articles) : view.period;
  const title = `${measure.name} by ${chosen}`;
  const note = "Grey columns: articles." + (undated ? ` ${number(undated)} of ${plural(selection.articles.length, "article")} left out: no date that could be read.` : "");
  return h("section", { id: "time" }, heading, figure(title, timeChart(points, measure, view.width, title), () => estimateTable(chosen, points, measure), note));
}

function timePoints(view, articles) {
  const { corpus, selection, measure } = view;
  const period = PERIODS[view.period === "auto" ? fittingPeriod(corpus, articles) : view.period];
  const of = Int32Array.from(corpus.days, (day) => (day === NO_DAY ? NO_DAY : period.of(day)));
  const [first, last] = extent(articles.map((article) => of[article]));
  const groups = (row, article) => (of[article] === NO_DAY ? [] : [of[article] - first]);
  const found = estimates(corpus, selection.rows, measure, last - first + 1, groups);
  return found.map((estimate, at) => ({ name: period.name(first + at), tick: period.tick?.(first + at), estimate }));
}

// Sources are often many; what is about labels stands beside them.
function sideBySide(view) {
  const { corpus } = view;
  const labels = [byLabels(view), corpus.axes.filter((axis) => !axis.single).map((axis) => labelShares(view, axis))];
  return h("div", { class: "pair" }, corpus.sourced ? [bySource(view), h("div", { class: "stack" }, labels)] : labels);
}

function bySource(view) {
  const { corpus, selection, measure } = view;
  if (!corpus.sourced) return "";
  const names = [...corpus.sources, "no source given"];
  const found = estimates(corpus, selection.rows, measure, names.length, (row, article) => [corpus.sourceOf[article]]);
  return groupFigure("By source", "source", names, found, view);
}

// The other axes: what is the framing of sentences on a topic?
function byLabels(view) {
  const { corpus, selection, measure } = view;
  return corpus.axes.filter((axis) => axis !== measure.axis).map((axis) => {
    const found = estimates(corpus, selection.rows, measure, axis.columns.length, (row) => given(axis, row));
    return groupFigure(`By ${words(axis.name)}`, words(axis.name), axis.columns.map(words), found, view);
  });
}

// How often each label of a multi-label axis stands on a sentence.
function labelShares({ corpus, selection, narrow }, axis) {
  const measure = { ...shareMeasure(axis, 0), name: "share of sentences" };
  const points = axis.labels
    .map((label, column) => ({ name: words(label), estimate: overall(corpus, selection.rows, shareMeasure(axis, column)), column }))
    .sort((one, other) => other.estimate.mean - one.estimate.mean || one.column - other.column);
  const drawn = points.slice(0, MOST_GROUPS);
  const title = `share of sentences that carry each of the ${words(axis.name)}`;
  const note = points.length > drawn.length ? `The ${drawn.length} most frequent of ${number(points.length)}; the table has all.` : null;
  return h("section", { "data-shares": axis.name }, h("h2", {}, `How often: ${words(axis.name)}`),
    figure(title, dotChart(drawn, measure, narrow, title, hits), () => estimateTable(words(axis.name), points, measure), note));
}

// The sentences that a share counts.
function hits({ mean, sentences }) {
  return Math.round(mean * sentences);
}

function groupFigure(heading, kind, names, found, view) {
  const points = names.map((name, at) => ({ name, estimate: found[at] })).filter((point) => point.estimate.sentences);
  const largest = [...points].sort((one, other) => other.estimate.sentences - one.estimate.sentences).slice(0, MOST_GROUPS);
  const ordered = largest.sort((one, other) => other.estimate.mean - one.estimate.mean);
  const title = `${view.measure.name} by ${kind}`;
  if (!points.length) return h("section", {}, h("h2", {}, heading), h("p", { class: "notice" }, `No sentence shown carries a ${kind}.`));
  const note = points.length > ordered.length ? `The ${ordered.length} with most sentences of ${number(points.length)}; the table has all.` : null;
  return h("section", { "data-by": kind }, h("h2", {}, heading),
    figure(title, dotChart(ordered, view.measure, view.narrow, title), () => estimateTable(kind, points, view.measure), [sideNote(view.measure), note].filter(Boolean).join(" ")));
}

// An index has two sides, which a share has not.
function sideNote(measure) {
  if (measure.column !== null) return null;
  const ends = poles(measure.axis);
  return `Left ${words(ends.low.label)}, right ${words(ends.high.label)}.`;
}

function togetherTable(axis, rows) {
  const counts = together(axis, rows);
  const width = axis.columns.length;
  const used = axis.columns.map((_, at) => at).filter((at) => counts[at * width + at])
    .sort((one, other) => counts[other * width + other] - counts[one * width + one]).slice(0, MOST_TOGETHER);
  const heading = h("h2", {}, `${words(axis.name)} together`);
  if (!used.length) return h("section", {}, heading, h("p", { class: "notice" }, `None of the ${plural(rows.length, "sentence")} shown carries one.`));
  const most = Math.max(1, ...used.flatMap((one) => used.filter((other) => other !== one).map((other) => counts[one * width + other])));
  const cell = (one, other) => {
    const count = counts[one * width + other];
    const box = h("td", { class: one === other ? "n alone" : "n", title: one === other ? null : `${words(axis.columns[one])} and ${words(axis.columns[other])}: ${count} of ${rows.length} sentences` }, count ? number(count) : "·");
    if (one !== other && count) box.style.setProperty("--heat", `${Math.round((count / most) * 70)}%`);
    return box;
  };
  return h("section", { class: "together" }, heading,
    h("p", { class: "note" }, `On how many of ${plural(rows.length, "sentence")} two stand together; in bold, each alone or not.`),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${words(axis.name)} together` }, h("table", {},
      h("thead", {}, h("tr", {}, h("td", {}), used.map((at) => h("th", { scope: "col" }, h("span", {}, words(axis.columns[at])))))),
      h("tbody", {}, used.map((one) => h("tr", {}, h("th", { scope: "row" }, words(axis.columns[one])), used.map((other) => cell(one, other))))))));
}

// With weights the two ends of the index; without, every label of the axis.
function clearestLists(view) {
  const { corpus, selection } = view;
  const axis = mainAxis(corpus);
  if (!axis) return null;
  const ends = axis.weights ? [poles(axis).high.column, poles(axis).low.column] : axis.labels.map((_, at) => at);
  return h("section", { class: "clearest" },
    h("h2", {}, "Clearest sentences"),
    h("p", { class: "note" }, "By the model's probability: what it is most certain of, which is not what is strongest in tone."),
    h("div", { class: "columns" }, ends.map((column) => clearestList(view, axis, column, clearest(axis, column, selection.rows, corpus.texts)))));
}

function clearestList(view, axis, column, rows) {
  const list = h("ol", {});
  const more = h("button", { type: "button", class: "plain", click: () => grow() }, "Show more");
  const count = h("p", { class: "note" });
  const grow = () => {
    const shownNow = list.children.length;
    list.append(...rows.slice(shownNow, shownNow + CLEAREST_SHOWN).map((row) => sentenceItem(view, row)));
    more.hidden = list.children.length >= rows.length;
    count.textContent = `${number(list.children.length)} of ${plural(rows.length, "different sentence")}`;
  };
  grow();
  return h("div", { "data-label": axis.labels[column] }, h("h3", {}, "Most ", labelTag(axis, column)), list, h("div", { class: "pager" }, count, more));
}
