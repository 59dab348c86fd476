// The article reader: articles on the left, sentences with their framing on the right.

const ARTICLES_BESIDE = 10;
const ARTICLES_ABOVE = 4;
const MOST_CHANCES = 6;

function drawReader(view) {
  const { corpus, selection } = view;
  const articles = inReadingOrder(corpus, selection.articles);
  const list = h("ul", { class: "articles", id: "articles", keydown: moveWithin("button") });
  const size = window.matchMedia("(min-width: 60rem)").matches ? ARTICLES_BESIDE : ARTICLES_ABOVE;
  const page = pager(articles.length, size, "article", (from, to) => {
    list.replaceChildren(...articles.slice(from, to).map((article) => articleButton(view, article)));
  });
  byId("reader").replaceChildren(
    h("h2", {}, "Article reader"),
    legend(corpus) ?? "",
    h("div", { class: "desk" }, h("nav", { "aria-label": "Articles" }, list, page), h("article", { id: "article" })));
  if (!selection.articles.includes(view.article)) view.article = articles[0];
  page.go(articles.indexOf(view.article));
  drawArticle(view);
}

// The newest first; without dates, as they were given.
function inReadingOrder(corpus, articles) {
  return [...articles].sort((one, other) => corpus.days[other] - corpus.days[one] || one - other);
}

function legend(corpus) {
  const axis = mainAxis(corpus);
  if (!axis) return null;
  const columns = axis.columns.map((_, at) => at).filter((at) => at < axis.labels.length || axis.unsure);
  return h("p", { class: "legend" },
    columns.map((column) => h("span", { class: `label sample ${lookOf(axis, column).line}` }, glyph(axis, column), words(axis.columns[column]))),
    h("span", { class: "faint" }, "Point at a sentence, tap it, or go to it with Tab and the arrow keys, for its probabilities."));
}

function articleButton(view, article) {
  const { corpus } = view;
  return h("li", {}, h("button", {
    type: "button", "data-article": article, "aria-current": article === view.article ? "true" : null,
    click: () => view.open(article, null),
  }, h("span", { class: "title" }, articleTitle(corpus, article)),
  byline(corpus, article) ? h("span", { class: "faint" }, byline(corpus, article)) : null,
  sequence(corpus, article)));
}

// The article's sentences as a row of small marks, in order.
function sequence(corpus, article) {
  const axis = mainAxis(corpus);
  if (!axis) return null;
  const strip = h("span", { class: "sequence", "aria-hidden": "true" });
  for (let row = corpus.firstOf[article]; row < Math.min(corpus.firstOf[article + 1], corpus.firstOf[article] + 80); row++) {
    const look = lookOf(axis, axis.given[row]);
    const mark = h("i", { class: look.line });
    mark.style.setProperty("--colour", look.colour);
    strip.append(mark);
  }
  return strip;
}

function drawArticle(view) {
  const { corpus, article, selection } = view;
  const [first, end] = [corpus.firstOf[article], corpus.firstOf[article + 1]];
  const matching = selection.mask.subarray(first, end).reduce((total, each) => total + each, 0);
  const rows = Array.from({ length: end - first }, (_, at) => first + at);
  byId("article").replaceChildren(
    h("h3", {}, articleTitle(corpus, article)),
    h("p", { class: "faint" }, [byline(corpus, article), matching < end - first ? `${matching} of ${plural(end - first, "sentence")} match; the others are faded` : plural(end - first, "sentence")].filter(Boolean).join(" · "), link(corpus.articles.url[article])),
    h("ol", { class: "body", keydown: moveWithin("li"), focusin: showTip, focusout: hideTip, mouseover: showTip, mouseleave: hideTip },
      rows.map((row) => sentenceLine(view, row, row === first))));
  for (const button of document.querySelectorAll("#articles button")) {
    if (Number(button.dataset.article) === article) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}

// Only web addresses become links: a javascript: one would run.
function link(url) {
  if (!url || !/^https?:\/\//i.test(url)) return null;
  return [" · ", h("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, "original")];
}

function sentenceLine(view, row, reachable) {
  const { corpus, selection } = view;
  const axis = mainAxis(corpus);
  const column = axis ? axis.given[row] : null;
  const look = axis ? lookOf(axis, column) : { line: "zero", colour: "var(--zero)" };
  const line = h("li", {
    class: `line ${look.line}${selection.mask[row] ? "" : " faded"}`,
    tabindex: reachable ? "0" : "-1", "data-row": row, "data-label": axis ? axis.columns[column] : null,
  }, h("span", { class: "gutter", "aria-hidden": "true" }, axis ? glyph(axis, column) : null),
  h("span", { class: "words" },
    axis ? h("span", { class: "unseen" }, `${words(axis.columns[column])}: `) : null,
    h("span", { class: "ink" }, marked(corpus.texts[row], view.terms)), " ", chips(corpus, row)));
  line.style.setProperty("--colour", look.colour);
  line.chances = () => chances(corpus, row);
  return line;
}

function showTip(event) {
  const line = event.target.closest("li.line");
  const open = byId("tip");
  if (!line || (open && open.parentElement === line)) return;
  hideTip();
  line.append(h("div", { class: "tip", id: "tip", role: "tooltip" }, line.chances()));
  line.setAttribute("aria-describedby", "tip");
}

function hideTip() {
  const open = byId("tip");
  open?.parentElement.removeAttribute("aria-describedby");
  open?.remove();
}

document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });

// The probabilities of a sentence: all of a short axis, the highest of a long one.
function chances(corpus, row) {
  return corpus.axes.map((axis) => {
    const all = axis.labels.map((label, column) => ({ label, column, chance: probability(axis, row, column) }));
    const highest = all.sort((one, other) => other.chance - one.chance).slice(0, MOST_CHANCES);
    const unsure = axis.single && axis.given[row] === axis.labels.length;
    return h("dl", {},
      h("div", { class: "head" }, words(axis.name), unsure ? ": unsure" : "", axis.labels.length > MOST_CHANCES ? ` (highest ${MOST_CHANCES} of ${axis.labels.length})` : ""),
      highest.map(({ label, column, chance }) => h("div", { class: axis.has[row * axis.columns.length + column] ? "given" : null },
        h("dt", {}, axis.single ? glyph(axis, column) : null, words(label)), h("dd", {}, meter(chance), chance.toFixed(2)))));
  });
}

function meter(chance) {
  const fill = h("i", {});
  fill.style.width = `${chance * 100}%`;
  return h("span", { class: "meter", "aria-hidden": "true" }, fill);
}

// Arrow keys, Home and End move the focus among the parts of a list.
function moveWithin(selector) {
  return (event) => {
    const parts = [...event.currentTarget.querySelectorAll(selector)];
    const at = parts.indexOf(event.target.closest(selector));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: parts.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    const next = parts[Math.max(0, Math.min(parts.length - 1, to))];
    if (selector === "li") {
      parts[at].tabIndex = -1;
      next.tabIndex = 0;
    }
    next.focus();
  };
}
