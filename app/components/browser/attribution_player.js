// Which images agree with the teacher, and who made the CKA change, at the moment that the page's clock says.

const SHOWN = 12;
const MOST_CLASSES = 20;
const TILE = 56; // px, of a saved picture
const MEASURES = {
  share: { text: "Share of CKA", title: "Shown times n, so that their mean is the CKA" },
  agreement: { text: "Agreement", title: "The cosine of the image's rows in the two Gram matrices" },
};

export default function ({ data, parentElement }) {
  const state = remembered(parentElement, data.run, () => buildAttribution(parentElement, data));
  // Shares are packed in one range: with a new range all of them are new.
  if (state.data?.revision !== data.revision) state.unpacked.clear();
  state.data = data;
  state.colours = isDark(parentElement) ? data.dark : data.light;
  try {
    showShares(state);
    if (state.sheetOf !== data.sheet.url) {
      state.sheetOf = data.sheet.url;
      loadSheet(data.sheet).then(
        (sheet) => {
          state.sheet = sheet;
          showShares(state);
        },
        (error) => say(parentElement, `The images can't be drawn: ${error.message}.`),
      );
    }
    say(parentElement, "");
  } catch (error) {
    say(parentElement, `The images' shares can't be drawn: ${error.message}.`);
  }
  return () => forget(parentElement);
}

function buildAttribution(parent, { clock }) {
  const state = { data: null, parent, clock: clockOf(clock), unpacked: new Map(), measure: "share", since: "", label: null, drawn: "", sheetOf: "", sheet: null };
  state.root = parent.querySelector(".player");
  state.measures = make("span");
  state.since_ = make("select", { "aria-label": "Compared with", onchange: () => choose(state, { since: state.since_.value }) });
  state.said = make("p", { class: "told", role: "status" });
  state.rows = make("div", { class: "ranks" });
  state.classes = make("div", { class: "classes" });
  state.root.replaceChildren(
    make("div", { class: "bar" }, state.measures, make("label", { class: "since" }, "Show", state.since_)),
    state.said,
    state.rows,
    state.classes,
    savers((format) => saveShares(state, format)),
  );
  const unwatch = state.clock.watch(() => state.data && turnShares(state));
  state.leave = unwatch;
  return state;
}

function choose(state, change) {
  Object.assign(state, change);
  showShares(state);
}

function shotsOf(state) {
  const { data, clock } = state;
  const arm = data.arms.find(({ name }) => name === clock.track?.name) ?? data.arms.at(-1);
  return { arm, at: momentOf(clock, arm.snapshots).nearest };
}

// Ranks change with the snapshot, not with every frame of the screen.
function turnShares(state) {
  const { arm, at } = shotsOf(state);
  if (`${arm.name} ${at}` !== state.drawn) showShares(state);
}

function values(state, arm, at, measure) {
  const key = `${arm.name} ${arm.snapshots[at].step} ${measure}`;
  if (!state.unpacked.has(key)) {
    const raw = bytes(arm.snapshots[at][measure]);
    const scale = (measure === "share" ? state.data.largest : 1) / 32767;
    const view = new DataView(raw.buffer);
    state.unpacked.set(key, Float32Array.from({ length: raw.length / 2 }, (_, place) => scale * view.getInt16(2 * place, true)));
  }
  return state.unpacked.get(key);
}

// The step that is compared with: the one before, the first, or one by its number; none for the values themselves.
function comparedWith(state, arm, at) {
  if (state.since === "") return null;
  if (state.since === "before") return at > 0 ? at - 1 : null;
  const place = arm.snapshots.findIndex(({ step }) => String(step) === state.since);
  return place < 0 || place === at ? null : place;
}

