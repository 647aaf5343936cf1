// Condition × strength of one model: accuracy, or the difference to another model, with a roving focus over the cells.

const MEAN = 0;

export default function ({ data, parentElement, setStateValue }) {
  const state = remembered(parentElement, data.run, () => buildGrid(parentElement));
  const first = state.data === null;
  state.data = data;
  state.send = setStateValue;
  if (first) Object.assign(state, data.asked);
  try {
    drawGrid(state);
    drawExamples(state);
    say(parentElement, "");
  } catch (error) {
    say(parentElement, `The table can't be drawn: ${error.message}.`);
  }
  return () => forget(parentElement);
}

function buildGrid(parent) {
  const state = { data: null, parent, at: [1, 1], clicked: false };
  state.root = parent.querySelector(".player");
  state.bar = make("div", { class: "bar" });
  state.legend = make("p", { class: "readout legend" });
  state.table = make("table", { class: "grid", role: "grid" });
  state.tip = make("div", { class: "tip", "aria-hidden": "true", hidden: true });
  state.examples = make("section", { class: "examples", "aria-label": "Pictures of the chosen cell" });
  state.root.replaceChildren(
    state.bar,
    make("div", { class: "around" }, state.table, state.tip),
    state.legend,
    savers((format) => saveGrid(state, format)),
    state.examples,
  );
  state.table.addEventListener("keydown", (event) => walkGrid(state, event));
  for (const name of ["pointerover", "focusin"]) {
    state.table.addEventListener(name, (event) => showTip(state, event.target.closest("[data-key]")));
  }
  for (const name of ["pointerleave", "focusout"]) state.table.addEventListener(name, () => showTip(state, null));
  return state;
}

// What can be shown of the chosen model, and whether that is a difference.
function shownOf(state) {
  const { data } = state;
  const model = data.accuracy[state.model] ? state.model : data.models.at(-1).name;
  const over = data.difference[model][state.show] ? state.show : null;
  return { model, over, values: over ? data.difference[model][over] : data.accuracy[model] };
}

function labelOf(list, name) {
  return list.find((entry) => entry.name === name)?.label ?? name;
}

function set(state, changes) {
  Object.assign(state, changes);
  drawGrid(state);
  if ("cell" in changes) drawExamples(state);
  const { model, show, group, sort, cell } = state;
  state.send("at", { model, show, group, sort, cell });
}

function sorted(state, names) {
  const { data } = state;
  const { model, over } = shownOf(state);
  const title = (name) => data.rows.find((row) => row.name === name).title;
  const gaps = data.difference[model][over ?? Object.keys(data.difference[model])[0]];
  const order = {
    name: (a, b) => title(a).localeCompare(title(b)),
    accuracy: (a, b) => data.accuracy[model][b][0] - data.accuracy[model][a][0],
    difference: gaps && ((a, b) => gaps[b][0] - gaps[a][0]),
  }[state.sort];
  return order ? [...names].sort(order) : names;
}

function drawGrid(state) {
  const { data } = state;
  const dark = isDark(state.parent);
  // The server answers every choice with the same table: drawn anew, it would take the button from under a second press.
  const shown = JSON.stringify([{ ...data, asked: null, examples: null }, state.model, state.show, state.group, state.sort, state.cell, dark]);
  if (shown === state.shown) return;
  const { model, over, values } = shownOf(state);
  state.colours = dark ? data.dark : data.light;
  drawBar(state);
  const beyond = Object.values(values).filter(isBeyond).map(([value]) => Math.abs(value));
  state.extent = Math.max(0.05, ...beyond);
  state.lines = [];
  const head = make(
    "thead",
    {},
    make(
      "tr",
      {},
      make("th", { scope: "col" }, make("span", { class: "faint" }, capital(data.words.strength))),
      ...data.strengths.map((strength) => make("th", { scope: "col" }, String(strength))),
      make("th", { scope: "col", class: "mean" }, "Mean"),
    ),
  );
  const bodies = [];
  if (values["clean 0"]) bodies.push(make("tbody", {}, line(state, "clean", "Clean", "The test images as they are.", "clean")));
  for (const group of data.groupings[state.group] ?? data.groupings.part) {
    bodies.push(
      make(
        "tbody",
        {},
        line(state, group.name, `${group.title} (${group.rows.length})`, group.note, "group"),
        ...sorted(state, group.rows).map((name) => {
          const row = data.rows.find((entry) => entry.name === name);
          return line(state, name, row.title, row.caption, "row");
        }),
      ),
    );
  }
  bodies.push(make("tbody", {}, line(state, "robust", `All (${data.rows.length})`, "the mean over all of them: robust accuracy", "group")));
  const focused = state.table.contains(state.root.getRootNode().activeElement);
  state.table.replaceChildren(head, ...bodies);
  const what = over ? `difference to ${labelOf(data.references, over)} in percentage points` : "accuracy in percent";
  state.table.setAttribute("aria-label", `${labelOf(data.models, model)}: ${what}, ${state.data.words.condition} by ${state.data.words.strength}. Arrow keys move.`);
  rove(state, focused);
  drawLegend(state, over);
  state.shown = shown;
}

