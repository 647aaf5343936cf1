// One image under every condition, slid through the strengths in the browser: all of its pictures are here already.

const STEPS = 5;
const CLEAN_PLACE = (conditions) => conditions.length * STEPS;

export default function ({ data, parentElement, setStateValue }) {
  const state = remembered(parentElement, data.gallery, () => buildGallery(parentElement));
  const first = state.data === null;
  state.data = data;
  state.send = setStateValue;
  if (first) Object.assign(state, data.asked);
  state.image = Math.min(state.image, data.names.length - 1);
  if (data.sheet) state.sheets.set(data.sheet.image, loadSheet(data.sheet));
  try {
    drawGallery(state);
    say(parentElement, "");
    if (!state.sheets.has(state.image)) tellGallery(state);
  } catch (error) {
    say(parentElement, `The gallery can't be drawn: ${error.message}.`);
  }
  return () => forget(parentElement);
}

function buildGallery(parent) {
  const state = { data: null, parent, sheets: new Map(), boxes: [], drawn: "" };
  state.root = parent.querySelector(".player");
  state.strip = make("div", { class: "strip-of-images", role: "group", "aria-label": "Image" });
  state.slider = make("input", { type: "range", min: 0, max: STEPS, step: 1 });
  state.label = make("span");
  state.where = make("output");
  state.groups = make("span");
  state.slider.addEventListener("input", () => {
    state.strength = Number(state.slider.value);
    paintGallery(state);
  });
  state.slider.addEventListener("change", () => tellGallery(state));
  state.close = make("section", { class: "close-up", "aria-label": "Enlarged", hidden: true });
  state.sets = make("div");
  state.root.replaceChildren(
    state.strip,
    make("div", { class: "bar slide" }, make("label", {}, state.label, state.slider, state.where), state.groups),
    state.close,
    state.sets,
    savers((format) => saveGallery(state, format)),
  );
  state.root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state.zoom) enlarge(state, null);
  });
  return state;
}

// What is looked at goes into the address; `have` spares the server from sending a sheet twice.
function tellGallery(state) {
  const { image, strength, zoom, group } = state;
  state.send("at", { image, strength, zoom, group, have: [...state.sheets.keys()] });
}

function change(state, changes) {
  Object.assign(state, changes);
  drawGallery(state);
  tellGallery(state);
}

function drawGallery(state) {
  const { data } = state;
  const groups = [
    { value: "part", text: "Seen / held out" },
    { value: "kind", text: "By kind" },
  ];
  const drawn = JSON.stringify([data.gallery, state.group]);
  if (state.drawn !== drawn) {
    state.drawn = drawn;
    drawStrip(state);
    state.groups.replaceChildren(choice("Grouped", groups, state.group, (value) => change(state, { group: value })));
    drawSets(state);
  }
  state.strip.querySelectorAll("button").forEach((button, at) => button.setAttribute("aria-pressed", String(at === state.image)));
  state.slider.value = state.strength;
  state.slider.setAttribute("aria-label", data.words.strength);
  state.label.textContent = data.words.strength;
  drawCloseUp(state);
  paintGallery(state);
}

function drawStrip(state) {
  const { data } = state;
  state.strip.hidden = data.names.length < 2;
  const canvases = data.names.map(() => pictureBox(null));
  const pick = (image) => change(state, { image });
  state.strip.replaceChildren(
    ...canvases.map((canvas, at) =>
      make("button", { type: "button", "aria-label": `${data.names[at]}, image ${at + 1}`, title: data.names[at], onclick: () => pick(at) }, canvas),
    ),
  );
  loadSheet(data.thumbs).then((image) => canvases.forEach((canvas, at) => drawPicture(canvas, image, data.thumbs, at)));
}

function drawSets(state) {
  const { data } = state;
  state.boxes = [];
  const sets = data.groupings[state.group] ?? data.groupings.part;
  state.sets.replaceChildren(
    ...sets.flatMap(({ title, note, members }) => [
      make("h2", {}, title, note && make("span", { class: "faint" }, ` ${note}`)),
      make("div", { class: "specimens" }, ...members.map((name) => specimen(state, name))),
    ]),
  );
}

function specimen(state, name) {
  const { title, caption } = state.data.conditions.find((entry) => entry.name === name);
  const canvas = pictureBox(null);
  state.boxes.push({ name, canvas });
  const words = make("span", { class: "words" }, make("b", {}, title), make("span", { class: "faint" }, caption));
  return make(
    "button",
    { type: "button", class: "specimen", "data-name": name, onclick: () => enlarge(state, name) },
    canvas,
    words,
  );
}

