// Images picked out of a map by a lasso, a box or keys: the rest dims, and those picked are shown, counted and taken along.

const MOST_SHOWN = 60;

function buildSelection(state) {
  const tool = (name) => {
    state.tool = state.tool === name ? null : name;
    showTool(state);
  };
  state.lasso = make("button", { type: "button", "aria-pressed": "false", onclick: () => tool("lasso") }, "Lasso");
  state.box = make("button", { type: "button", "aria-pressed": "false", onclick: () => tool("box") }, "Box");
  state.chosen = make("section", { class: "chosen", "aria-label": "Selected images", hidden: true });
  return make("span", { class: "choice", role: "group", "aria-label": "Select images" }, state.lasso, state.box);
}

function showTool(state) {
  for (const name of ["lasso", "box"]) state[name].setAttribute("aria-pressed", String(state.tool === name));
  for (const { canvas } of state.pictures) {
    canvas.style.touchAction = state.tool ? "none" : "";
    canvas.style.cursor = state.tool ? "crosshair" : "";
  }
}

// A drag with a tool: an outline in the canvas's pixels, of which the box keeps two corners.
function outline(state, picture, event) {
  const at = [event.offsetX, event.offsetY];
  if (state.tool === "box") {
    const [first] = picture.outline;
    picture.outline = [first, [at[0], first[1]], at, [first[0], at[1]]];
  } else picture.outline.push(at);
  paintOne(state, picture);
}

function enclose(state, picture) {
  const edge = picture.outline;
  picture.outline = null;
  const [width, height] = [picture.canvas.clientWidth, picture.canvas.clientHeight];
  const found = new Set();
  if (picture.points && edge.length > 2) {
    for (let index = 0; index < state.ink.of.length; index += 1) {
      if (state.ink.of[index] !== HIDDEN && isWithin(edge, ...place(picture, picture.points, index, width, height))) found.add(index);
    }
  }
  select(state, found.size ? found : null);
}

// Whether a line to the right crosses the outline an odd number of times.
function isWithin(edge, x, y) {
  let inside = false;
  for (let at = 0, last = edge.length - 1; at < edge.length; last = at, at += 1) {
    const [[x1, y1], [x2, y2]] = [edge[at], edge[last]];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}

function select(state, images) {
  state.selected = images;
  showSelection(state);
  paint(state);
  tell(state);
}

function flipSelected(state, index) {
  const images = new Set(state.selected);
  if (!images.delete(index)) images.add(index);
  select(state, images.size ? images : null);
}

function showSelection(state) {
  const { data, selected } = state;
  state.chosen.hidden = !selected;
  if (!selected) return;
  const counts = new Map();
  for (const index of selected) counts.set(data.labels[index], (counts.get(data.labels[index]) ?? 0) + 1);
  const named = [...counts].sort((one, two) => two[1] - one[1]).map(([label, count]) => `${data.classes[label]} ${count}`);
  const said = make("p", { role: "status" }, make("b", {}, `${selected.size} of ${data.labels.length} images`), ` · ${shortList(named)}`);
  const copied = make("span", { role: "status" });
  const copy = () => copyText(selectionTable(state, "\t")).then((words) => { copied.textContent = words; });
  const keep = () => download(new Blob([selectionTable(state, ",")], { type: "text/csv" }), `${data.run}-selection.csv`);
  const button = (words, press) => make("button", { type: "button", onclick: press }, words);
  const strip = make("div", { class: "strip" });
  state.chosen.replaceChildren(
    said,
    make("div", { class: "bar" }, button("Copy", copy), button("Save as CSV", keep), button("Clear", () => select(state, null)), copied),
    strip,
  );
  if (!data.atlas) return;
  const shown = [...selected].sort((one, two) => data.labels[one] - data.labels[two]).slice(0, MOST_SHOWN);
  loadSheet(data.atlas).then((sheet) => {
    for (const index of shown) {
      const picture = pictureBox(`${data.classes[data.labels[index]]}, image ${index + 1}`);
      drawPicture(picture, sheet, data.atlas, index);
      strip.append(picture);
    }
    if (selected.size > shown.length) strip.append(make("span", {}, `and ${selected.size - shown.length} more`));
  }, (error) => say(state.parent, `The selected images can't be drawn: ${error.message}.`));
}

function shortList(named) {
  return named.length > 6 ? `${named.slice(0, 6).join(", ")} and ${named.length - 6} more classes` : named.join(", ");
}

// A row an image, as it stands at the moment that is looked at; `moved` in widths of the map.
function selectionTable(state, comma) {
  const { data } = state;
  const quoted = (text) => (comma === "," ? `"${text.replaceAll('"', '""')}"` : text);
  const heads = ["image", "class", "moved", ...(state.shares ? ["cka_share"] : [])];
  const moved = movement(state);
  const rows = [...state.selected].sort((one, two) => one - two).map((index) => [
    index + 1, quoted(data.classes[data.labels[index]]), moved ? moved[index].toFixed(4) : "",
    ...(state.shares ? [shareAt(state, index).toExponential(3)] : []),
  ]);
  return [heads, ...rows].map((row) => row.join(comma)).join("\n") + "\n";
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied.";
  } catch {
    return "This browser lets no page copy here; save the table instead.";
  }
}

// A selection in an address: a bit an image, six to a letter.
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

function writeSelection(images) {
  if (!images) return "";
  const sixes = Array.from({ length: Math.floor(Math.max(...images) / 6) + 1 }, () => 0);
  for (const index of images) sixes[Math.floor(index / 6)] |= 1 << (index % 6);
  return sixes.map((six) => LETTERS[six]).join("");
}

function readSelection(text, count) {
  const images = new Set();
  [...text].forEach((letter, at) => {
    const six = LETTERS.indexOf(letter);
    for (let bit = 0; bit < 6; bit += 1) if (six > 0 && six & (1 << bit) && 6 * at + bit < count) images.add(6 * at + bit);
  });
  return images.size ? images : null;
}
