// Gram matrices of teacher and student side by side with their difference, at the moment that the page's clock says.

function unpack(packed, size) {
  const upper = bytes(packed);
  const full = new Uint8Array(size * size);
  let at = 0;
  for (let row = 0; row < size; row += 1) {
    for (let column = row; column < size; column += 1) {
      full[row * size + column] = upper[at];
      full[column * size + row] = upper[at];
      at += 1;
    }
  }
  return full;
}

export default function ({ data, parentElement }) {
  const state = remembered(parentElement, `${data.run} ${data.clock}`, () => build(parentElement, data));
  // All matrices are packed in one range: with a new range all of them are new.
  if (state.data?.revision !== data.revision) state.unpacked.clear();
  state.data = data;
  try {
    update(state);
    say(parentElement, "");
  } catch (error) {
    say(parentElement, `The Gram matrices can't be drawn: ${error.message}.`);
  }
  return () => forget(parentElement);
}

function build(parent, { clock }) {
  const state = { data: null, arm: null, parent, unpacked: new Map(), spot: null, clock: clockOf(clock), drawn: "" };
  state.root = parent.querySelector(".player");
  state.panels = make("div", { class: "panels small" });
  state.pictures = ["teacher", "student", "difference"].map((name) => panel(state, name));
  state.panels.append(...state.pictures.map((picture) => picture.figure));
  state.readout = make("p", { class: "readout" });
  state.chips = make("div", { class: "chips" });
  state.root.replaceChildren(state.panels, state.readout, state.chips, savers((format) => saveGrams(state, format)));
  const observer = new ResizeObserver(() => state.data && paint(state));
  observer.observe(state.panels);
  const unwatch = state.clock.watch(() => state.data && turn(state));
  state.leave = () => {
    observer.disconnect();
    unwatch();
  };
  return state;
}

function panel(state, name) {
  const canvas = make("canvas", { role: "img" });
  const title = make("b");
  const note = make("span");
  const [low, strip, high] = [make("span"), make("i"), make("span")];
  const figure = make("figure", {}, make("figcaption", {}, title, note), canvas, make("div", { class: "scale" }, strip, low, high));
  canvas.addEventListener("pointermove", (event) => point(state, canvas, event));
  canvas.addEventListener("pointerleave", () => point(state, canvas, null));
  return { name, figure, canvas, title, note, low, strip, high };
}

// The student that the clock is at, else the one that came last.
function shotOf(state) {
  const { data, clock } = state;
  const arm = data.arms.find(({ name }) => name === clock.track?.name) ?? data.arms.at(-1);
  return { arm, shot: arm?.snapshots[momentOf(clock, arm.snapshots).nearest] };
}

// Matrices change with the snapshot, not with every frame of the screen.
function turn(state) {
  const { arm, shot } = shotOf(state);
  const drawn = `${arm?.name} ${shot?.step}`;
  if (drawn !== state.drawn) paint(state);
}

function update(state) {
  const { data } = state;
  state.colours = isDark(state.parent) ? data.dark : data.light;
  state.ramp = words32(ramp(data.viridis));
  state.drift = words32(ramp(state.colours.diverging));
  state.chips.replaceChildren(
    ...data.classes.map((name, index) =>
      make("span", {}, make("i", { class: "dot", style: `background:${state.colours.classes[index % 10]}` }), name),
    ),
  );
  state.chips.hidden = data.classes.length > 20;
  paint(state);
}

function matrix(state, key, packed) {
  if (!packed) return null;
  if (!state.unpacked.has(key)) state.unpacked.set(key, unpack(packed, state.data.size));
  return state.unpacked.get(key);
}

function paint(state) {
  const { data } = state;
  const { arm, shot } = shotOf(state);
  const at = shot ? `step ${shot.step}${shot.cka == null ? "" : ` · CKA ${shot.cka.toFixed(3)}`}` : "no snapshot yet";
  Object.assign(state, { drawn: `${arm?.name} ${shot?.step}`, step: shot?.step, arm: arm?.name, where: at });
  const teacher = matrix(state, "teacher", data.teacher);
  const student = shot ? matrix(state, `${arm.name}-${shot.step}`, shot.gram) : null;
  state.shown = { teacher, student };
  const label = arm?.label ?? "Student";
  for (const picture of state.pictures) {
    const isGap = picture.name === "difference";
    picture.title.textContent = { teacher: "Teacher", student: `Student, ${label}`, difference: "Student − teacher" }[picture.name];
    picture.title.style.color = { teacher: state.colours.teacher_text, student: state.colours.student }[picture.name] ?? "";
    picture.note.textContent = { teacher: data.layers[0], student: data.layers[1], difference: "" }[picture.name];
    const stops = isGap ? state.colours.diverging : data.viridis;
    picture.strip.style.background = `linear-gradient(90deg, ${stops.join(",")})`;
    picture.low.textContent = isGap ? "teacher higher" : "unlike";
    picture.high.textContent = isGap ? "student higher" : "alike";
    const values = isGap ? (teacher && student ? { teacher, student } : null) : state.shown[picture.name];
    picture.values = values;
    const width = picture.figure.clientWidth;
    if (width) {
      picture.canvas.style.height = `${width}px`;
      square(fit(picture.canvas, width, width), state, picture, width);
    }
    picture.canvas.setAttribute(
      "aria-label",
      `${picture.title.textContent}: similarity of ${data.size} probe images, sorted by class, ${state.where}`,
    );
  }
  tellSpot(state);
}

