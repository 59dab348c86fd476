// The filter bar. It writes into the filter and calls `changed`; it never draws figures.

const SEARCH_WAIT = 180;

function drawControls(form, corpus, filter, changed) {
  form.replaceChildren(
    searchField(filter, changed),
    corpus.dated ? dateFields(corpus, filter, changed) : "",
    corpus.sourced ? menu("source", sourceChoices(corpus), filter.sources, changed) : "",
    ...corpus.axes.map((axis, at) => menu(words(axis.name), labelChoices(axis), filter.labels[at], changed)),
    h("button", { type: "button", class: "plain", id: "clear", disabled: true }, "Clear filters"),
    h("p", { class: "status", id: "status", role: "status", "aria-live": "polite" }),
    h("p", { class: "on-paper", id: "chosen" }),
  );
}

function searchField(filter, changed) {
  const soon = later(changed, SEARCH_WAIT);
  const input = h("input", {
    type: "search", id: "search", placeholder: "Search sentences", autocomplete: "off", spellcheck: "false",
    input: (event) => { filter.search = event.target.value; soon(); },
  });
  return h("label", { class: "field grow" }, h("span", { class: "unseen" }, "Search sentences: all words; a phrase in double quotes"), input);
}

function dateFields(corpus, filter, changed) {
  const [first, last] = extent([...corpus.days].filter((day) => day !== NO_DAY));
  const field = (name, key) => h("label", { class: "field" }, h("span", {}, name), h("input", {
    type: "date", id: key, min: isoDay(first), max: isoDay(last),
    change: (event) => { filter[key] = event.target.value ? dayNumber(event.target.value) : null; changed(); },
  }));
  return h("span", { class: "dates" }, field("From", "from"), field("to", "to"));
}

function sourceChoices(corpus) {
  const counts = new Int32Array(corpus.sources.length + 1);
  for (const source of corpus.sourceOf) counts[source]++;
  const names = [...corpus.sources, "no source given"];
  return names
    .map((name, value) => ({ name, value, count: counts[value] }))
    .filter((choice) => choice.count)
    .sort((one, other) => other.count - one.count || one.value - other.value);
}

function labelChoices(axis) {
  return axis.columns.map((label, value) => {
    let count = 0;
    for (let at = value; at < axis.has.length; at += axis.columns.length) count += axis.has[at];
    return { name: words(label), value, count, mark: axis.single ? glyph(axis, value) : null };
  }).filter((choice) => choice.count || choice.name !== UNSURE);
}

// A disclosure with checkboxes: plain elements, so that keyboard and screen readers know them. The
// browser closes the others of the same name.
function menu(name, choices, chosen, changed) {
  const caption = h("summary", {}, chosenText(name, choices, chosen));
  const list = h("ul", {}, choices.map((choice) => h("li", {}, h("label", {},
    h("input", {
      type: "checkbox", value: choice.value,
      change: (event) => {
        if (event.target.checked) chosen.add(choice.value); else chosen.delete(choice.value);
        caption.textContent = chosenText(name, choices, chosen);
        changed();
      },
    }),
    choice.mark, h("span", { class: "name" }, choice.name), h("span", { class: "n" }, number(choice.count))))));
  return h("details", { class: "menu", name: "filter", "data-filter": name, keydown: closeOnEscape }, caption, list);
}

function chosenText(name, choices, chosen) {
  if (!chosen.size) return `${name}: all`;
  const names = choices.filter((choice) => chosen.has(choice.value)).map((choice) => choice.name);
  return `${name}: ${names.length > 2 ? `${names.length} of ${choices.length}` : clipped(names.join(", "), 34)}`;
}

function closeOnEscape(event) {
  if (event.key !== "Escape" || !event.currentTarget.open) return;
  event.currentTarget.open = false;
  event.currentTarget.querySelector("summary").focus();
}

document.addEventListener("pointerdown", (event) => {
  if (event.target.closest("details.menu")) return;
  for (const open of document.querySelectorAll("details.menu[open]")) open.open = false;
});

function showStatus(corpus, filter, selection) {
  byId("status").textContent =
    `${number(selection.rows.length)} of ${plural(corpus.count, "sentence")}, in ` +
    `${number(selection.articles.length)} of ${plural(corpus.articleCount, "article")}`;
  byId("chosen").textContent = isFiltered(filter) ? `Filters: ${filterInWords(corpus, filter)}` : "";
  byId("clear").disabled = !isFiltered(filter);
}
