// A number for every teacher layer with every student layer: a table whose cells are buttons, with a roving focus over
// them, and each network's stages as a tree along its side, of which any can be folded to its last layer.

export default function ({ data, parentElement, setTriggerValue }) {
  const state = remembered(parentElement, "layer matrix", () => buildMatrix(parentElement));
  state.data = data;
  state.send = setTriggerValue;
  try {
    drawMatrix(state);
    say(parentElement, "");
  } catch (error) {
    say(parentElement, `The table of layers can't be drawn: ${error.message}.`);
  }
  return () => forget(parentElement);
}

function buildMatrix(parent) {
  const state = { data: null, parent, at: null, shown: null, folded: null, timer: null };
  state.table = make("table", { class: "layers", role: "grid" });
  state.readout = make("p", { class: "readout", "aria-live": "polite" });
  state.legend = make("p", { class: "legend" });
  state.table.addEventListener("keydown", (event) => walkMatrix(state, event));
  for (const name of ["pointerover", "focusin"]) {
    state.table.addEventListener(name, (event) => tellCell(state, event.target.closest("td button")));
  }
  for (const name of ["pointerleave", "focusout"]) state.table.addEventListener(name, () => tellCell(state, null));
  const head = make(
    "p",
    { class: "axes" },
    make("span", { class: "guiding" }, "Teacher's guiding layer ↓"),
    make("span", { class: "guided" }, "Student's guided layer →"),
  );
  const tools = savers((format) => saveMatrix(state, format));
  const scrolls = make("div", { class: "scrolls" }, state.table);
  parent.querySelector(".player").replaceChildren(head, scrolls, state.legend, state.readout, tools);
  state.leave = () => clearTimeout(state.timer);
  return state;
}

function drawMatrix(state) {
  const { data } = state;
  const dark = isDark(state.parent);
  state.folded ??= { teacher: new Set(data.teacher.folded), student: new Set(data.student.folded) };
  const folds = ["teacher", "student"].map((role) => [...state.folded[role]]);
  const shown = JSON.stringify([data.teacher.stages, data.student.stages, data.cells, data.title, data.chosen, folds, dark]);
  if (shown === state.shown) return;
  state.shown = shown;
  state.colours = dark ? data.dark : data.light;
  state.parent.querySelector(".guiding").style.color = state.colours.teacher_text;
  state.parent.querySelector(".guided").style.color = state.colours.student;
  state.table.setAttribute("aria-label", `${data.title}. Arrow keys move, Enter chooses.`);
  const shades = ramp(data.scale === "viridis" ? data.viridis : state.colours.diverging);
  state.columns = visible(data.student.stages, state.folded.student);
  state.rows = visible(data.teacher.stages, state.folded.teacher);
  state.cells = state.rows.map((row) => state.columns.map((column) => cellOf(state, row, column, shades)));
  const focused = state.table.contains(state.table.getRootNode().activeElement);
  state.table.replaceChildren(make("thead", {}, ...headOf(state)), make("tbody", {}, ...bodyOf(state)));
  drawLegend(state, shades);
  const place = (list, name) => Math.max(0, list.findIndex((each) => each.name === name));
  if (!state.at || !focused) state.at = [place(state.rows, data.chosen[0]), place(state.columns, data.chosen[1])];
  if (state.cells.length && state.columns.length) {
    goTo(state, Math.min(state.at[0], state.rows.length - 1), Math.min(state.at[1], state.columns.length - 1), focused);
    if (!focused) bringIntoView(state);
  }
  tellCell(state, null);
}

// The layers that have a row or a column, each with its place among all: of a folded stage only the last.
function visible(stages, folded) {
  const found = [];
  let at = 0;
  for (const stage of stages) {
    stage.layers.forEach((layer, index) => {
      if (!isFolded(stage, folded) || index === stage.layers.length - 1) found.push({ ...layer, at, stage });
      at += 1;
    });
  }
  return found;
}

function isFolded(stage, folded) {
  return stage.layers.length > 1 && folded.has(stage.name);
}

function cellOf(state, row, column, shades) {
  const { data } = state;
  const { text, under, level, words, strong } = data.cells[row.at][column.at];
  const style = level === null ? "" : inked(shades[Math.round(255 * Math.min(1, Math.max(0, level)))]);
  const chosen = row.name === data.chosen[0] && column.name === data.chosen[1];
  return make(
    "button",
    {
      type: "button",
      tabindex: -1,
      style,
      class: `${level === null ? "blank" : ""}${strong ? " strong" : ""}`,
      "aria-label": `teacher ${row.name}, student ${column.name}: ${words}`,
      "aria-pressed": String(chosen),
      onclick: () => choose(state, row, column),
    },
    text,
    ...(under ? [make("small", {}, under)] : []),
  );
}

function choose(state, row, column) {
  clearTimeout(state.timer);
  goTo(state, state.rows.indexOf(row), state.columns.indexOf(column), true);
  state.send("pick", { teacher: row.name, student: column.name });
}

