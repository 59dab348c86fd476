// A look for every label: a colour and, for those who cannot tell colours, a shape of its own.

const SHAPES = ["●", "■", "▲", "◆", "▼", "★", "✚", "⬟"];
const PALETTE = 8;

// With weights: blue and ▼ below zero, orange and ▲ above, grey and ● at zero.
function lookOf(axis, column) {
  if (column === axis.labels.length) return { colour: "var(--unsure)", shape: "?", line: "unsure" };
  if (axis.weights) return weightedLook(axis, column);
  return { colour: `var(--c${column % PALETTE})`, shape: SHAPES[column % SHAPES.length], line: `line${column % 3}` };
}

function weightedLook(axis, column) {
  const weight = axis.weights[column];
  // Labels of one sign keep apart by shape: the first has the arrow.
  const peers = axis.weights.map((each, at) => [Math.sign(each), at]).filter(([sign]) => sign === Math.sign(weight));
  const rank = peers.findIndex(([, at]) => at === column);
  if (weight < 0) return { colour: "var(--low)", shape: ["▼", "▽", "◣"][rank % 3], line: "low" };
  if (weight > 0) return { colour: "var(--high)", shape: ["▲", "△", "◢"][rank % 3], line: "high" };
  return { colour: "var(--zero)", shape: ["●", "■", "◆", "★"][rank % 4], line: "zero" };
}

function glyph(axis, column) {
  const look = lookOf(axis, column);
  const mark = h("span", { class: "glyph", "aria-hidden": "true" }, look.shape);
  mark.style.color = look.colour;
  return mark;
}

function labelTag(axis, column) {
  return h("span", { class: "label" }, glyph(axis, column), words(axis.columns[column]));
}

// Chips of every axis but the one that colours.
function chips(corpus, row) {
  const main = mainAxis(corpus);
  return corpus.axes
    .filter((axis) => axis !== main)
    .flatMap((axis) => given(axis, row).map((column) => h("span", { class: "chip" }, words(axis.columns[column]))));
}

// Text in which the search terms are marked, made of text nodes.
function marked(text, terms) {
  if (!terms.length) return [text];
  const lower = text.toLowerCase();
  // Lower case can be longer than the text (İ); then places do not fit, and nothing is marked.
  if (lower.length !== text.length) return [text];
  const pieces = [];
  let done = 0;
  for (let at = 0; at < text.length; ) {
    const term = terms.find((each) => lower.startsWith(each, at));
    if (!term) { at++; continue; }
    pieces.push(text.slice(done, at), h("mark", {}, text.slice(at, at + term.length)));
    at += term.length;
    done = at;
  }
  return [...pieces, text.slice(done)];
}
