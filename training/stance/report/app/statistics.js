// Means over sentences with 95% intervals that respect articles.

const LEVEL = 0.95;
const ENOUGH_ARTICLES = 40;
const MOST_RESAMPLES = 1000;
const LEAST_RESAMPLES = 200;
const DRAWS_A_CELL = 1_000_000;

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
function estimates(corpus, rows, measure, groupCount, groupsOf) {
  const cells = Array.from({ length: groupCount }, () => ({ values: [], starts: [], last: -1 }));
  for (const row of rows) {
    if (!measure.counts(row)) continue;
    const article = corpus.articleOf[row];
    const value = measure.value(row);
    for (const group of groupsOf(row, article)) {
      const cell = cells[group];
      if (cell.last !== article) {
        cell.starts.push(cell.values.length);
        cell.last = article;
      }
      cell.values.push(value);
    }
  }
  return cells.map((cell) => estimate(cell.values, cell.starts, measure));
}

function overall(corpus, rows, measure) {
  return estimates(corpus, rows, measure, 1, () => [0])[0];
}

function estimate(values, starts, measure) {
  const sentences = values.length;
  const articles = starts.length;
  if (!sentences) return { sentences, articles, mean: NaN, low: NaN, high: NaN };
  const mean = sum(values, 0, sentences) / sentences;
  const alike = values.every((value) => value === values[0]);
  const [low, high] = alike ? boundsOfAlike(mean, articles, measure) : resampled(values, starts);
  return { sentences, articles, mean, low, high };
}

function sum(values, start, end) {
  let total = 0;
  for (let at = start; at < end; at++) total += values[at];
  return total;
}

// Resampling equal values shows no spread, which is not certainty. The share of articles that could
// differ and still not have been drawn is bounded as by Clopper and Pearson (1934) for 0 of n.
function boundsOfAlike(mean, articles, measure) {
  const unseen = 1 - ((1 - LEVEL) / 2) ** (1 / articles);
  return [mean - unseen * (mean - measure.low), mean + unseen * (measure.high - mean)];
}

// The cluster bootstrap of stance.evaluate.resampling_weights: articles are drawn with replacement,
// and with fewer than 40 of them their sentences too.
function resampled(values, starts) {
  const random = generator(20_240_229);
  const ends = [...starts.slice(1), values.length];
  const few = starts.length < ENOUGH_ARTICLES;
  const work = few ? values.length : starts.length;
  const resamples = Math.min(MOST_RESAMPLES, Math.max(LEAST_RESAMPLES, Math.round(DRAWS_A_CELL / work)));
  const sums = few ? null : Float64Array.from(starts, (start, at) => sum(values, start, ends[at]));
  const means = new Float64Array(resamples);
  for (let at = 0; at < resamples; at++) {
    means[at] = few ? drawBoth(values, starts, ends, random) : drawArticles(sums, starts, ends, random);
  }
  means.sort();
  return [quantile(means, (1 - LEVEL) / 2), quantile(means, (1 + LEVEL) / 2)];
}

function drawArticles(sums, starts, ends, random) {
  let total = 0;
  let size = 0;
  for (let draw = 0; draw < sums.length; draw++) {
    const article = Math.floor(random() * sums.length);
    total += sums[article];
    size += ends[article] - starts[article];
  }
  return total / size;
}

function drawBoth(values, starts, ends, random) {
  let total = 0;
  let size = 0;
  for (let draw = 0; draw < starts.length; draw++) {
    const article = Math.floor(random() * starts.length);
    const length = ends[article] - starts[article];
    for (let each = 0; each < length; each++) {
      total += values[starts[article] + Math.floor(random() * length)];
    }
    size += length;
  }
  return total / size;
}

// Linear between order statistics, as numpy's default.
function quantile(sorted, level) {
  const at = level * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

// Marsaglia's xorshift (2003) from a fixed seed: the same filter always shows the same intervals.
function generator(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4_294_967_296;
  };
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
