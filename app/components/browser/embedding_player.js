// Two clouds of the same images, teacher and student: points move through the steps, and pointing at an image in one
// cloud finds it in the other.

const SHAPES = 2;
const COLOURED = 20;

export default function ({ data, parentElement, setStateValue }) {
  const state = remembered(parentElement, data.run, () => build(parentElement));
  const first = state.data === null;
  if (state.data?.how !== data.how || state.data?.revision !== data.revision) state.unpacked.clear();
  state.data = data;
  state.send = setStateValue;
  if (first) {
    state.wanted = data.arm;
    state.step = data.step;
    state.hidden = new Set(data.hidden);
    state.picked = new Set(data.classes.length > COLOURED ? data.picked : []);
    state.pinned = data.pinned < data.labels.length ? data.pinned : null;
    state.spot = state.pinned;
  }
  try {
    update(state);
    say(parentElement, "");
  } catch (error) {
    say(parentElement, `The embedding can't be drawn: ${error.message}.`);
  }
  return () => forget(parentElement);
}

function build(parent) {
  const state = { data: null, parent, unpacked: new Map(), spot: null, timer: null, ghost: false, frame: 0 };
  state.root = parent.querySelector(".player");
  state.arms = make("span");
  state.slider = make("input", { type: "range", min: 0, max: 0, step: 1, "aria-label": "Step of training" });
  state.where = make("output");
  state.play = make("button", { type: "button", onclick: () => toggle(state) }, "Play");
  state.newest = make("button", { type: "button", onclick: () => move(state, null, true) }, "Newest");
  state.before = make("button", { type: "button", "aria-pressed": "false", onclick: () => ghost(state) }, "Show before");
  state.reset = make("button", { type: "button", onclick: () => view(state, 0) }, "Whole view");
  state.slider.addEventListener("input", () => move(state, Number(state.slider.value), false));
  state.slider.addEventListener("change", () => tell(state));
  const zoom = make(
    "span",
    { class: "choice" },
    make("button", { type: "button", "aria-label": "Zoom in", onclick: () => view(state, 1.5) }, "+"),
    make("button", { type: "button", "aria-label": "Zoom out", onclick: () => view(state, 1 / 1.5) }, "−"),
  );
  const label = make("label", {}, "Step", state.slider);
  state.root.replaceChildren(
    make("div", { class: "bar" }, state.arms, label, state.where, state.play, state.newest, state.before, zoom, state.reset),
  );
  state.panels = make("div", { class: "panels" });
  state.pictures = ["teacher", "student"].map((name) => panel(state, name));
  state.panels.append(...state.pictures.map((picture) => picture.figure));
  state.readout = make("p", { class: "readout", "aria-live": "polite" });
  state.search = make("input", { type: "search", placeholder: "Find a class", "aria-label": "Find a class to colour" });
  state.search.addEventListener("input", () => legend(state));
  state.chips = make("div", { class: "chips", role: "group", "aria-label": "Classes shown" });
  state.root.append(state.panels, state.readout, state.search, state.chips, savers((format) => saveClouds(state, format)));
  const observer = new ResizeObserver(() => state.data && paint(state));
  observer.observe(state.panels);
  state.leave = () => {
    observer.disconnect();
    clearInterval(state.timer);
    cancelAnimationFrame(state.frame);
  };
  return state;
}

