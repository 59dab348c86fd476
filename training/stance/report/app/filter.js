// What is shown: one byte a sentence, 1 where it passes every filter.

function emptyFilter(corpus) {
  return {
    from: null,
    to: null,
    sources: new Set(),
    // One set of columns an axis; an empty set lets everything pass.
    labels: corpus.axes.map(() => new Set()),
    search: "",
  };
}

function isFiltered(filter) {
  return Boolean(
    filter.from !== null || filter.to !== null || filter.sources.size || filter.search.trim() ||
    filter.labels.some((chosen) => chosen.size)
  );
}

// The filter in words, for paper, where its controls are not.
function filterInWords(corpus, filter) {
  const sources = [...filter.sources].map((source) => corpus.sources[source] ?? "no source given");
  const labels = corpus.axes.map((axis, at) => [words(axis.name), [...filter.labels[at]].map((column) => words(axis.columns[column]))]);
  const lists = [["source", sources], ...labels].filter(([, chosen]) => chosen.length);
  return [
    filter.search.trim() ? `search: ${filter.search.trim()}` : null,
    filter.from === null ? null : `from ${isoDay(filter.from)}`,
    filter.to === null ? null : `to ${isoDay(filter.to)}`,
    ...lists.map(([name, chosen]) => `${name}: ${chosen.join(" or ")}`),
  ].filter((part) => part !== null).join("; ");
}

function applyFilter(corpus, filter) {
  const articlePasses = passingArticles(corpus, filter);
  const mask = new Uint8Array(corpus.count);
  for (let row = 0; row < corpus.count; row++) mask[row] = articlePasses[corpus.articleOf[row]];
  filter.labels.forEach((chosen, at) => keepLabels(corpus.axes[at], chosen, mask));
  keepMatches(corpus, searchTerms(filter.search), mask);
  return shown(corpus, mask);
}

function passingArticles(corpus, filter) {
  const passes = new Uint8Array(corpus.articleCount);
  const dated = filter.from !== null || filter.to !== null;
  for (let article = 0; article < corpus.articleCount; article++) {
    const day = corpus.days[article];
    const inTime = !dated ||
      (day !== NO_DAY && (filter.from === null || day >= filter.from) && (filter.to === null || day <= filter.to));
    passes[article] = inTime && (!filter.sources.size || filter.sources.has(corpus.sourceOf[article])) ? 1 : 0;
  }
  return passes;
}

function keepLabels(axis, chosen, mask) {
  if (!chosen.size) return;
  const columns = [...chosen];
  const width = axis.columns.length;
  for (let row = 0; row < mask.length; row++) {
    if (mask[row] && !columns.some((column) => axis.has[row * width + column])) mask[row] = 0;
  }
}

// Words in any order; a phrase in double quotes stays together.
function searchTerms(search) {
  const found = search.toLowerCase().match(/"[^"]*"?|[^\s"]+/g) ?? [];
  return found.map((term) => term.replaceAll('"', "").trim()).filter(Boolean);
}

function keepMatches(corpus, terms, mask) {
  if (!terms.length) return;
  corpus.lower ??= corpus.texts.map((text) => text.toLowerCase());
  for (let row = 0; row < mask.length; row++) {
    if (mask[row] && !terms.every((term) => corpus.lower[row].includes(term))) mask[row] = 0;
  }
}

function shown(corpus, mask) {
  const rows = [];
  const articles = [];
  for (let row = 0; row < mask.length; row++) {
    if (!mask[row]) continue;
    rows.push(row);
    const article = corpus.articleOf[row];
    if (articles.at(-1) !== article) articles.push(article);
  }
  return { mask, rows: Int32Array.from(rows), articles };
}