// Whether a difference is one among all that are tested at once, and whether it would be one by itself. An end without
// bound is null, which is on neither side of zero.
function isBeyond([, , , beyond]) {
  return beyond === 1;
}

function isBeyondAlone([, low, high]) {
  return low > 0 || high < 0;
}

function wordOf(gap) {
  if (isBeyond(gap)) return gap[0] > 0 ? "a gain beyond noise" : "a loss beyond noise";
  return isBeyondAlone(gap) ? "beyond noise by itself, not among so many" : "within noise";
}

function line(state, name, title, note, kind) {
  const { data } = state;
  const head = make("th", { scope: "row", title: note }, title);
  const places = kind === "clean" ? [MEAN] : [...data.strengths, MEAN];
  const cells = places.map((strength) => square(state, name, title, strength, kind));
  if (kind === "clean") cells.unshift(make("td", { colspan: data.strengths.length, class: "void" }));
  state.lines.push(kind === "clean" ? [...data.strengths.map(() => null), cells[1]] : cells);
  return make("tr", { class: kind }, head, ...cells);
}

function square(state, name, title, strength, kind) {
  const { values, over } = shownOf(state);
  const key = kind === "clean" ? "clean 0" : strength === MEAN ? name : `${name} ${strength}`;
  const found = values[key];
  const td = make("td", { role: "gridcell", class: strength === MEAN ? "mean" : "" });
  if (!found) {
    td.append(make("span", { class: "faint" }, "–"));
    return td;
  }
  const text = over ? signedPoints(found[0]) : (100 * found[0]).toFixed(1);
  const where = kind === "clean" ? "Clean" : strength === MEAN ? `${title}, mean over ${state.data.words.strengths}` : `${title}, ${state.data.words.strength} ${strength}`;
  // Means have no pictures, so they are not buttons, but the arrow keys reach them too.
  const opens = kind === "clean" || (kind === "row" && strength !== MEAN);
  const cell = opens ? key.replace(" ", ".") : null;
  const face = make(
    opens ? "button" : "span",
    { ...(opens ? { type: "button", onclick: () => pickCell(state, cell) } : {}), "data-key": key, "data-where": where, tabindex: -1 },
    text,
  );
  face.setAttribute("aria-label", `${where}: ${readings(state, key).join("; ")}`);
  if (!opens) face.setAttribute("role", "img");
  paintSquare(state, face, found, over);
  if (opens) td.setAttribute("aria-selected", String(cell === state.cell));
  td.append(face);
  return td;
}

function paintSquare(state, face, found, over) {
  const { colours } = state;
  if (!over) {
    face.style.background = along(colours.sequential, found[0]);
    face.style.color = colours.text;
    return;
  }
  const beyond = isBeyond(found);
  face.classList.toggle("quiet", !beyond);
  if (!beyond) return;
  // A difference beyond noise is never so pale that it would pass for one within.
  const strength = 0.3 + 0.7 * Math.min(1, Math.abs(found[0]) / state.extent);
  face.style.background = along(colours.diverging_soft, 0.5 + Math.sign(found[0]) * 0.5 * strength);
  face.style.color = colours.text;
}