// The ground, and whichever of black and white is easier to read on it.
function inked([red, green, blue]) {
  const light = (part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const bright = 0.2126 * light(red) + 0.7152 * light(green) + 0.0722 * light(blue) > 0.18;
  return `background:rgb(${red} ${green} ${blue});color:${bright ? "#000000" : "#ffffff"}`;
}

function headOf(state) {
  const { stages } = state.data.student;
  const colour = `color:${state.colours.student}`;
  const tree = stages.some((stage) => stage.layers.length > 1);
  const upper = make("tr", {}, make("td", { rowspan: tree ? 2 : 1 }));
  const lower = make("tr", {});
  for (const stage of stages) {
    const own = state.columns.filter((column) => column.stage === stage);
    if (stage.layers.length === 1) {
      upper.append(nameOf(own[0], { scope: "col", rowspan: tree ? 2 : 1, style: colour }));
      continue;
    }
    upper.append(make("th", { scope: "colgroup", colspan: own.length, class: "stage", style: colour }, toggleOf(state, "student", stage)));
    lower.append(...own.map((column) => nameOf(column, { scope: "col", style: colour })));
  }
  return tree ? [upper, lower] : [upper];
}

function bodyOf(state) {
  const colour = `color:${state.colours.teacher_text}`;
  const lines = [];
  for (const stage of state.data.teacher.stages) {
    const single = stage.layers.length === 1;
    if (!single) {
      const stageName = make("th", { scope: "rowgroup", class: "stage", style: colour }, toggleOf(state, "teacher", stage));
      lines.push(make("tr", { class: "stage" }, stageName, make("td", { colspan: state.columns.length })));
    }
    state.rows.forEach((row, index) => {
      if (row.stage !== stage) return;
      const name = nameOf(row, { scope: "row", style: colour, class: single ? "" : "inner" });
      lines.push(make("tr", {}, name, ...state.cells[index].map((button) => make("td", { role: "gridcell" }, button))));
    });
  }
  return lines;
}

function toggleOf(state, role, stage) {
  const folded = isFolded(stage, state.folded[role]);
  const fold = () => {
    if (folded) state.folded[role].delete(stage.name);
    else state.folded[role].add(stage.name);
    drawMatrix(state);
    const again = `[data-stage="${role} ${CSS.escape(stage.name)}"]`;
    state.table.querySelector(again)?.focus();
    state.send("fold", { teacher: [...state.folded.teacher], student: [...state.folded.student] });
  };
  const count = `${stage.layers.length} layers${stage.size ? `, ${stage.size} parameters` : ""}`;
  // Over columns there is less room than beside rows.
  const told = role === "teacher" ? count : stage.size;
  return make(
    "button",
    {
      type: "button",
      class: "fold",
      "data-stage": `${role} ${stage.name}`,
      "aria-expanded": String(!folded),
      title: folded ? `Show all ${count}; its last layer stands for it now.` : `Fold its ${count} into the last one.`,
      onclick: fold,
    },
    make("span", { "aria-hidden": "true" }, folded ? "▸" : "▾"),
    ...broken(stage.name),
    make("small", {}, told),
  );
}

function nameOf(layer, attributes) {
  const notes = [layer.same ? `= ${layer.same}` : "", layer.shape, layer.size].filter(Boolean);
  const title = [
    layer.same ? `With mean pooling ${layer.name} is the mean of ${layer.same}: the same thing.` : "",
    layer.size ? `${layer.size} parameters since the layer before it.` : "",
  ];
  return make(
    "th",
    { ...attributes, title: title.filter(Boolean).join(" ") || null },
    ...broken(layer.name),
    ...notes.map((note) => make("small", {}, note)),
  );
}

// A layer's path may be parted where its own parts are, and nowhere within a word.
function broken(name) {
  return name.split(/(?<=[._])/).flatMap((part) => [part, make("wbr")]).slice(0, -1);
}

function drawLegend(state, shades) {
  const { ends } = state.data;
  state.legend.hidden = !ends;
  if (!ends) return;
  const stops = Array.from({ length: 12 }, (_, at) => `rgb(${shades[Math.round((255 * at) / 11)].join(" ")})`);
  const strip = make("i", { style: `background:linear-gradient(90deg,${stops.join(",")})` });
  state.legend.replaceChildren(make("span", {}, ends[0]), strip, make("span", {}, ends[1]));
}

function goTo(state, row, column, focus) {
  state.cells.flat().forEach((button) => button.setAttribute("tabindex", -1));
  state.at = [row, column];
  state.cells[row][column].setAttribute("tabindex", 0);
  if (focus) state.cells[row][column].focus();
}

// The chosen cell within the box that scrolls, and clear of the names that stay; the page itself stays where it is.
function bringIntoView(state) {
  const box = state.table.parentElement;
  const cell = state.cells[state.at[0]][state.at[1]].getBoundingClientRect();
  const [frame, corner] = [box.getBoundingClientRect(), state.table.rows[0].cells[0].getBoundingClientRect()];
  const head = state.table.tHead.getBoundingClientRect();
  if (cell.left < frame.left + corner.width) box.scrollLeft -= frame.left + corner.width - cell.left + 4;
  else if (cell.right > frame.right) box.scrollLeft += cell.right - frame.right + 4;
  if (cell.top < frame.top + head.height) box.scrollTop -= frame.top + head.height - cell.top + 4;
  else if (cell.bottom > frame.bottom) box.scrollTop += cell.bottom - frame.bottom + 4;
}

function walkMatrix(state, event) {
  const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  const button = event.target.closest("td button");
  if (!step || !button) return;
  event.preventDefault();
  const row = state.cells.findIndex((line) => line.includes(button));
  const next = [row + step[0], state.cells[row].indexOf(button) + step[1]];
  if (!state.cells[next[0]]?.[next[1]]) return;
  goTo(state, ...next, true);
  if (!state.data.follows) return;
  // Whoever walks on is not held up by each cell passed.
  clearTimeout(state.timer);
  state.timer = setTimeout(() => choose(state, state.rows[next[0]], state.columns[next[1]]), 450);
}

function tellCell(state, button) {
  const { data } = state;
  const words = button?.getAttribute("aria-label");
  state.readout.textContent = words
    ? `${words[0].toUpperCase()}${words.slice(1)}. ${data.invites}`
    : `Chosen: teacher ${data.chosen[0]}, student ${data.chosen[1]}.`;
}
