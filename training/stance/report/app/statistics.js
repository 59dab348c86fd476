// Means over sentences with 95% intervals that respect articles.

const LEVEL = 0.95;
// The 97.5% points of the normal distribution, and of Student's t where its expansion is too rough.
const NORMAL = 1.959964;
const STUDENT = [Infinity, 12.706205, 4.302653];

// A measure is a value a sentence: 0 or 1 for a label's share, the label's weight for the index.
function shareMeasure(axis, column) {
  const width = axis.columns.length;
  return {
    key: `${axis.name}:${column}`,
    axis,
    column,
    name: axis.single ? `share ${words(axis.columns[column])}` : `share on ${words(axis.columns[column])}`,
    low: 0,
    high: 1,
    counts: () => true,
    value: (row) => axis.has[row * width + column],
    format: percent,
  };
}

// Sentences that the model was unsure of have no weight and are left out.
function indexMeasure(axis) {
  const weights = Float64Array.from(axis.weights);
  return {
    key: `${axis.name}:index`,
    axis,
    column: null,
    name: `${words(axis.name)} index`,
    low: Math.min(...weights),
    high: Math.max(...weights),
    counts: (row) => axis.given[row] < weights.length,
    value: (row) => weights[axis.given[row]],
    format: signed,
  };
}

function measuresOf(corpus) {
  return corpus.axes.flatMap((axis) => [
    ...(axis.weights ? [indexMeasure(axis)] : []),
    ...axis.columns
      .map((label, column) => shareMeasure(axis, column))
      .filter((measure) => measure.column < axis.labels.length || axis.unsure > 0),
  ]);
}

// One estimate a group; `groupsOf(row, article)` gives the groups of a sentence.
// One estimate a group; `groupsOf(row, article)` gives the groups of a sentence.
function estimates(corpus, rows, measure, groupCount, groupsOf) {
  const cells = Array.from({ length: groupCount }, () => ({ sums: [], squares: 0, sizes: [], last: -1 }));
  for (const row of rows) {
    if (!measure.counts(row)) continue;
    const article = corpus.articleOf[row];
    const value = measure.value(row);
    for (const group of groupsOf(row, article)) add(cells[group], article, value);
  }
  return cells.map((cell) => estimate(cell, measure));
}

// Sums and sizes stand one an article, as rows come article by article.
function add(cell, article, value) {
  if (cell.last !== article) {
    cell.sums.push(0);
    cell.sizes.push(0);
    cell.last = article;
  }
  cell.sums[cell.sums.length - 1] += value;
  cell.sizes[cell.sizes.length - 1]++;
  cell.squares += value * value;
}

function overall(corpus, rows, measure) {
  return estimates(corpus, rows, measure, 1, () => [0])[0];
}

function estimate(cell, measure) {
  const articles = cell.sums.length;
  if (!articles) return { sentences: 0, articles, mean: NaN, low: NaN, high: NaN };
  const sentences = total(cell.sizes);
  const mean = total(cell.sums) / sentences;
  const alone = articles === 1;
  const error = alone ? errorOfSentences(mean, cell.squares, sentences) : errorOfArticles(mean, cell, sentences);
  const [low, high] = bounds(mean, error, alone ? sentences : articles, measure);
  return { sentences, articles, mean, low, high };
}

function total(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

// The jackknife of stance.intervals: what the mean becomes when each article is left out.
function errorOfArticles(mean, { sums, sizes }, sentences) {
  const [sum, articles] = [mean * sentences, sums.length];
  let squares = 0;
  for (let at = 0; at < articles; at++) squares += ((sum - sums[at]) / (sentences - sizes[at]) - mean) ** 2;
  return Math.sqrt((squares * (articles - 1)) / articles);
}

// A single article says nothing of others; its sentences stand for themselves.
function errorOfSentences(mean, squares, sentences) {
  const spread = Math.max(0, squares - sentences * mean * mean);
  return sentences > 1 ? Math.sqrt(spread / (sentences * (sentences - 1))) : 0;
}

// On the log-odds scale between the measure's ends, so that no interval leaves them. Equal values
// show no spread, which is not certainty: the share of articles that could differ and still not have
// been met is bounded as by Clopper and Pearson (1934) for 0 of n.
function bounds(mean, error, articles, { low, high }) {
  const share = (mean - low) / (high - low);
  const scaled = error / (high - low);
  if (scaled < 1e-9 || share <= 0 || share >= 1) {
    const unseen = 1 - ((1 - LEVEL) / 2) ** (1 / articles);
    return [mean - unseen * (mean - low), mean + unseen * (high - mean)];
  }
  const odds = Math.log(share / (1 - share));
  const reach = (student(articles - 1) * scaled) / (share * (1 - share));
  return [odds - reach, odds + reach].map((each) => low + (high - low) / (1 + Math.exp(-each)));
}

// Fisher and Cornish's expansion (1960) of the 97.5% point of Student's t: within 0.1% from 3 degrees on.
function student(freedom) {
  if (freedom < STUDENT.length) return STUDENT[freedom];
  const [z, z2, v] = [NORMAL, NORMAL * NORMAL, freedom];
  return z * (1 + (z2 + 1) / (4 * v)
    + ((5 * z2 + 16) * z2 + 3) / (96 * v ** 2)
    + (((3 * z2 + 19) * z2 + 17) * z2 - 15) / (384 * v ** 3)
    + ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / (92_160 * v ** 4));
}

// Calendar periods as whole numbers that follow each other.
const PERIODS = {
  day: { of: (day) => day, name: isoDay },
  week: { of: (day) => Math.floor((day + 3) / 7), name: (week) => `week of ${isoDay(week * 7 - 3)}`, tick: (week) => isoDay(week * 7 - 3) },
  month: { of: (day) => monthOf(day), name: (month) => `${yearOf(month)}-${String((month % 12) + 1).padStart(2, "0")}` },
  quarter: { of: (day) => Math.floor(monthOf(day) / 3), name: (quarter) => `${Math.floor(quarter / 4)} Q${(quarter % 4) + 1}` },
  year: { of: (day) => yearOf(monthOf(day)), name: String },
};

function monthOf(day) {
  const date = new Date(day * MILLISECONDS_A_DAY);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

function yearOf(month) {
  return Math.floor(month / 12);
}

// Periods that the dates are exact enough for.
function possiblePeriods(corpus) {
  const names = Object.keys(PERIODS);
  return names.slice(names.indexOf(corpus.articles.exactTo));
}

function fittingPeriod(corpus, articles, most = 36) {
  const days = articles.map((article) => corpus.days[article]).filter((day) => day !== NO_DAY);
  const [first, last] = extent(days);
  const possible = possiblePeriods(corpus);
  return possible.find((name) => PERIODS[name].of(last) - PERIODS[name].of(first) < most) ?? "year";
}

function extent(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

// How often two labels of an axis stand on one sentence; the diagonal counts each alone.
function together(axis, rows) {
  const width = axis.columns.length;
  const counts = new Int32Array(width * width);
  for (const row of rows) {
    const found = given(axis, row);
    for (const one of found) for (const other of found) counts[one * width + other]++;
  }
  return counts;
}

// The rows that carry a label, most probable first; a sentence that stands in many articles comes once.
function clearest(axis, column, rows, texts) {
  const found = Array.from(rows).filter((row) => axis.has[row * axis.columns.length + column]);
  found.sort((one, other) => probability(axis, other, column) - probability(axis, one, column) || one - other);
  const seen = new Set();
  return found.filter((row) => !seen.has(texts[row]) && seen.add(texts[row]));
}
