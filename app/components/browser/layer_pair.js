// Two layers side by side: the Gram matrix of each and their difference, and one image's nearest images in both.

export default function ({ data, parentElement, setTriggerValue }) {
  const state = remembered(parentElement, data.identity, () => buildPair(parentElement));
  const first = state.data === null;
  state.data = data;
  state.send = setTriggerValue;
  // The address has the last word, unless it only repeats what was pressed here on the way to another image.
  if (first || (data.image !== state.asked && !state.told.has(data.image))) state.image = data.image;
  state.asked = data.image;
  if (first) {
    loadSheet(data.sheet).then((picture) => {
      state.picture = picture;
      drawNearest(state);
    });
  }
  state.student = Math.min(state.student ?? data.students.length - 1, data.students.length - 1);
  try {
    drawPair(state);
    say(parentElement, "");
  } catch (error) {
    say(parentElement, `The two layers can't be drawn: ${error.message}.`);
  }
  return () => forget(parentElement);
}

function buildPair(parent) {
  const state = { data: null, parent, image: null, asked: null, told: new Set(), picture: null, student: null };
  state.bar = make("div", { class: "bar" });
  state.panels = make("div", { class: "panels square" });
  state.grams = ["teacher", "student", "difference"].map((name) => gramPanel(state, name));
  state.readout = make("p", { class: "readout" });
  state.panels.append(...state.grams.map((gram) => gram.figure), state.readout);
  state.nearest = make("div", { class: "nearest" });
  parent.querySelector(".player").replaceChildren(state.bar, state.panels, state.nearest);
  return state;
}

function gramPanel(state, name) {
  const canvas = make("canvas", { role: "img", class: "gram" });
  const [title, note, low, strip, high] = [make("b"), make("span"), make("span"), make("i"), make("span")];
  const figure = make("figure", {}, make("figcaption", {}, title, note), canvas, make("div", { class: "scale" }, strip, low, high));
  const spot = (event) => {
    const box = canvas.getBoundingClientRect();
    const size = state.data.places.length;
    const at = [event.clientY - box.top, event.clientX - box.left].map((part) => Math.floor((part / box.width) * size));
    return at.every((place) => place >= 0 && place < size) ? at : null;
  };
  canvas.addEventListener("pointermove", (event) => tellSpot(state, spot(event)));
  canvas.addEventListener("pointerleave", () => tellSpot(state, null));
  canvas.addEventListener("click", (event) => {
    const at = spot(event);
    if (at) look(state, state.data.places[at[0]]);
  });
  return { name, canvas, title, note, low, strip, high, figure };
}

function drawPair(state) {
  const { data } = state;
  state.colours = isDark(state.parent) ? data.dark : data.light;
  const options = data.students.map(({ label }, value) => ({ value, text: label }));
  const pick = (value) => {
    state.student = value;
    drawPair(state);
  };
  state.bar.replaceChildren(...(options.length > 1 ? [choice("Which student", options, state.student, pick)] : []));
  state.bar.hidden = options.length < 2;
  const student = data.students[state.student];
  const size = data.places.length;
  const [one, two] = [data.teacher.gram, student.gram].map((packed) => square(packed, size));
  state.values = { teacher: one, student: two };
  for (const gram of state.grams) {
    const gap = gram.name === "difference";
    gram.title.textContent = { teacher: "Teacher", student: "Student", difference: "Student − teacher" }[gram.name];
    gram.title.style.color = { teacher: state.colours.teacher_text, student: state.colours.student }[gram.name] ?? "";
    gram.note.textContent = { teacher: data.layers[0], student: `${data.layers[1]}, ${student.label.toLowerCase()}` }[gram.name] ?? "";
    const stops = gap ? state.colours.diverging : data.viridis;
    gram.strip.style.background = `linear-gradient(90deg, ${stops.join(",")})`;
    gram.low.textContent = gap ? "teacher higher" : "unlike";
    gram.high.textContent = gap ? "student higher" : "alike";
    const level = gap ? (at) => 127.5 + (two[at] - one[at]) / 2 : (at) => state.values[gram.name][at];
    paintGram(gram.canvas, size, ramp(stops), level);
    const what = gap ? "Difference of the two similarities" : `${gram.title.textContent}, ${gram.note.textContent}: similarity`;
    gram.canvas.setAttribute("aria-label", `${what} of ${size} validation images, sorted by class`);
  }
  tellSpot(state, null);
  drawNearest(state);
}