function along(stops, share) {
  const [red, green, blue] = ramp(stops)[Math.round(255 * Math.min(1, Math.max(0, share)))];
  return `rgb(${red} ${green} ${blue})`;
}

function signedPoints(share) {
  const points = Math.round(1000 * share) / 10;
  return (points > 0 ? "+" : points < 0 ? "−" : "") + Math.abs(points).toFixed(1);
}

// What was measured at a key, in words: a line for each model, then the difference that is shown.
function readings(state, key) {
  const { data } = state;
  const { model, over } = shownOf(state);
  const bound = (share, otherwise) => (share === null ? otherwise : (100 * share).toFixed(1));
  const lines = data.models.map(({ name, label }) => {
    const [value, low, high] = data.accuracy[name][key];
    return `${label} ${bound(value)} % (${bound(low, "−∞")} to ${bound(high, "∞")})`;
  });
  for (const [name, gaps] of Object.entries(data.difference[model])) {
    if (over && name !== over) continue;
    const [value, low, high] = gaps[key];
    const half = low === null || high === null ? "∞" : (100 * (high - low) / 2).toFixed(1);
    lines.push(`${labelOf(data.models, model)} against ${labelOf(data.references, name)}: ${signedPoints(value)} ± ${half} points, ${wordOf(gaps[key])}`);
  }
  return lines;
}

function showTip(state, face) {
  const { tip } = state;
  if (!face) {
    tip.hidden = true;
    return;
  }
  const n = `95 % intervals over images, n = ${state.data.n.toLocaleString("en")}`;
  tip.replaceChildren(
    make("b", {}, face.dataset.where),
    ...readings(state, face.dataset.key).map((words) => make("div", {}, words)),
    make("div", { class: "faint" }, n),
  );
  tip.hidden = false;
  const around = tip.parentElement.getBoundingClientRect();
  const box = face.getBoundingClientRect();
  const left = box.left - around.left + box.width / 2 - tip.offsetWidth / 2;
  tip.style.left = `${Math.min(Math.max(0, left), Math.max(0, around.width - tip.offsetWidth))}px`;
  const above = box.top - around.top - tip.offsetHeight - 6;
  tip.style.top = `${box.top - tip.offsetHeight < 70 ? box.bottom - around.top + 6 : above}px`;
}

function rove(state, focus) {
  const [row, column] = state.at;
  const here = faceAt(state, row, column) ?? faceAt(state, 0, state.data.strengths.length);
  state.table.querySelectorAll("[data-key]").forEach((face) => face.setAttribute("tabindex", face === here ? 0 : -1));
  if (focus) here?.focus();
}

function faceAt(state, row, column) {
  return state.lines[row]?.[column]?.querySelector("[data-key]") ?? null;
}

function walkGrid(state, event) {
  if (event.key === "Escape") showTip(state, null);
  const here = event.target.closest("[data-key]");
  const row = state.lines.findIndex((cells) => cells.some((cell) => cell?.contains(here)));
  const column = row < 0 ? -1 : state.lines[row].findIndex((cell) => cell?.contains(here));
  const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  const last = state.data.strengths.length;
  let next = null;
  if (step) next = [row + step[0], column + step[1]];
  else if (event.key === "Home") next = [row, state.lines[row]?.findIndex((cell) => cell?.querySelector("[data-key]"))];
  else if (event.key === "End") next = [row, last];
  if (!next) return;
  event.preventDefault();
  if (next[0] < 0 || next[0] >= state.lines.length) return;
  // The line of clean images has a single cell, at its end.
  if (!faceAt(state, ...next) && state.lines[next[0]][next[1]] === null) next[1] = last;
  if (!faceAt(state, ...next)) return;
  state.at = next;
  rove(state, true);
}

function pickCell(state, cell) {
  const row = state.lines.findIndex((cells) => cells.some((td) => td?.querySelector("button")?.dataset.key === cell.replace(".", " ")));
  const column = state.lines[row].findIndex((td) => td?.querySelector("button")?.dataset.key === cell.replace(".", " "));
  state.at = [row, column];
  state.clicked = true;
  set(state, { cell });
  showTip(state, null);
}

function capital(word) {
  return word[0].toUpperCase() + word.slice(1);
}
