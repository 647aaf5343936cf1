// How the points of a map are told apart: kinds, each a colour and a shape, and the kind of every point.

const SHAPES = 2;
const COLOURED = 20;
const HIDDEN = 0xffff;

// One kind a class. Of many classes those that were picked out have a colour, and the rest is faint.
function classInk(state) {
  const { classes, labels } = state.data;
  const kinds = classes.map((name, label) => ({ name, ...classLook(state, label) }));
  const of = Uint16Array.from(labels, (label) => (state.hidden.has(label) && classes.length <= COLOURED ? HIDDEN : label));
  return { kinds, of };
}

function classLook(state, label) {
  const { colours } = state;
  if (state.data.classes.length > COLOURED) {
    const place = [...state.picked].indexOf(label);
    if (place < 0) return kind(colours.axis, 0, true);
    return kind(colours.classes[place % 10], Math.floor(place / 10) % SHAPES);
  }
  return kind(colours.classes[label % 10], Math.floor(label / 10) % SHAPES);
}

function kind(colour, shape = 0, faint = false) {
  return { colour, shape, faint, rgb: rgb(colour) };
}

// The names of classes, each a button that hides its points, or picks it out of many.
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
      const drawn = on ? classLook(state, label) : kind(state.colours.axis);
      const dot = make("i", { class: drawn.shape ? "dot diamond" : "dot", style: `background:${drawn.colour}` });
      const flip = () => {
        const set = many ? state.picked : state.hidden;
        if (set.has(label)) set.delete(label);
        else set.add(label);
        recolour(state);
        tell(state);
      };
      return make("button", { type: "button", "aria-pressed": String(on), onclick: flip }, dot, name);
    }),
  );
  if (!many && state.hidden.size) {
    const all = () => {
      state.hidden.clear();
      recolour(state);
      tell(state);
    };
    state.chips.append(make("button", { type: "button", onclick: all }, "Show all"));
  }
}

function recolour(state) {
  state.ink = classInk(state);
  legend(state);
  paint(state);
}
