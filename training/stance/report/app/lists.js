// The list of matching sentences, a page at a time.

const PAGE = 25;

function sentenceItem(view, row) {
  const { corpus } = view;
  const article = corpus.articleOf[row];
  const axis = mainAxis(corpus);
  return h("li", { class: "sentence-item", "data-row": row },
    h("p", { class: "text" }, marked(corpus.texts[row], view.terms)),
    h("p", { class: "meta" },
      axis ? h("span", { class: "label" }, glyph(axis, axis.given[row]), certainty(axis, row)) : null,
      chips(corpus, row),
      h("button", { type: "button", class: "link", click: () => view.open(article, row) }, clipped(articleTitle(corpus, article), 70)),
      byline(corpus, article) ? h("span", { class: "faint" }, byline(corpus, article)) : null));
}

function certainty(axis, row) {
  const column = axis.given[row];
  if (column < axis.labels.length) return `${words(axis.columns[column])} ${probability(axis, row, column).toFixed(2)}`;
  const best = axis.labels.map((label, at) => [probability(axis, row, at), words(label)]).sort((a, b) => b[0] - a[0])[0];
  return `unsure; best ${best[1]} ${best[0].toFixed(2)}`;
}

function drawSentences(view) {
  const { selection, corpus } = view;
  const list = h("ol", { class: "plain-list", id: "sentence-list" });
  const page = pager(selection.rows.length, PAGE, "sentence", (from, to) => {
    list.replaceChildren(...Array.from(selection.rows.subarray(from, to), (row) => sentenceItem(view, row)));
  });
  byId("sentences").replaceChildren(
    h("h2", {}, "Sentences"),
    h("p", { class: "note" }, `${number(selection.rows.length)} of ${plural(corpus.count, "sentence")} match, in article order.`),
    list, page);
}

// Two buttons and a count; `show(from, to)` draws the part.
function pager(total, size, noun, show) {
  let at = 0;
  const told = h("p", { class: "note" });
  const before = h("button", { type: "button", class: "plain", click: () => go(at - size) }, "Previous");
  const after = h("button", { type: "button", class: "plain", click: () => go(at + size) }, "Next");
  const go = (to) => {
    at = Math.max(0, Math.min(to, Math.max(0, total - 1)));
    at -= at % size;
    const end = Math.min(at + size, total);
    before.disabled = at === 0;
    after.disabled = end >= total;
    told.textContent = `${number(at + 1)} to ${number(end)} of ${plural(total, noun)}`;
    show(at, end);
  };
  go(0);
  before.hidden = after.hidden = total <= size;
  const box = h("div", { class: "pager" }, before, told, after);
  box.go = go;
  return box;
}
