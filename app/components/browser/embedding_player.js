// Two clouds of the same images, teacher and student: points move with the page's clock, and pointing at an image in one
// cloud finds it in the other.

export default function ({ data, parentElement, setStateValue }) {
  const state = remembered(parentElement, `${data.run} ${data.clock}`, () => build(parentElement, data));
  const first = state.data === null;
  if (state.data?.how !== data.how || state.data?.revision !== data.revision) {
    state.unpacked.clear();
    state.start = null;
  }
  state.data = data;
  state.send = setStateValue;
  if (first) {
    state.hidden = new Set(data.hidden);
    state.picked = new Set(data.classes.length > COLOURED ? data.picked : []);
    state.pinned = data.pinned < data.labels.length ? data.pinned : null;
    state.spot = state.pinned;
    state.by = data.colour in BY ? data.colour : "class";
    state.selected = readSelection(data.selection, data.labels.length);
  }
  try {
    update(state);
    say(parentElement, "");
  } catch (error) {
    say(parentElement, `The embedding can't be drawn: ${error.message}.`);
  }
  return () => forget(parentElement);
}

function build(parent, { clock, panels }) {
  const state = { data: null, parent, unpacked: new Map(), spot: null, ghost: false, clock: clockOf(clock), between: null, trails: false, tool: null };
  state.root = parent.querySelector(".player");
  state.before = make("button", { type: "button", "aria-pressed": "false", onclick: () => ghost(state) }, "Show before");
  state.reset = make("button", { type: "button", onclick: () => view(state, 0) }, "Whole view");
  const zoom = make(
    "span",
    { class: "choice" },
    make("button", { type: "button", "aria-label": "Zoom in", onclick: () => view(state, 1.5) }, "+"),
    make("button", { type: "button", "aria-label": "Zoom out", onclick: () => view(state, 1 / 1.5) }, "−"),
  );
  state.path = make("button", { type: "button", "aria-pressed": "false", onclick: () => showTrails(state) }, "Trails");
  state.path.title = `The ways of the ${TRAILS} images that moved most`;
  state.colouring = make("span", { class: "with" });
  const choosing = buildSelection(state);
  state.root.replaceChildren(make("div", { class: "bar" }, state.colouring, choosing, state.path, state.before, zoom, state.reset));
  state.panels = make("div", { class: "panels" });
  state.pictures = panels.map((name) => panel(state, name));
  state.panels.append(...state.pictures.map((picture) => picture.figure));
  state.readout = make("p", { class: "readout", "aria-live": "polite" });
  state.search = make("input", { type: "search", placeholder: "Find a class", "aria-label": "Find a class to colour" });
  state.search.addEventListener("input", () => legend(state));
  state.chips = make("div", { class: "chips", role: "group", "aria-label": "Classes shown" });
  state.scale = make("div", { class: "scale", hidden: true });
  state.root.append(state.panels, state.scale, state.readout, state.search, state.chips, state.chosen, savers((format) => saveClouds(state, format)));
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
  const canvas = make("canvas", { role: "img", tabindex: 0 });
  const [title, note] = [make("b"), make("span")];
  const picture = pictureBox(null);
  const words = make("div");
  const tip = make("div", { class: "tip", hidden: true }, picture, words);
  const figure = make("figure", {}, make("figcaption", {}, title, note), canvas, tip);
  const made = { name, figure, canvas, title, note, tip, picture, words, zoom: 1, shift: [0, 0], drag: null };
  canvas.addEventListener("pointerdown", (event) => {
    made.pressed = [event.clientX, event.clientY];
    if (state.tool) made.outline = [[event.offsetX, event.offsetY]];
    if (made.zoom === 1 && !state.tool) return;
    made.drag = [event.clientX, event.clientY];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointerup", () => {
    made.drag = null;
    if (made.outline) enclose(state, made);
  });
  canvas.addEventListener("pointercancel", () => {
    Object.assign(made, { drag: null, outline: null });
  });
  canvas.addEventListener("pointermove", (event) => hover(state, made, event));
  canvas.addEventListener("pointerleave", () => spotlight(state, state.pinned));
  canvas.addEventListener("click", (event) => {
    // What ends a drag is no press on a point.
    if (!state.tool && Math.hypot(event.clientX - made.pressed[0], event.clientY - made.pressed[1]) < 5) pin(state, state.spot);
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

function update(state) {
  const { data } = state;
  state.colours = isDark(state.parent) ? data.dark : data.light;
  if (data.atlas && state.sheet?.src !== data.atlas.url) {
    state.sheet = new Image();
    state.sheet.src = data.atlas.url;
  }
  state.teacher = cloud(state, "teacher", data.teacher);
  state.drawn = null;
  locate(state);
  state.farthest = farthest(state);
  recolour(state);
  showSelection(state);
  showTool(state);
}

// The far end of the scale of movement: as far as all but the last per cent of any student's images come in the end.
function farthest(state) {
  const ends = state.data.arms.flatMap(({ name, snapshots }) => {
    if (!snapshots.length) return [];
    const [start, student] = [snapshots[0], snapshots.at(-1)].map(({ step, points }) => cloud(state, `${name}-${step}`, points));
    return [...movement({ data: state.data, start, student })];
  });
  return Math.max(ends.sort((one, two) => one - two)[Math.floor(0.99 * ends.length)] ?? 0, 0.01);
}

function tell(state) {
  const { pinned, by, selected } = state;
  const seen = { image: pinned, hidden: [...state.hidden], picked: [...state.picked] };
  state.send("at", { ...seen, colour: by === "class" ? null : by, selection: writeSelection(selected) });
}

function showTrails(state) {
  state.trails = !state.trails;
  state.drawn = null;
  locate(state);
  state.path.setAttribute("aria-pressed", String(state.trails));
  paint(state);
}

function ghost(state) {
  state.ghost = !state.ghost;
  state.before.setAttribute("aria-pressed", String(state.ghost));
  state.before.textContent = state.ghost ? "Hide before" : "Show before";
  paint(state);
}

function cloud(state, key, packed) {
  if (!packed) return null;
  if (!state.unpacked.has(key)) {
    const pairs = new Uint16Array(bytes(packed).buffer);
    state.unpacked.set(key, Float32Array.from(pairs, (level) => level / 65535));
  }
  return state.unpacked.get(key);
}

// Where every point is at the clock's moment, between two snapshots on straight lines; whether that is news.
function locate(state) {
  const { data, clock } = state;
  const arm = data.arms.find(({ name }) => name === clock.track?.name) ?? data.arms.at(-1);
  const shots = arm?.snapshots ?? [];
  const { low, high, part, nearest } = momentOf(clock, shots);
  const now = `${arm?.name} ${shots[low]?.step} ${part.toFixed(4)}`;
  if (now === state.drawn) return false;
  const pointsOf = (at) => cloud(state, `${arm.name}-${shots[at].step}`, shots[at].points);
  Object.assign(state, { drawn: now, arm: arm?.name, label: arm?.label ?? "", step: shots[nearest]?.step });
  state.where = shots.length ? `step ${state.step}` : "no snapshot yet";
  const { shares } = shots[nearest] ?? {};
  state.shares = shares ? bytes(shares) : null;
  state.passed = state.trails ? shots.slice(0, low + 1).map((_, at) => pointsOf(at)) : [];
  state.start = shots.length ? pointsOf(0) : null;
  state.student = shots.length ? pointsOf(low) : null;
  if (part > 0 && high > low) {
    const [from, to] = [state.student, pointsOf(high)];
    if (state.between?.length !== from.length) state.between = new Float32Array(from.length);
    for (let at = 0; at < from.length; at += 1) state.between[at] = from[at] + part * (to[at] - from[at]);
    state.student = state.between;
  }
  return true;
}

function turn(state) {
  if (!locate(state)) return;
  for (const picture of state.pictures) picture.tip.hidden = true;
  const recoloured = state.by !== "class";
  if (recoloured) state.ink = inkOf(state);
  for (const picture of state.pictures) if (recoloured || picture.name === "student") paintOne(state, picture);
}

function paint(state) {
  state.reset.hidden = state.pictures.every((picture) => picture.zoom === 1);
  for (const picture of state.pictures) paintOne(state, picture);
  describe(state);
}

function paintOne(state, picture) {
  const { data } = state;
  const isTeacher = picture.name === "teacher";
  picture.points = isTeacher ? state.teacher : state.student;
  const name = isTeacher ? "Teacher" : `Student${state.label ? `, ${state.label}` : ""}`;
  const words = `${name}: ${data.labels.length} images as points, coloured by ${state.by === "share" ? "share of CKA" : state.by}${isTeacher ? "" : `, ${state.where}`}. Arrow keys walk through them.`;
  // Words that change with every frame of the screen would cost more than the points.
  if (picture.said !== words) {
    picture.said = words;
    picture.title.textContent = name;
    picture.note.textContent = `${data.layers[isTeacher ? 0 : 1]} · ${data.title}`;
    picture.canvas.setAttribute("aria-label", words);
  }
  picture.title.style.color = isTeacher ? state.colours.teacher_text : state.colours.student;
  const width = picture.figure.clientWidth;
  const height = Math.round(width * data.aspect);
  if (!width) return;
  picture.canvas.style.height = `${height}px`;
  scatter(fit(picture.canvas, width, height), state, picture, width, height);
}

function describe(state) {
  const { labels, classes } = state.data;
  state.readout.textContent =
    state.spot === null
      ? `Point at an image to ${state.pictures.length > 1 ? "find it in the other cloud too" : "see its class"}, press to keep it. Ctrl and the wheel zoom; by keys, space selects.`
      : `Image ${state.spot + 1} of ${labels.length}: ${classes[labels[state.spot]]}${state.spot === state.pinned ? ", kept" : ""}`;
}