// Entries 0 to 255 [size, size] from their packed upper triangle.
function square(packed, size) {
  const upper = bytes(packed);
  const full = new Uint8Array(size * size);
  let at = 0;
  for (let row = 0; row < size; row += 1) {
    for (let column = row; column < size; column += 1, at += 1) full[row * size + column] = full[column * size + row] = upper[at];
  }
  return full;
}

function paintGram(canvas, size, shades, level) {
  if (canvas.width !== size || canvas.height !== size) Object.assign(canvas, { width: size, height: size });
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(size, size);
  for (let at = 0; at < size * size; at += 1) {
    const shade = shades[Math.min(255, Math.max(0, Math.round(level(at))))];
    pixels.data.set([...shade, 255], 4 * at);
  }
  context.putImageData(pixels, 0, 0);
}

function tellSpot(state, spot) {
  const { data } = state;
  if (!spot) {
    state.readout.textContent = "Point at a cell: how alike two images are to each network. Press it to see the first one's nearest below.";
    return;
  }
  const at = spot[0] * data.places.length + spot[1];
  const value = (level) => {
    const found = data.low + ((data.high - data.low) * level) / 255;
    return (found < 0 ? "−" : "+") + Math.abs(found).toFixed(4);
  };
  const [one, two] = spot.map((place) => data.classes[data.labels[data.places[place]]]);
  const { teacher, student } = state.values;
  state.readout.textContent = `${one} × ${two}: teacher ${value(teacher[at])}, student ${value(student[at])}`;
}

function look(state, image) {
  state.image = image;
  state.told.add(image);
  drawNearest(state);
  state.send("image", image);
}

function drawNearest(state) {
  const { data, picture } = state;
  if (!picture) return;
  const focus = state.nearest.getRootNode().activeElement?.dataset.step;
  const at = Math.max(0, data.places.indexOf(state.image));
  const image = data.places[at];
  const student = data.students[state.student];
  const [theirs, own] = [data.teacher.near[at], student.near[at]];
  const both = theirs.filter((place) => own.includes(place));
  const nameOf = (place) => data.classes[data.labels[place]];
  const shown = (place, common) => {
    const canvas = pictureBox(`${nameOf(place)}${common ? ", in both" : ""}`);
    drawPicture(canvas, picture, data.sheet, place);
    return make("figure", { class: common ? "common" : "", title: nameOf(place) }, canvas);
  };
  const row = (label, colour, places) =>
    make(
      "div",
      { class: "row" },
      make("b", { style: `color:${colour}` }, label),
      make("div", { class: "strip" }, ...places.map((place) => shown(place, both.includes(place)))),
    );
  const step = (by, text, label) =>
    make("button", { type: "button", "data-step": by, "aria-label": label, onclick: () => look(state, data.places[(at + by + data.places.length) % data.places.length]) }, text);
  const asked = make("div", { class: "asked" }, shown(image, false));
  const words = `${nameOf(image)}: ${both.length} of its ${theirs.length} nearest are the same in both`;
  const bar = make("div", { class: "bar" }, step(-1, "‹", "Previous image"), step(1, "›", "Next image"), make("output", { "aria-live": "polite" }, `Image ${at + 1} of ${data.places.length} · ${words}`));
  const rows = make(
    "div",
    { class: "rows" },
    row("Nearest to the teacher", state.colours.teacher_text, theirs),
    row(`Nearest to the student, ${student.label.toLowerCase()}`, state.colours.student, own),
  );
  state.nearest.replaceChildren(make("h3", {}, "Nearest images"), bar, make("div", { class: "beside" }, asked, rows));
  if (focus) state.nearest.querySelector(`[data-step="${focus}"]`)?.focus();
}