// The matrix alone, a pixel an entry, on a canvas that is kept.
function sheetOf(state, picture) {
  const { size } = state.data;
  const { values } = picture;
  if (picture.sheet?.width !== size) {
    picture.sheet = make("canvas", { width: size, height: size });
    picture.image = new ImageData(size, size);
  }
  const pixels = new Uint32Array(picture.image.data.buffer);
  if (picture.name === "difference") {
    // Levels differ by −255 to 255; beyond half of that a colour is the last one.
    const { teacher, student } = values;
    for (let index = 0; index < pixels.length; index += 1) {
      pixels[index] = state.drift[Math.max(0, Math.min(255, 128 + student[index] - teacher[index]))];
    }
  } else for (let index = 0; index < pixels.length; index += 1) pixels[index] = state.ramp[values[index]];
  picture.sheet.getContext("2d", { willReadFrequently: true }).putImageData(picture.image, 0, 0);
  return picture.sheet;
}

// One matrix with its strips of classes, `width` wide, on a canvas or on a sheet to be saved.
function square(context, state, picture, width) {
  const { size, labels } = state.data;
  const { values } = picture;
  const isGap = picture.name === "difference";
  const strip = 6;
  const side = width - strip;
  if (values) {
    const sheet = sheetOf(state, picture);
    context.imageSmoothingEnabled = false;
    context.drawImage(sheet, strip, strip, side, side);
  } else {
    context.strokeStyle = state.colours.axis;
    context.setLineDash([4, 4]);
    context.strokeRect(strip + 0.5, strip + 0.5, side - 1, side - 1);
    context.setLineDash([]);
    context.fillStyle = state.colours.muted;
    context.font = `13px ${styleOf(state.parent, "--st-font") || "sans-serif"}`;
    context.textAlign = "center";
    context.fillText("Not recorded yet", width / 2, width / 2);
  }
  const cell = side / size;
  let start = 0;
  for (let index = 1; index <= size; index += 1) {
    if (index < size && labels[index] === labels[start]) continue;
    context.fillStyle = state.colours.classes[labels[start] % 10];
    context.fillRect(0, strip + start * cell, strip - 2, (index - start) * cell - 1);
    context.fillRect(strip + start * cell, 0, (index - start) * cell - 1, strip - 2);
    if (index < size && values) {
      context.fillStyle = isGap ? state.colours.axis : "rgba(255, 255, 255, 0.35)";
      context.fillRect(strip, strip + index * cell - 0.25, side, 0.5);
      context.fillRect(strip + index * cell - 0.25, strip, 0.5, side);
    }
    start = index;
  }
  if (state.spot && values) {
    context.strokeStyle = state.colours.text;
    context.lineWidth = 1.5;
    context.strokeRect(strip + state.spot[1] * cell - 1, strip + state.spot[0] * cell - 1, cell + 2, cell + 2);
  }
}

function point(state, canvas, event) {
  if (event === null) state.spot = null;
  else {
    const box = canvas.getBoundingClientRect();
    const cell = (box.width - 6) / state.data.size;
    const spot = [Math.floor((event.clientY - box.top - 6) / cell), Math.floor((event.clientX - box.left - 6) / cell)];
    state.spot = spot.every((place) => place >= 0 && place < state.data.size) ? spot : null;
  }
  requestAnimationFrame(() => state.data && paint(state));
}

function tellSpot(state) {
  const { data, spot, shown } = state;
  if (!spot || !shown.teacher) {
    state.readout.textContent = "Point at a cell: the similarity of two images as each network sees it.";
    return;
  }
  const index = spot[0] * data.size + spot[1];
  const value = (level) => data.low + ((data.high - data.low) * level) / 255;
  const names = spot.map((place) => data.classes[data.labels[place]]);
  const student = shown.student ? `, student ${signed(value(shown.student[index]))}` : "";
  state.readout.textContent = `${names[0]} × ${names[1]}: teacher ${signed(value(shown.teacher[index]))}${student}`;
}
