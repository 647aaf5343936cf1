// The one slider of a page: a step of training, and which student, for everything that watches the clock of that name.

export default function ({ data, parentElement, setStateValue }) {
  const state = remembered(parentElement, data.clock, () => buildScrubber(parentElement, data));
  state.data = data;
  state.send = setStateValue;
  const options = data.tracks.map(({ name, label }) => ({ value: name, text: label }));
  const pick = (name) => state.clock.choose(name);
  // A button that has the focus stays the same one.
  const drawn = options.map(({ text }) => text).join("\n");
  if (state.drawn !== drawn) state.tracks.replaceChildren(...(options.length > 1 ? [choice("Which student", options, null, pick)] : []));
  state.drawn = drawn;
  state.clock.feed(data.tracks);
  return () => forget(parentElement);
}

function buildScrubber(parent, data) {
  const state = { data, parent, clock: clockOf(data.clock), drawn: "", was: {}, held: false };
  state.root = parent.querySelector(".player");
  state.tracks = make("span");
  state.play = make("button", { type: "button", class: "play", onclick: () => togglePlay(state) }, "Play");
  state.slider = make("input", { type: "range", min: 0, max: 0, step: "any", "aria-label": "Step of training" });
  state.where = make("output", { "aria-live": "off" });
  state.newest = make("button", { type: "button", onclick: () => state.clock.go(state.clock.end) }, "Last step");
  state.said = make("p", { class: "unseen", role: "status" });
  state.slider.addEventListener("input", () => {
    state.held = true;
    state.clock.seek(Number(state.slider.value));
  });
  state.slider.addEventListener("change", () => {
    state.held = false;
    state.clock.go(Number(state.slider.value));
  });
  state.root.addEventListener("keydown", (event) => pressed(state, event));
  state.root.replaceChildren(make("div", { class: "bar" }, state.play, state.slider, state.where, state.newest, state.tracks), state.said);
  state.clock.feed(data.tracks);
  state.clock.begin(data.arm, data.step);
  state.told = momentKey(state.clock);
  const unwatch = state.clock.watch(() => {
    showMoment(state);
    tellMoment(state);
  });
  state.leave = () => {
    unwatch();
    if (!state.clock.watchers.size) clocks.delete(data.clock);
  };
  return state;
}

function momentKey({ wanted, atEnd, shown }) {
  return `${wanted} ${atEnd ? "" : shown}`;
}

// Where the reader has come to rest stands in the address.
function tellMoment(state) {
  const { clock, held, told } = state;
  const now = momentKey(clock);
  if (held || clock.playing || clock.glide || now === told) return;
  state.told = now;
  state.send("at", { arm: clock.wanted, step: clock.atEnd ? null : clock.shown });
}

function togglePlay(state) {
  if (state.clock.playing) state.clock.pause();
  else state.clock.play();
}

function pressed(state, event) {
  const { clock } = state;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && event.target === state.slider) {
    event.preventDefault();
    togglePlay(state);
    return;
  }
  const page = Math.max(1, Math.round(clock.end / 10));
  const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: page, PageDown: -page }[event.key];
  const from = clock.glide?.to ?? clock.frame;
  const to = { Home: 0, End: clock.end }[event.key] ?? (by === undefined ? null : from + by);
  if (to === null) return;
  event.preventDefault();
  clock.go(to);
}

// Words change with the snapshot, not with every frame of the screen.
function showMoment(state) {
  const { clock, data, was } = state;
  const now = { track: clock.track, frame: clock.frame, end: clock.end, playing: clock.playing, atEnd: clock.atEnd, active: data.active };
  state.slider.value = clock.at;
  if (Object.keys(now).every((key) => now[key] === was[key])) return;
  state.was = now;
  state.slider.max = clock.end;
  state.slider.value = clock.at;
  const single = clock.steps.length < 2;
  state.slider.disabled = single;
  state.play.hidden = single;
  state.play.textContent = clock.playing ? "Pause" : "Play";
  // It keeps its place, so that nothing moves beside it while it comes and goes.
  state.newest.style.visibility = clock.atEnd || single ? "hidden" : "";
  state.newest.textContent = data.active ? "Follow newest" : "Last step";
  const words = clock.track?.words[clock.frame] ?? "no snapshot yet";
  state.where.textContent = words;
  state.slider.setAttribute("aria-valuetext", words);
  if (was.playing && !clock.playing) state.said.textContent = words;
  for (const button of state.tracks.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.textContent === clock.track?.label));
  }
}