function showShares(state) {
  const { data, measure } = state;
  const { arm, at } = shotsOf(state);
  state.drawn = `${arm.name} ${at}`;
  const from = comparedWith(state, arm, at);
  const now = values(state, arm, at, measure);
  const then = from === null ? null : values(state, arm, from, measure);
  const worth = then ? now.map((value, place) => value - then[place]) : now;
  Object.assign(state, { arm, at, from, worth });
  const options = Object.entries(MEASURES).map(([value, { text }]) => ({ value, text }));
  redo(state.measures, measure, () => choice("What images are ranked by", options, measure, (value) => choose(state, { measure: value })));
  for (const [place, button] of [...state.measures.querySelectorAll("button")].entries()) button.title = MEASURES[options[place].value].title;
  offerSteps(state, arm);
  state.said.textContent = toldOf(state);
  showClasses(state);
  const order = [...worth.keys()].filter((place) => state.label === null || data.labels[place] === state.label).sort((a, b) => worth[b] - worth[a]);
  state.best = order.slice(0, SHOWN);
  state.worst = order.slice(-SHOWN).reverse();
  const names = then ? ["Rose most", "Fell most"] : measure === "share" ? ["Largest shares", "Smallest shares"] : ["Agree most", "Agree least"];
  state.names = names;
  state.rows.replaceChildren(...[state.best, state.worst].map((places, row) => rank(state, names[row], places)));
}

// What stays as it is stays the same node, so that the focus does.
function redo(host, key, build) {
  if (host.dataset.key === key) return;
  const held = host.contains(host.getRootNode().activeElement);
  host.dataset.key = key;
  host.replaceChildren(build());
  if (held) host.querySelector('[aria-pressed="true"]')?.focus();
}

function offerSteps(state, arm) {
  const steps = arm.snapshots.map(({ step }) => step).join(" ");
  redo(state.since_, `${arm.name} ${steps}`, () => {
    const made = document.createDocumentFragment();
    made.append(make("option", { value: "" }, "values at this step"), make("option", { value: "before" }, "change since the snapshot before"));
    for (const { step } of arm.snapshots) made.append(make("option", { value: step }, `change since step ${step.toLocaleString("en")}`));
    return made;
  });
  state.since_.value = state.since;
  if (state.since_.selectedIndex < 0) state.since_.value = state.since = "";
}

function toldOf(state) {
  const { data, arm, at, from, worth } = state;
  const shot = arm.snapshots[at];
  const n = worth.length.toLocaleString("en");
  const here = `${arm.label}, step ${shot.step.toLocaleString("en")}`;
  if (state.since !== "" && from === null) return `${here}: there is no other snapshot to compare with here, so these are the values.`;
  if (from === null) {
    if (state.measure === "agreement") return `${here}: agreement of each of ${n} images with the teacher, from −1 to 1.`;
    return `${here}: CKA ${number(shot.cka)} is the mean of these shares × n, over ${n} images.`;
  }
  const since = `since step ${arm.snapshots[from].step.toLocaleString("en")}`;
  if (state.measure === "agreement") return `${here}: change of agreement ${since}, over ${n} images.`;
  const change = shot.cka - arm.snapshots[from].cka;
  const ordered = [...worth].sort((a, b) => (change < 0 ? a - b : b - a));
  const tenth = Math.max(1, Math.round(worth.length / 10));
  const most = ordered.slice(0, tenth).reduce((sum, value) => sum + value, 0) / worth.length;
  return `${here}: CKA ${number(change, true)} ${since}; the tenth of the images that ${change < 0 ? "fell" : "rose"} most makes ${number(most, true)} of it.`;
}

function number(value, signed = false) {
  const digits = Math.abs(value).toFixed(3);
  const sign = value < 0 && Number(digits) ? "−" : signed ? "+" : "";
  return sign + digits;
}

