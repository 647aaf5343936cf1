// The kept pictures of the chosen cell, clean beside changed, with what each model said of them.

const AGREEMENT = { no: "The models disagree", wrong: "All wrong", right: "All right" };

function drawExamples(state) {
  const { data, examples } = state;
  const chosen = state.table.querySelector('[aria-selected="true"] [data-key]');
  examples.hidden = !chosen;
  if (!chosen) return;
  const { where, key } = chosen.dataset;
  const heading = make("h3", { tabindex: -1 }, where);
  const said = readings(state, key);
  const told = make("ul", { class: "told" }, ...said.map((words) => make("li", {}, words)));
  const kept = data.examples;
  const parts = [heading, told];
  if (!data.pictures) parts.push(make("p", { class: "readout" }, "This run kept no pictures."));
  else if (kept?.cell !== state.cell) parts.push(make("p", { class: "readout", role: "status" }, "Fetching its pictures…"));
  else parts.push(...cards(state, kept, { where, key, told: said }));
  examples.replaceChildren(...parts);
  if (state.clicked && (kept?.cell === state.cell || !data.pictures)) {
    state.clicked = false;
    examples.scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
  }
}

function cards(state, kept, of) {
  const { data } = state;
  const count = kept.shown.length;
  const chosen = data.models.length > 1 ? "first those on which the models disagree, then those all get wrong" : "first those it gets wrong";
  const words =
    `${count} of the ${data.n.toLocaleString("en")} test images measured in this cell, out of ${kept.kept} whose pictures were kept, ` +
    `evenly spaced over the test images: ${chosen}, then the rest. They are picked to be looked at; the figures above are of all of them.`;
  const groups = [];
  const drawn = [];
  const canvases = [];
  for (const agree of ["no", "wrong", "right"]) {
    const mine = kept.shown.map((image, at) => [image, at]).filter(([image]) => image.agree === agree);
    if (!mine.length) continue;
    const title = data.models.length > 1 ? `${AGREEMENT[agree]} (${mine.length})` : "";
    if (title) groups.push(make("h4", {}, title));
    const cards = mine.map(([image, at]) => ({ image, pair: pairOf(image, at, count, of.where, canvases) }));
    groups.push(make("div", { class: "cards" }, ...cards.map(card)));
    drawn.push({ title, cards });
  }
  loadSheet(kept.sheet).then(
    (image) => canvases.forEach(([canvas, place]) => drawPicture(canvas, image, kept.sheet, place)),
    (error) => say(state.parent, `These pictures can't be drawn: ${error.message}.`),
  );
  const tools = savers((format) => saveExamples(state, format, { ...of, groups: drawn }));
  return [make("p", { class: "readout" }, words), ...groups, tools];
}

// The canvases of one image, clean and changed; on clean ones there is nothing to be changed.
function pairOf(image, at, count, where, canvases) {
  const clean = pictureBox(`${image.truth}, clean`);
  const spoiled = pictureBox(`${image.truth}, ${where}`);
  canvases.push([clean, at], [spoiled, count + at]);
  return where === "Clean" ? [clean] : [clean, spoiled];
}

function card({ image, pair }) {
  const says = image.says.map(({ model, said, sure, right }) =>
    make(
      "li",
      { class: right ? "right" : "wrong" },
      make("span", { class: "mark", "aria-hidden": "true" }, right ? "✓" : "✗"),
      make("span", {}, make("span", { class: "faint" }, `${model}: `), make("b", {}, said), ` ${Math.round(100 * sure)}\u00a0%`),
      make("span", { class: "unseen" }, right ? ", right" : ", wrong"),
    ),
  );
  return make(
    "figure",
    { class: "card" },
    make("div", { class: "pair" }, ...pair),
    make("figcaption", {}, make("span", { class: "faint" }, "True: "), make("b", {}, image.truth)),
    make("ul", {}, ...says),
  );
}
