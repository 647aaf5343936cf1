// CKA of every teacher layer with every student layer: a table whose cells are buttons, with a roving focus over them.

export default function ({ data, parentElement, setTriggerValue }) {
  const state = remembered(parentElement, "layer map", () => buildMap(parentElement));
  state.data = data;
  state.send = setTriggerValue;
  try {
    drawMap(state);
    say(parentElement, "");
  } catch (error) {
    say(parentElement, `The layer map can't be drawn: ${error.message}.`);
  }
  return () => forget(parentElement);
}

function buildMap(parent) {
  const state = { data: null, parent, at: null, shown: null };
  state.table = make("table", { class: "layers", role: "grid", "aria-label": "CKA of each teacher layer with each student layer. Arrow keys move, Enter chooses." });
  state.readout = make("p", { class: "readout", "aria-live": "polite" });
  state.table.addEventListener("keydown", (event) => walkMap(state, event));
  for (const name of ["pointerover", "focusin"]) {
    state.table.addEventListener(name, (event) => tellCell(state, event.target.closest("button")));
  }
  for (const name of ["pointerleave", "focusout"]) state.table.addEventListener(name, () => tellCell(state, null));
  const head = make(
    "p",
    { class: "axes" },
    make("span", { class: "guiding" }, "Teacher's guiding layer ↓"),
    make("span", { class: "guided" }, "Student's guided layer →"),
  );
  const tools = savers((format) => saveMap(state, format));
  parent.querySelector(".player").replaceChildren(head, make("div", { class: "scrolls" }, state.table), state.readout, tools);
  return state;
}

function drawMap(state) {
  const { data } = state;
  const dark = isDark(state.parent);
  const shown = JSON.stringify([data.teacher, data.student, data.cka, data.chosen, dark]);
  if (shown === state.shown) return;
  state.shown = shown;
  const colours = dark ? data.dark : data.light;
  state.parent.querySelector(".guiding").style.color = colours.teacher_text;
  state.parent.querySelector(".guided").style.color = colours.student;
  const shades = ramp(data.viridis);
  const [guiding, guided] = data.chosen;
  const named = (name, same, attributes) => {
    const earlier = same[name];
    const note = earlier ? `With mean pooling ${name} is the mean of ${earlier}: the same thing.` : null;
    const children = earlier ? [...broken(name), make("small", {}, `= ${earlier}`)] : broken(name);
    return make("th", { ...attributes, title: note }, ...children);
  };
  const head = make(
    "tr",
    {},
    make("td"),
    ...data.student.map((name) => named(name, data.same[1], { scope: "col", style: `color:${colours.student}` })),
  );
  state.cells = data.teacher.map((teacher, row) =>
    data.student.map((student, column) => {
      const value = data.cka[row][column];
      const [red, green, blue] = shades[Math.round(255 * Math.min(1, Math.max(0, value)))];
      const light = (part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
      // Above this the contrast of black is the better one.
      const bright = 0.2126 * light(red) + 0.7152 * light(green) + 0.0722 * light(blue) > 0.18;
      return make(
        "button",
        {
          type: "button",
          tabindex: -1,
          style: `background:rgb(${red} ${green} ${blue});color:${bright ? "#000000" : "#ffffff"}`,
          "aria-label": `teacher ${teacher}, student ${student}: CKA ${value.toFixed(3)}`,
          "aria-pressed": String(teacher === guiding && student === guided),
          onclick: () => {
            goTo(state, row, column, true);
            state.send("pick", { teacher, student });
          },
        },
        value.toFixed(2).replace("-", "−"),
      );
    }),
  );
  const lines = data.teacher.map((teacher, row) =>
    make(
      "tr",
      {},
      named(teacher, data.same[0], { scope: "row", style: `color:${colours.teacher_text}` }),
      ...state.cells[row].map((button) => make("td", { role: "gridcell" }, button)),
    ),
  );
  const focused = state.table.contains(state.table.getRootNode().activeElement);
  state.table.replaceChildren(make("thead", {}, head), make("tbody", {}, ...lines));
  state.at ??= [Math.max(0, data.teacher.indexOf(guiding)), Math.max(0, data.student.indexOf(guided))];
  goTo(state, Math.min(state.at[0], data.teacher.length - 1), Math.min(state.at[1], data.student.length - 1), focused);
  tellCell(state, null);
}

// A layer's path may be parted where its own parts are, and nowhere within a word.
function broken(name) {
  return name.split(/(?<=[._])/).flatMap((part) => [part, make("wbr")]).slice(0, -1);
}

function goTo(state, row, column, focus) {
  state.cells.flat().forEach((button) => button.setAttribute("tabindex", -1));
  state.at = [row, column];
  state.cells[row][column].setAttribute("tabindex", 0);
  if (focus) state.cells[row][column].focus();
}

function walkMap(state, event) {
  const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (!step) return;
  event.preventDefault();
  const button = event.target.closest("button");
  const row = state.cells.findIndex((line) => line.includes(button));
  const column = state.cells[row]?.indexOf(button) ?? -1;
  const next = [row + step[0], column + step[1]];
  if (state.cells[next[0]]?.[next[1]]) goTo(state, ...next, true);
}

function tellCell(state, button) {
  const { data } = state;
  const words = button?.getAttribute("aria-label");
  state.readout.textContent = words
    ? `${words[0].toUpperCase()}${words.slice(1)}. Press to choose this pair.`
    : `Chosen: teacher ${data.chosen[0]}, student ${data.chosen[1]}.`;
}