function rank(state, name, places) {
  const { data, worth, sheet } = state;
  const cards = places.map((place) => {
    const of = data.classes[data.labels[place]];
    const canvas = pictureBox(`${of}, ${number(worth[place], state.from !== null)}`);
    if (sheet) drawPicture(canvas, sheet, data.sheet, place);
    const dot = make("i", { class: "dot", style: `background:${state.colours.classes[data.labels[place] % 10]}` });
    return make("li", {}, canvas, make("b", {}, number(worth[place], state.from !== null)), make("span", {}, dot, of));
  });
  return make("figure", {}, make("figcaption", {}, make("b", {}, name)), make("ol", {}, ...cards));
}

// Each class's mean, and a press on one keeps its images alone.
function byClass(state) {
  const { data, worth } = state;
  const sums = data.classes.map((name, label) => ({ name, label, sum: 0, count: 0 }));
  worth.forEach((value, place) => {
    sums[data.labels[place]].sum += value;
    sums[data.labels[place]].count += 1;
  });
  const found = sums.filter(({ count }) => count).map((each) => ({ ...each, mean: each.sum / each.count }));
  return found.sort((a, b) => b.mean - a.mean);
}

function showClasses(state) {
  const every = byClass(state);
  const half = MOST_CLASSES / 2;
  const found = every.length > MOST_CLASSES ? [...every.slice(0, half), ...every.slice(-half)] : every;
  const most = Math.max(...every.map(({ mean }) => Math.abs(mean)), 1e-9);
  const focus = state.classes.getRootNode().activeElement?.dataset?.label;
  const rows = found.map(({ name, label, mean, count }) => {
    const colour = state.colours.classes[label % 10];
    const wide = (50 * Math.abs(mean)) / most;
    const bar = make("i", { style: `background:${colour};width:${wide}%;${mean < 0 ? `right:50%` : "left:50%"}` });
    return make(
      "button",
      { type: "button", "data-label": label, "aria-pressed": String(state.label === label), onclick: () => choose(state, { label: state.label === label ? null : label }) },
      make("span", { class: "name" }, name),
      make("span", { class: "track", "aria-hidden": "true" }, bar),
      make("span", { class: "mean" }, number(mean, state.from !== null)),
      make("span", { class: "unseen" }, `, mean of ${count} images`),
    );
  });
  const title = every.length > MOST_CLASSES ? `By class, mean: the ${half} highest and the ${half} lowest of ${every.length}` : "By class, mean";
  const all = make("button", { type: "button", class: "all", hidden: state.label === null, onclick: () => choose(state, { label: null }) }, "All classes");
  state.classes.replaceChildren(make("div", { class: "head" }, make("b", {}, title), all), ...rows);
  if (focus !== undefined) state.classes.querySelector(`[data-label="${focus}"]`)?.focus();
}

function saveShares(state, format) {
  const { data, colours, sheet, best, worst, names, worth } = state;
  if (!sheet) return;
  const [wide, high] = [TILE + 12, TILE + 44];
  const size = { width: wide * SHOWN, height: 2 * (high + 22), colours, letters: data.letters };
  const step = state.arm.snapshots[state.at].step;
  save(state.parent, format, { ...size, foot: `${data.run} · ${state.said.textContent}`, file: `${data.run}-${state.measure}-step-${step}` }, (context, font) => {
    [best, worst].forEach((places, row) => {
      const top = row * (high + 22);
      context.textAlign = "left";
      context.font = `600 13px ${font}`;
      context.fillStyle = colours.text;
      context.fillText(names[row], 0, top + 12);
      places.forEach((place, at) => {
        const canvas = pictureBox("");
        drawPicture(canvas, sheet, data.sheet, place);
        context.imageSmoothingEnabled = data.sheet.tile > TILE;
        context.drawImage(canvas, at * wide, top + 20, TILE, TILE);
        context.font = `11px ${font}`;
        context.fillStyle = colours.text;
        context.fillText(number(worth[place], state.from !== null), at * wide, top + TILE + 34);
        context.fillStyle = colours.muted;
        context.fillText(data.classes[data.labels[place]].slice(0, 10), at * wide, top + TILE + 48);
      });
    });
  });
}
