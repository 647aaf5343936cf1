// The kept pictures of the chosen cell, clean beside changed, with what each model said of them.

const AGREEMENT = { no: "The models disagree", wrong: "All wrong", right: "All right" };

function drawExamples(state) {
  const { data, examples } = state;
  const chosen = state.table.querySelector('[aria-selected="true"] [data-key]');
  examples.hidden = !chosen;
  if (!chosen) return;
  const { where, key } = chosen.dataset;
  const heading = make("h3", { tabindex: -1 }, where);
  const told = make("ul", { class: "told" }, ...readings(state, key).map((words) => make("li", {}, words)));
  const kept = data.examples;
  const parts = [heading, told];
  if (!data.pictures) parts.push(make("p", { class: "readout" }, "This run kept no pictures."));
  else if (kept?.cell !== state.cell) parts.push(make("p", { class: "readout", role: "status" }, "Fetching its pictures…"));
  else parts.push(...cards(state, kept, where));
  examples.replaceChildren(...parts);
  if (state.clicked && (kept?.cell === state.cell || !data.pictures)) {
    state.clicked = false;
    examples.scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
  }
}

function cards(state, kept, where) {
  const { data } = state;
  const count = kept.shown.length;
  const chosen = data.models.length > 1 ? "first those on which the models disagree, then those all get wrong" : "first those it gets wrong";
  const words =
    `${count} of the ${data.n.toLocaleString("en")} test images measured in this cell, out of ${kept.kept} whose pictures were kept, ` +
    `evenly spaced over the test images: ${chosen}, then the rest. They are picked to be looked at; the figures above are of all of them.`;
  const groups = [];
  const canvases = [];
  for (const agree of ["no", "wrong", "right"]) {
    const mine = kept.shown.map((image, at) => [image, at]).filter(([image]) => image.agree === agree);
    if (!mine.length) continue;
    if (data.models.length > 1) groups.push(make("h4", {}, `${AGREEMENT[agree]} (${mine.length})`));
    groups.push(make("div", { class: "cards" }, ...mine.map(([image, at]) => card(image, at, count, where, canvases))));
  }
  loadSheet(kept.sheet).then(
    (image) => canvases.forEach(([canvas, place]) => drawPicture(canvas, image, kept.sheet, place)),
    (error) => say(state.parent, `These pictures can't be drawn: ${error.message}.`),
  );
  return [make("p", { class: "readout" }, words), ...groups];
}

function card(image, at, count, where, canvases) {
  const clean = pictureBox(`${image.truth}, clean`);
  const spoiled = pictureBox(`${image.truth}, ${where}`);
  canvases.push([clean, at], [spoiled, count + at]);
  const pair = where === "Clean" ? [clean] : [clean, spoiled];
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
