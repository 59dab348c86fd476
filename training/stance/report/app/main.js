// The one place that holds state: the filter, the chosen figure, the open article.

const WIDEST = 1080;
const PAPER = 680;

function start() {
  const corpus = readCorpus(JSON.parse(byId("data").textContent));
  const measures = measuresOf(corpus);
  const view = {
    corpus,
    measures,
    measure: measures[0],
    period: "auto",
    filter: emptyFilter(corpus),
    selection: null,
    terms: [],
    article: null,
    width: 0,
    narrow: 0,
    choose(change) {
      if (change.measure) view.measure = measures.find((measure) => measure.key === change.measure);
      if (change.period) view.period = change.period;
      drawFigures(view);
      byId(change.measure ? "measure" : "period").focus();
    },
    open: (article, row) => openArticle(view, article, row),
  };
  drawProvenance(corpus);
  drawHelp(view);
  resetControls(view);
  refresh(view);
  const redraw = (widest) => { if (measureWidth(view, widest) && view.selection.rows.length) drawFigures(view); };
  window.addEventListener("resize", later(() => redraw(WIDEST), 150));
  window.addEventListener("beforeprint", () => redraw(PAPER));
  window.addEventListener("afterprint", () => redraw(WIDEST));
}

function resetControls(view) {
  drawControls(byId("filters"), view.corpus, view.filter, () => refresh(view));
  byId("clear").addEventListener("click", () => clearFilter(view));
}

function clearFilter(view) {
  view.filter = emptyFilter(view.corpus);
  resetControls(view);
  refresh(view);
  byId("search").focus();
}

function refresh(view) {
  view.selection = applyFilter(view.corpus, view.filter);
  view.terms = searchTerms(view.filter.search);
  showStatus(view.corpus, view.filter, view.selection);
  const none = view.selection.rows.length === 0;
  for (const id of ["figures", "reader", "sentences"]) byId(id).hidden = none;
  byId("empty").hidden = !none;
  if (none) return drawEmpty(view);
  measureWidth(view);
  drawFigures(view);
  drawReader(view);
  drawSentences(view);
}

function drawEmpty(view) {
  byId("empty").replaceChildren(
    h("p", { class: "big" }, "No sentence matches"),
    h("p", {}, `None of ${plural(view.corpus.count, "sentence")} passes every filter together.`),
    h("button", { type: "button", click: () => clearFilter(view) }, "Clear filters"));
}

// Charts are drawn to the pixel, so that their text keeps its size on every screen and on paper.
function measureWidth(view, widest = WIDEST) {
  const width = Math.min(widest, byId("main").clientWidth);
  const changed = width !== view.width;
  const columns = widest === PAPER || window.matchMedia("(min-width: 60rem)").matches ? 2 : 1;
  view.width = width;
  view.narrow = columns === 2 ? Math.floor((width - 56) / 2) : width;
  return changed;
}

function openArticle(view, article, row) {
  view.article = article;
  hideTip();
  drawArticle(view);
  const line = row === null ? null : document.querySelector(`#article li[data-row="${row}"]`);
  const target = line ?? document.querySelector("#article li");
  for (const each of document.querySelectorAll("#article li.line")) each.tabIndex = each === target ? 0 : -1;
  if (!line) return;
  line.scrollIntoView({ block: "center" });
  line.focus({ preventScroll: true });
}

function drawProvenance(corpus) {
  const models = corpus.models.map(({ name, fingerprint, sentences }) => {
    const part = corpus.models.length > 1 ? ` (${plural(sentences, "sentence")})` : "";
    return `${name ?? "a model without a name"}${fingerprint ? ` ${fingerprint}` : ""}${part}`;
  });
  byId("provenance").append(
    `${plural(corpus.count, "sentence")} of ${plural(corpus.articleCount, "article")}${corpus.files.length ? ` from ${corpus.files.join(", ")}` : ""}, tagged by `,
    h("span", { class: "mono" }, models.join(", ")), ". Estimates of a model, not measured truth: ",
    h("a", { href: "#help" }, "how to read this"), ".");
}

function drawHelp({ corpus }) {
  byId("help").replaceChildren(h("h2", {}, "How to read this"), h("ul", {}, helpLines(corpus).map((line) => h("li", {}, line))));
}

function helpLines(corpus) {
  const axis = mainAxis(corpus);
  return [
    "Every tag is the output of a model, not measured truth. How often this model is right stands in its model card and in stance evaluate; a text unlike the ones it was trained on can be worse.",
    axis?.unsure
      ? `${number(axis.unsure)} of ${plural(corpus.count, "sentence")} (${percent(axis.unsure / corpus.count)}) are unsure: the best label stayed below the confidence asked for. They count in shares as unsure, and not in an index.`
      : "No sentence is marked unsure: the rows were predicted without a minimum confidence, so that each got its best label however doubtful.",
    "The 95% intervals leave out each article in turn, and are wide where articles are few: they say how much a figure would vary with other articles of the same kind. They do not cover the model's errors, nor how the articles were chosen.",
    axis?.weights
      ? `The ${words(axis.name)} index is the mean weight of sentences: ${axis.labels.map((label, at) => `${words(label)} ${signed(axis.weights[at])}`).join(", ")}. The weights come from ${axis.weightsFrom}. Every sentence weighs the same, so long articles weigh more.`
      : axis ? `No index is shown for ${words(axis.name)}: no weights for its labels are known (stance report --taxonomy gives them).` : null,
    "Filters apply to all figures: choices of one menu add up, menus narrow each other down. Search wants every word, in any order; double quotes keep a phrase together.",
    corpus.models.length > 1 ? "More than one model tagged these rows: differences between articles may be differences between models." : null,
  ].filter(Boolean);
}

start();
