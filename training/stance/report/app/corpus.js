// The embedded columns as typed arrays, so that a filter over 50,000 sentences is one quick loop.

const WHOLE = 10_000;
const NO_DAY = -(2 ** 31);
const MILLISECONDS_A_DAY = 86_400_000;
const UNSURE = "unsure";

function readCorpus(data) {
  const { articles, texts } = data;
  const firstOf = new Int32Array(articles.id.length + 1);
  articles.sentences.forEach((count, at) => { firstOf[at + 1] = firstOf[at] + count; });
  const articleOf = new Int32Array(texts.length);
  for (let at = 0; at < articles.id.length; at++) articleOf.fill(at, firstOf[at], firstOf[at + 1]);
  const sources = [...new Set(articles.source)].filter((source) => source !== null).sort();
  const place = new Map(sources.map((source, at) => [source, at]));
  return {
    count: texts.length,
    articleCount: articles.id.length,
    texts,
    articles,
    firstOf,
    articleOf,
    models: data.models,
    files: data.files ?? [],
    axes: data.axes.map((axis) => readAxis(axis, texts.length)),
    days: Int32Array.from(articles.day, (day) => (day === null ? NO_DAY : dayNumber(day))),
    dated: articles.day.filter((day) => day !== null).length,
    sources,
    // One past the last source stands for articles without one.
    sourceOf: Int32Array.from(articles.source, (source) => place.get(source) ?? sources.length),
    sourced: articles.source.filter((source) => source !== null).length,
    lower: null,
  };
}

// `has` holds one byte a sentence and column; a single-label axis has a last column for unsure.
function readAxis(axis, count) {
  const columns = axis.single ? [...axis.labels, UNSURE] : axis.labels;
  const has = new Uint8Array(count * columns.length);
  axis.given.forEach((given, row) => {
    for (const column of axis.single ? [given] : given) has[row * columns.length + column] = 1;
  });
  return {
    name: axis.name,
    single: axis.single,
    labels: axis.labels,
    columns,
    weights: axis.weights,
    weightsFrom: axis.weightsFrom,
    has,
    given: axis.single ? Int16Array.from(axis.given) : null,
    probabilities: Uint16Array.from(axis.probabilities),
    unsure: axis.single ? axis.given.filter((given) => given === axis.labels.length).length : 0,
  };
}

function dayNumber(iso) {
  return Date.parse(`${iso}T00:00:00Z`) / MILLISECONDS_A_DAY;
}

function isoDay(day) {
  return new Date(day * MILLISECONDS_A_DAY).toISOString().slice(0, 10);
}

function given(axis, row) {
  const found = [];
  for (let column = 0; column < axis.columns.length; column++) {
    if (axis.has[row * axis.columns.length + column]) found.push(column);
  }
  return found;
}

function probability(axis, row, column) {
  return axis.probabilities[row * axis.labels.length + column] / WHOLE;
}

// The axis that colours: the first with one label a sentence.
function mainAxis(corpus) {
  return corpus.axes.find((axis) => axis.single) ?? null;
}

// An article without a title goes by the start of its first sentence.
function articleTitle(corpus, article) {
  return corpus.articles.title[article] ?? clipped(corpus.texts[corpus.firstOf[article]], 90);
}

function byline(corpus, article) {
  const { id, title, source, date } = corpus.articles;
  const name = title[article] === null ? id[article] : null;
  return [source[article], date[article], name].filter((part) => part !== null).join(" · ");
}
