// Charts as inline SVG. Each has a title, a description, and its figures as a table below.

const FEW_ARTICLES = 5;
// How wide a letter of a name is, in pixels, in the widest of the fonts that may be there.
const NAME_LETTER = 7.6;
let serial = 0;

function figure(title, drawing, table, note = null) {
  return h("figure", {},
    h("figcaption", {}, title),
    drawing,
    note ? h("p", { class: "note" }, note) : null,
    tableBelow(title, table));
}

// The table is made when it is first asked for: thousands of sources would slow every filter. A click,
// or Enter, makes it before the box opens; `toggle` comes only some time after, so that alone it would
// show an empty box first. It is there for what opens the box in another way.
function tableBelow(title, table) {
  const box = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${title}, as a table` });
  const make = () => { if (!box.children.length) box.append(table()); };
  const opened = (event) => { if (event.target.open) make(); };
  return h("details", { class: "data", toggle: opened }, h("summary", { click: make }, "Figures as a table"), box);
}

function canvas(width, height, title, description, ...children) {
  const id = `chart${serial++}`;
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-labelledby": `${id}t ${id}d`, class: "chart" },
    svg("title", { id: `${id}t` }, title),
    svg("desc", { id: `${id}d` }, description),
    children);
}

function describe(points, measure) {
  const known = points.filter((point) => point.estimate.sentences);
  const told = known.slice(0, 60).map((point) => `${point.name} ${interval(point.estimate, measure)}`);
  return `${measure.name} with 95% intervals: ${told.join("; ")}.`;
}

function interval(estimate, measure) {
  return `${measure.format(estimate.mean)} [${measure.format(estimate.low)}, ${measure.format(estimate.high)}]`;
}

function tip(point, measure) {
  return `${point.name}: ${interval(point.estimate, measure)}; ${of(point.estimate)}`;
}

function of(estimate) {
  return `${plural(estimate.sentences, "sentence")} of ${plural(estimate.articles, "article")}`;
}

function estimateTable(heading, points, measure) {
  const head = [heading, measure.name, "95% interval", "sentences", "articles"];
  return h("table", {},
    h("thead", {}, h("tr", {}, head.map((name, at) => h("th", { scope: "col", class: at ? "n" : null }, name)))),
    h("tbody", {}, points.map(({ name, estimate }) => h("tr", {},
      h("th", { scope: "row" }, name),
      h("td", { class: "n" }, estimate.sentences ? measure.format(estimate.mean) : "none"),
      h("td", { class: "n" }, estimate.sentences ? `${measure.format(estimate.low)} to ${measure.format(estimate.high)}` : ""),
      h("td", { class: "n" }, number(estimate.sentences)),
      h("td", { class: "n" }, number(estimate.articles))))));
}

// Round steps that give about `count` ticks.
function ticks(low, high, count = 5) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((each) => each >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, at) => (first + at) * step);
}

// Shares start at nought; an index is as wide on both sides, so that nought stands in the middle.
function domain(points, measure) {
  const known = points.filter((point) => point.estimate.sentences);
  if (measure.column === null) {
    const far = Math.max(...known.map(({ estimate }) => Math.max(Math.abs(estimate.low), Math.abs(estimate.high))), 0.1);
    const limit = Math.min(Math.max(Math.abs(measure.low), Math.abs(measure.high)), Math.ceil(far * 4) / 4);
    return [-limit, limit];
  }
  const far = Math.max(...known.map(({ estimate }) => estimate.high), 0.1);
  return [0, Math.min(1, Math.ceil(far * 10) / 10)];
}

function scale([low, high], [start, end]) {
  return (value) => start + ((value - low) / (high - low)) * (end - start);
}

function pointColour(measure) {
  return measure.column === null || !measure.axis.single ? "var(--ink)" : lookOf(measure.axis, measure.column).colour;
}

function dot(x, y, point, measure) {
  const few = point.estimate.articles < FEW_ARTICLES;
  const mark = svg("circle", { cx: x, cy: y, r: 4, class: few ? "dot few" : "dot" });
  mark.style.stroke = pointColour(measure);
  mark.style.fill = few ? "var(--paper)" : pointColour(measure);
  return mark;
}

function bar(x1, y1, x2, y2, measure) {
  const line = svg("line", { x1, y1, x2, y2, class: "error" });
  line.style.stroke = pointColour(measure);
  return line;
}

// Which end of an index is which, in the words of the labels.
function poles(axis) {
  const sorted = axis.labels.map((label, column) => ({ label, column, weight: axis.weights[column] })).sort((a, b) => a.weight - b.weight);
  return { low: sorted[0], high: sorted.at(-1) };
}

function timeChart(points, measure, width, title) {
  const height = 300;
  const [left, right, top, bottom, strip] = [54, width - 14, 14, 214, 34];
  const [low, high] = domain(points, measure);
  const y = scale([low, high], [bottom, top]);
  const x = (at) => left + ((at + 0.5) * (right - left)) / points.length;
  const parts = ticks(low, high).map((tick) => [
    svg("line", { x1: left, x2: right, y1: y(tick), y2: y(tick), class: Math.abs(tick) < 1e-9 ? "grid zero" : "grid" }),
    svg("text", { x: left - 8, y: y(tick) + 4, "text-anchor": "end" }, measure.format(tick)),
  ]);
  if (measure.column === null) parts.push(sides(measure, left, top, bottom));
  parts.push(trend(points, x, y), timeTicks(points, x, right - left, bottom), counts(points, x, (right - left) / points.length, bottom + 38, strip, left));
  points.forEach((point, at) => {
    if (point.estimate.sentences) parts.push(timePoint(point, x(at), y, measure));
  });
  return canvas(width, height, title, describe(points, measure), parts);
}

function timePoint(point, x, y, measure) {
  const { low, high, mean } = point.estimate;
  return svg("g", { class: "point" }, svg("title", {}, tip(point, measure)), bar(x, y(low), x, y(high), measure), dot(x, y(mean), point, measure));
}

function sides(measure, left, top, bottom) {
  const ends = poles(measure.axis);
  return [["high", top + 10, `▲ ${words(ends.high.label)}`], ["low", bottom - 5, `▼ ${words(ends.low.label)}`]]
    .map(([side, y, text]) => svg("text", { x: left + 6, y, class: `side ${side}` }, text));
}

// A line joins neighbouring periods only: over a gap it would claim what nobody counted.
function trend(points, x, y) {
  let path = "";
  let open = false;
  points.forEach(({ estimate }, at) => {
    if (estimate.sentences) path += `${open ? "L" : "M"}${x(at).toFixed(1)} ${y(estimate.mean).toFixed(1)}`;
    open = estimate.sentences > 0;
  });
  return svg("path", { d: path, class: "trend" });
}

function timeTicks(points, x, width, bottom) {
  const longest = Math.max(...points.map((point) => (point.tick ?? point.name).length));
  const every = Math.max(1, Math.ceil((points.length * (longest * 7 + 18)) / width));
  return points.flatMap((point, at) => at % every ? [] : [
    svg("line", { x1: x(at), x2: x(at), y1: bottom, y2: bottom + 5, class: "grid" }),
    svg("text", { x: x(at), y: bottom + 20, "text-anchor": "middle" }, point.tick ?? point.name),
  ]);
}

function counts(points, x, room, top, height, left) {
  const most = Math.max(...points.map((point) => point.estimate.articles));
  const thick = Math.max(1, Math.min(18, room * 0.6));
  return svg("g", { class: "counts" },
    svg("text", { x: left - 8, y: top + 10, "text-anchor": "end" }, number(most)),
    svg("text", { x: left - 8, y: top + height + 4, "text-anchor": "end" }, "0"),
    points.map((point, at) => {
      const tall = most ? (point.estimate.articles / most) * height : 0;
      return svg("rect", { x: x(at) - thick / 2, y: top + height - tall, width: thick, height: tall }, svg("title", {}, `${point.name}: ${of(point.estimate)}`));
    }));
}

// One row a group: name, estimate with its interval, how many sentences.
function dotChart(points, measure, width, title, count = (estimate) => estimate.sentences) {
  const longest = Math.max(...points.map((point) => point.name.length));
  const left = Math.min(longest * NAME_LETTER + 10, width * 0.4);
  const right = width - 62;
  const [rowHeight, top] = [26, 20];
  const bottom = top + points.length * rowHeight;
  const [low, high] = domain(points, measure);
  const x = scale([low, high], [left, right]);
  const marks = ticks(low, high, Math.max(3, Math.min(5, Math.floor((right - left) / 60)))).map((tick) => [
    svg("line", { x1: x(tick), x2: x(tick), y1: top, y2: bottom, class: Math.abs(tick) < 1e-9 ? "grid zero" : "grid" }),
    svg("text", { x: x(tick), y: bottom + 18, "text-anchor": "middle" }, measure.format(tick)),
  ]);
  const rows = points.map((point, at) => dotRow(point, measure, x, top + (at + 0.5) * rowHeight, left, width, count));
  const head = svg("text", { x: width, y: 12, "text-anchor": "end", class: "count" }, "sentences");
  return canvas(width, bottom + 28, title, describe(points, measure), marks, rows, head);
}

function dotRow(point, measure, x, y, left, width, count) {
  const { estimate } = point;
  return svg("g", { class: "point" },
    svg("title", {}, tip(point, measure)),
    svg("text", { x: 0, y: y + 4, class: "name" }, clipped(point.name, Math.floor((left - 10) / NAME_LETTER))),
    bar(x(estimate.low), y, x(estimate.high), y, measure),
    dot(x(estimate.mean), y, point, measure),
    svg("text", { x: width, y: y + 4, "text-anchor": "end", class: "count" }, number(count(estimate))));
}
