// A few images of each class, class after class.

const SEARCH_FROM = 13;
const SAVED_SIDE = 56;

export default function ({ data, parentElement }) {
  const state = remembered(parentElement, data.run, () => buildSheet(parentElement));
  state.data = data;
  try {
    drawSheet(state);
    say(parentElement, "");
  } catch (error) {
    say(parentElement, `The images can't be drawn: ${error.message}.`);
  }
  return () => forget(parentElement);
}

function buildSheet(parent) {
  const state = { data: null, parent, drawn: "" };
  state.root = parent.querySelector(".player");
  state.search = make("input", { type: "search", placeholder: "Find a class", "aria-label": "Find a class" });
  state.search.addEventListener("input", () => sift(state));
  state.sorts = make("div", { class: "sorts" });
  state.none = make("p", { class: "none", role: "status", hidden: true }, "No class is called so.");
  state.root.replaceChildren(state.search, state.none, state.sorts, savers((format) => saveSheet(state, format)));
  return state;
}

function drawSheet(state) {
  const { data } = state;
  if (state.drawn === data.run) return;
  state.drawn = data.run;
  state.search.hidden = data.classes.length < SEARCH_FROM;
  state.shown = data.classes.map(({ name, count, places }) => {
    const canvases = places.map((_, at) => pictureBox(`${name}, image ${at + 1} of those shown`));
    const words = make("figcaption", {}, make("b", {}, name), make("span", {}, `${count.toLocaleString("en")} to learn from`));
    return { name, places, canvases, figure: make("figure", { class: "sort" }, words, make("div", { class: "strip" }, ...canvases)) };
  });
  state.sorts.replaceChildren(...state.shown.map(({ figure }) => figure));
  loadSheet(data.sheet).then(
    (picture) => {
      for (const { canvases, places } of state.shown) canvases.forEach((canvas, at) => drawPicture(canvas, picture, data.sheet, places[at]));
      state.root.dataset.shown = data.run;
    },
    (error) => say(state.parent, `These images can't be drawn: ${error.message}.`),
  );
}

function sift(state) {
  const wanted = state.search.value.trim().toLowerCase();
  for (const { name, figure } of state.shown) figure.hidden = !name.toLowerCase().includes(wanted);
  state.none.hidden = state.shown.some(({ figure }) => !figure.hidden);
}

// The classes that are shown, two in a row, as many of each as the page has.
function saveSheet(state, format) {
  const { data } = state;
  const colours = isDark(state.parent) ? data.dark : data.light;
  const shown = state.shown.filter(({ figure }) => !figure.hidden);
  const most = Math.max(1, ...shown.map(({ canvases }) => canvases.length));
  const [wide, high] = [most * (SAVED_SIDE + 4) + 20, SAVED_SIDE + 32];
  const across = shown.length > 1 ? 2 : 1;
  const sheet = { width: wide * across, height: high * Math.ceil(shown.length / across), colours, letters: data.letters };
  save(state.parent, format, { ...sheet, foot: `${data.run} · training images`, file: `${data.run}-contact-sheet` }, (context, font) => {
    context.imageSmoothingEnabled = data.sheet.tile > SAVED_SIDE;
    context.textAlign = "left";
    context.font = `600 12px ${font}`;
    context.fillStyle = colours.text;
    shown.forEach(({ name, canvases }, at) => {
      const [x, y] = [(at % across) * wide, Math.floor(at / across) * high];
      context.fillText(name, x, y + 12);
      canvases.forEach((canvas, place) => context.drawImage(canvas, x + place * (SAVED_SIDE + 4), y + 20, SAVED_SIDE, SAVED_SIDE));
    });
  });
}