function enlarge(state, name) {
  const before = state.zoom;
  change(state, { zoom: name });
  if (name) state.close.scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
  else state.sets.querySelector(`[data-name="${before}"]`)?.focus();
}

function placeOf(state, name, strength) {
  const at = state.data.conditions.findIndex((entry) => entry.name === name);
  return strength === 0 ? CLEAN_PLACE(state.data.conditions) : at * STEPS + strength - 1;
}

function drawCloseUp(state) {
  const { data, zoom, close } = state;
  const facts = data.conditions.find((entry) => entry.name === zoom);
  close.hidden = !facts;
  state.near = null;
  if (!facts) return;
  const focused = state.root.getRootNode().activeElement?.dataset?.step;
  const [clean, spoiled] = [pictureBox("As it is"), pictureBox(`${facts.title}`)];
  const note = make("figcaption");
  const row = Array.from({ length: STEPS }, (_, at) => pictureBox(null));
  const buttons = row.map((canvas, at) =>
    make("button", { type: "button", "data-step": at + 1, onclick: () => change(state, { strength: at + 1 }) }, canvas, `${at + 1}`),
  );
  state.near = { clean, spoiled, row, buttons, note, name: zoom, title: facts.title };
  close.replaceChildren(
    make(
      "header",
      {},
      make("h2", {}, facts.title, make("span", { class: "faint" }, ` ${facts.seen ? "seen" : "held out"}, ${facts.kind}`)),
      make("button", { type: "button", onclick: () => enlarge(state, null) }, "Close"),
    ),
    make("p", { class: "readout" }, facts.caption),
    make("div", { class: "beside" }, make("figure", {}, clean, make("figcaption", {}, "As it is")), make("figure", {}, spoiled, note)),
    make("div", { class: "steps", role: "group", "aria-label": data.words.strengths }, ...buttons),
  );
  if (focused) close.querySelector(`[data-step="${focused}"]`)?.focus();
}

function paintGallery(state) {
  const { data, strength, image } = state;
  const words = strength === 0 ? "0, as it is" : `${strength} of ${STEPS}`;
  state.where.textContent = words;
  state.slider.setAttribute("aria-valuetext", words);
  if (state.near) {
    state.near.note.textContent = strength === 0 ? "As it is" : `${data.words.strength} ${strength}`;
    state.near.spoiled.setAttribute("aria-label", `${state.near.title}, ${data.words.strength.toLowerCase()} ${strength}`);
    state.near.buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(at + 1 === strength)));
  }
  const sheet = state.sheets.get(image);
  state.root.classList.toggle("waits", !sheet);
  if (!sheet) return;
  sheet.then(
    (picture) => {
      // A later slide may have overtaken this one.
      if (state.image !== image || state.strength !== strength) return;
      const layout = { tile: data.thumbs.tile, columns: STEPS };
      const draw = (canvas, place) => drawPicture(canvas, picture, layout, place);
      for (const { name, canvas } of state.boxes) draw(canvas, placeOf(state, name, strength));
      if (!state.near) return;
      draw(state.near.clean, placeOf(state, state.near.name, 0));
      draw(state.near.spoiled, placeOf(state, state.near.name, strength));
      state.near.row.forEach((canvas, at) => draw(canvas, placeOf(state, state.near.name, at + 1)));
      state.root.dataset.shown = `${image} ${strength}`;
    },
    (error) => say(state.parent, `These pictures can't be drawn: ${error.message}.`),
  );
}

// Every condition of the chosen image at the chosen strength, a few in a row.
function saveGallery(state, format) {
  const { data, strength, image } = state;
  const level = data.words.strength.toLowerCase();
  const [columns, side, gap] = [7, 112, 14];
  const colours = isDark(state.parent) ? data.dark : data.light;
  const shown = state.boxes.map(({ name, canvas }) => ({ canvas, ...data.conditions.find((entry) => entry.name === name) }));
  const rows = Math.ceil(shown.length / columns);
  const sheet = { width: columns * (side + gap) - gap, height: rows * (side + 34), colours };
  const foot = `${data.gallery} · ${data.names[image]} · ${level} ${state.where.textContent}`;
  save(state.parent, format, { ...sheet, letters: data.letters, foot, file: `${data.gallery}-gallery-image-${image + 1}-${level}-${strength}` }, (context, font) => {
    context.imageSmoothingEnabled = data.thumbs.tile > side;
    context.textAlign = "left";
    shown.forEach(({ canvas, title }, at) => {
      const [x, y] = [(at % columns) * (side + gap), Math.floor(at / columns) * (side + 34)];
      context.drawImage(canvas, x, y, side, side);
      context.fillStyle = colours.text;
      context.font = `600 12px ${font}`;
      context.fillText(title, x, y + side + 16);
    });
  });
}