function panel(state, name) {
  const canvas = make("canvas", { role: "img", tabindex: 0 });
  const [title, note] = [make("b"), make("span")];
  const picture = pictureBox(null);
  const words = make("div");
  const tip = make("div", { class: "tip", hidden: true }, picture, words);
  const figure = make("figure", {}, make("figcaption", {}, title, note), canvas, tip);
  const made = { name, figure, canvas, title, note, tip, picture, words, zoom: 1, shift: [0, 0], drag: null };
  canvas.addEventListener("pointerdown", (event) => {
    made.pressed = [event.clientX, event.clientY];
    if (made.zoom === 1) return;
    made.drag = [event.clientX, event.clientY];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointerup", () => { made.drag = null; });
  canvas.addEventListener("pointermove", (event) => hover(state, made, event));
  canvas.addEventListener("pointerleave", () => spotlight(state, state.pinned));
  canvas.addEventListener("click", (event) => {
    // What ends a drag is no press on a point.
    if (Math.hypot(event.clientX - made.pressed[0], event.clientY - made.pressed[1]) < 5) pin(state, state.spot);
  });
  canvas.addEventListener("keydown", (event) => walk(state, made, event));
  canvas.addEventListener("wheel", (event) => {
    // The page keeps its own scrolling; with Ctrl or a pinch the cloud zooms.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    magnify(made, Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY);
    paint(state);
  }, { passive: false });
  return made;
}

function view(state, factor) {
  for (const picture of state.pictures) {
    picture.tip.hidden = true;
    if (factor === 0) Object.assign(picture, { zoom: 1, shift: [0, 0] });
    else magnify(picture, factor, picture.canvas.clientWidth / 2, picture.canvas.clientHeight / 2);
  }
  paint(state);
}

function snapshotsOf(state) {
  return state.data.arms.find((arm) => arm.name === state.arm)?.snapshots ?? [];
}

function update(state) {
  const { data } = state;
  const has = data.arms.some((arm) => arm.name === state.wanted);
  state.arm = has ? state.wanted : (data.arms.at(-1)?.name ?? null);
  const options = data.arms.map((arm) => ({ value: arm.name, text: arm.label }));
  const pick = (value) => {
    state.wanted = value;
    update(state);
    tell(state);
  };
  state.arms.replaceChildren(...(options.length > 1 ? [choice("Which student", options, state.arm, pick)] : []));
  state.colours = isDark(state.parent) ? data.dark : data.light;
  if (data.atlas && state.sheet?.src !== data.atlas.url) {
    state.sheet = new Image();
    state.sheet.src = data.atlas.url;
  }
  legend(state);
  glide(state);
}

// How a class is drawn: its colour and shape, or null where it is hidden or not picked out of many.
function look(state, label) {
  const { classes } = state.data;
  if (classes.length > COLOURED) {
    const place = [...state.picked].indexOf(label);
    if (place < 0) return { colour: state.colours.axis, shape: 0, faint: true };
    return { colour: state.colours.classes[place % 10], shape: Math.floor(place / 10) % SHAPES };
  }
  if (state.hidden.has(label)) return null;
  return { colour: state.colours.classes[label % 10], shape: Math.floor(label / 10) % SHAPES };
}

function legend(state) {
  const { classes } = state.data;
  const many = classes.length > COLOURED;
  state.search.hidden = !many;
  const sought = state.search.value.trim().toLowerCase();
  const wanted = classes
    .map((name, label) => ({ name, label }))
    .filter(({ name, label }) => !many || state.picked.has(label) || (sought && name.toLowerCase().includes(sought)))
    .slice(0, 60);
  state.chips.replaceChildren(
    ...wanted.map(({ name, label }) => {
      const on = many ? state.picked.has(label) : !state.hidden.has(label);
      const drawn = many && !on ? { colour: state.colours.axis, shape: 0 } : (look(state, label) ?? { colour: state.colours.axis, shape: 0 });
      const dot = make("i", { class: drawn.shape ? "dot diamond" : "dot", style: `background:${drawn.colour}` });
      const flip = () => {
        const set = many ? state.picked : state.hidden;
        if (set.has(label)) set.delete(label);
        else set.add(label);
        legend(state);
        paint(state);
        tell(state);
      };
      return make("button", { type: "button", "aria-pressed": String(on), onclick: flip }, dot, name);
    }),
  );
  if (!many && state.hidden.size) {
    const all = () => {
      state.hidden.clear();
      legend(state);
      paint(state);
      tell(state);
    };
    state.chips.append(make("button", { type: "button", onclick: all }, "Show all"));
  }
}

function move(state, index, done) {
  const list = snapshotsOf(state);
  state.step = index === null || index >= list.length - 1 ? null : list[index].step;
  glide(state);
  if (done) tell(state);
}

function tell(state) {
  const { wanted, step, pinned } = state;
  state.send("at", { arm: wanted, step, image: pinned, hidden: [...state.hidden], picked: [...state.picked] });
}

function toggle(state) {
  if (state.timer) {
    clearInterval(state.timer);
    state.timer = null;
    tell(state);
  } else {
    let at = state.step === null ? 0 : current(state);
    move(state, at, false);
    state.timer = setInterval(() => {
      at += 1;
      move(state, at, false);
      if (at >= snapshotsOf(state).length - 1) toggle(state);
    }, calm() ? 900 : 450);
  }
  state.play.textContent = state.timer ? "Pause" : "Play";
}

function ghost(state) {
  state.ghost = !state.ghost;
  state.before.setAttribute("aria-pressed", String(state.ghost));
  state.before.textContent = state.ghost ? "Hide before" : "Show before";
  paint(state);
}

function current(state) {
  const list = snapshotsOf(state);
  if (state.step === null) return list.length - 1;
  const at = list.findIndex((snapshot) => snapshot.step >= state.step);
  return at < 0 ? list.length - 1 : at;
}

function cloud(state, key, packed) {
  if (!packed) return null;
  if (!state.unpacked.has(key)) {
    const pairs = new Uint16Array(bytes(packed).buffer);
    state.unpacked.set(key, Float32Array.from(pairs, (level) => level / 65535));
  }
  return state.unpacked.get(key);
}

// From where the points are to where they belong at the chosen step.
function glide(state) {
  const { data } = state;
  const list = snapshotsOf(state);
  const at = current(state);
  const shot = list[at];
  state.slider.max = Math.max(list.length - 1, 0);
  state.slider.value = at;
  state.slider.disabled = list.length < 2;
  state.play.hidden = list.length < 2;
  state.newest.hidden = state.step === null;
  state.newest.textContent = data.active ? "Follow newest" : "Last step";
  state.where.textContent = shot ? `step ${shot.step}` : "no snapshot yet";
  state.slider.setAttribute("aria-valuetext", state.where.textContent);
  state.teacher = cloud(state, "teacher", data.teacher);
  state.start = list.length ? cloud(state, `${state.arm}-${list[0].step}`, list[0].points) : null;
  const target = shot ? cloud(state, `${state.arm}-${shot.step}`, shot.points) : null;
  const from = state.student;
  cancelAnimationFrame(state.frame);
  if (!target || !from || from.length !== target.length || calm()) {
    state.student = target;
    paint(state);
    return;
  }
  const begun = performance.now();
  const tick = (now) => {
    const part = Math.min(1, Math.max(0, (now - begun) / 260));
    const eased = part * (2 - part);
    state.student = part === 1 ? target : target.map((value, index) => from[index] + eased * (value - from[index]));
    paint(state);
    if (part < 1) state.frame = requestAnimationFrame(tick);
  };
  state.frame = requestAnimationFrame(tick);
}

function paint(state) {
  const { data } = state;
  state.reset.hidden = state.pictures.every((picture) => picture.zoom === 1);
  const label = data.arms.find((arm) => arm.name === state.arm)?.label ?? "";
  for (const picture of state.pictures) {
    const isTeacher = picture.name === "teacher";
    picture.title.textContent = isTeacher ? "Teacher" : `Student${label ? `, ${label}` : ""}`;
    picture.title.style.color = isTeacher ? state.colours.teacher_text : state.colours.student;
    picture.note.textContent = `${data.layers[isTeacher ? 0 : 1]} · ${data.title}`;
    const points = isTeacher ? state.teacher : state.student;
    picture.canvas.setAttribute(
      "aria-label",
      `${picture.title.textContent}: ${data.labels.length} images as points, coloured by class, ${state.where.textContent}. Arrow keys walk through them.`,
    );
    const width = picture.figure.clientWidth;
    const height = Math.round(width * data.aspect);
    picture.points = points;
    if (width) {
      picture.canvas.style.height = `${height}px`;
      scatter(fit(picture.canvas, width, height), state, picture, width, height);
    }
  }
  describe(state);
}

function describe(state) {
  const { labels, classes } = state.data;
  state.readout.textContent =
    state.spot === null
      ? "Point at an image to find it in the other cloud too, press to keep it. Ctrl and the wheel zoom."
      : `Image ${state.spot + 1} of ${labels.length}: ${classes[labels[state.spot]]}${state.spot === state.pinned ? ", kept" : ""}`;
}
