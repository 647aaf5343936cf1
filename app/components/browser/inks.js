// How the points of a map are told apart: kinds, each a colour and a shape, and the kind of every point.

const SHAPES = 2;
const COLOURED = 20;
const HIDDEN = 0xffff;
const SHADES = 32;
const BY = { class: "Class", movement: "Movement", share: "CKA share" };

// One kind a class. Of many classes those that were picked out have a colour, and the rest is faint.
function classInk(state) {
  const { classes, labels } = state.data;
  const kinds = classes.map((name, label) => ({ name, ...classLook(state, label) }));
  return { kinds, of: Uint16Array.from(labels, (label) => (isHidden(state, label) ? HIDDEN : label)) };
}

// The part of the scale that is seen well on the page's ground.
function scaleOf({ data, colours }) {
  const [low, high] = colours === data.dark ? [70, 255] : [0, 225];
  return ramp(data.viridis).slice(low, high + 1);
}

// A shade of one scale each, dark for little.
function valueInk(state, values) {
  const { labels } = state.data;
  const scale = scaleOf(state);
  const kinds = Array.from({ length: SHADES }, (_, at) => {
    const shade = scale[Math.round(((scale.length - 1) * at) / (SHADES - 1))];
    return { colour: `rgb(${shade.join(",")})`, rgb: shade, shape: 0, faint: false };
  });
  const of = state.ink?.of.length === labels.length ? state.ink.of : new Uint16Array(labels.length);
  for (let index = 0; index < of.length; index += 1) {
    of[index] = isHidden(state, labels[index]) ? HIDDEN : Math.round((SHADES - 1) * Math.min(Math.max(values[index], 0), 1));
  }
  return { kinds, of };
}

function isHidden(state, label) {
  return state.hidden.has(label) && state.data.classes.length <= COLOURED;
}

function classLook(state, label) {
  const { colours } = state;
  if (state.data.classes.length > COLOURED) {
    const at = [...state.picked].indexOf(label);
    if (at < 0) return kind(colours.axis, 0, true);
    return kind(colours.classes[at % 10], Math.floor(at / 10) % SHAPES);
  }
  return kind(colours.classes[label % 10], Math.floor(label / 10) % SHAPES);
}

function kind(colour, shape = 0, faint = false) {
  return { colour, shape, faint, rgb: rgb(colour) };
}

// How far each image is from where it was first, in widths of the map, which has one scale across and down.
function movement({ data, start, student }) {
  if (!start || !student) return null;
  const moved = new Float32Array(start.length / 2);
  for (let at = 0; at < moved.length; at += 1) {
    const down = student[2 * at + 1] - start[2 * at + 1];
    moved[at] = Math.hypot(student[2 * at] - start[2 * at], data.aspect * down);
  }
  return moved;
}

// What an image adds to the CKA at the nearest snapshot, out of the one range they are packed in.
function shareAt(state, index) {
  const [low, high] = state.data.share_range;
  return low + ((high - low) * state.shares[index]) / 255;
}

function inkOf(state) {
  if (state.by === "movement") {
    const moved = movement(state);
    if (moved) return valueInk(state, moved.map((far) => far / state.farthest));
  }
  if (state.by === "share" && state.shares) return valueInk(state, Float32Array.from(state.shares, (level) => level / 255));
  return classInk(state);
}

// What the colours say: names of classes, each a button that hides its points or picks it out of many, or a scale.
function legend(state) {
  const { classes } = state.data;
  const many = classes.length > COLOURED;
  const byClass = state.by === "class";
  const options = Object.entries(BY).filter(([by]) => by !== "share" || state.data.share_range);
  showColouring(state, options.map(([value, text]) => ({ value, text })));
  state.search.hidden = !many || !byClass;
  state.scale.hidden = byClass;
  if (!byClass) showScale(state);
  const sought = state.search.value.trim().toLowerCase();
  const wanted = classes
    .map((name, label) => ({ name, label }))
    .filter(({ name, label }) => !many || (byClass && (state.picked.has(label) || (sought && name.toLowerCase().includes(sought)))))
    .slice(0, 60);
  state.chips.replaceChildren(...wanted.map(({ name, label }) => chip(state, name, label, byClass)));
  if (!many && state.hidden.size) {
    const all = () => {
      state.hidden.clear();
      recolour(state);
      tell(state);
    };
    state.chips.append(make("button", { type: "button", onclick: all }, "Show all"));
  }
}

// A button that has the focus stays the same one.
function showColouring(state, options) {
  const buttons = () => [...state.colouring.querySelectorAll("button")];
  if (buttons().length !== options.length) {
    const pick = (by) => {
      state.by = by;
      recolour(state);
      tell(state);
    };
    state.colouring.replaceChildren("Colour by", choice("Colour by", options, state.by, pick));
  }
  buttons().forEach((button, at) => button.setAttribute("aria-pressed", String(options[at].value === state.by)));
}

function chip(state, name, label, coloured) {
  const many = state.data.classes.length > COLOURED;
  const on = many ? state.picked.has(label) : !state.hidden.has(label);
  const drawn = on && coloured ? classLook(state, label) : kind(state.colours.axis);
  const dot = make("i", { class: drawn.shape ? "dot diamond" : "dot", style: `background:${drawn.colour}` });
  const flip = () => {
    const set = many ? state.picked : state.hidden;
    if (set.has(label)) set.delete(label);
    else set.add(label);
    recolour(state);
    tell(state);
  };
  return make("button", { type: "button", "aria-pressed": String(on), onclick: flip }, dot, name);
}

function showScale(state) {
  const range = state.data.share_range;
  const words = state.by === "movement"
    ? ["where it was at the first snapshot", `${(100 * state.farthest).toFixed(0)} % of the map's width away`]
    : [`adds ${signed(range[0])} to the CKA`, `adds ${signed(range[1])}`];
  const shades = scaleOf(state).filter((_, at) => at % 15 === 0).map((shade) => `rgb(${shade.join(",")})`);
  const strip = make("i", { style: `background:linear-gradient(90deg, ${shades.join(",")})` });
  state.scale.replaceChildren(strip, ...words.map((word) => make("span", {}, word)));
}

function recolour(state) {
  state.ink = inkOf(state);
  legend(state);
  paint(state);
}
