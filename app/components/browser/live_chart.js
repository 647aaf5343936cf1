// A Plotly chart that keeps its node: new data goes through Plotly.react with a constant uirevision, so the reader's
// zoom and legend choices outlive every tick. Plotly's own bar of buttons, which lies over titles and offers to upload
// the chart, is never drawn; what is needed of it stands beneath the chart.

const loading = {};

function plotly(url) {
  if (window.Plotly) return Promise.resolve(window.Plotly);
  loading[url] ??= new Promise((resolve, reject) => {
    const script = make("script", { src: url });
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      delete loading[url];
      script.remove();
      reject(new Error("the drawing library did not load; reload the page"));
    };
    document.head.append(script);
  });
  return loading[url];
}

function recolour(value, swaps) {
  if (typeof value === "string") return swaps[value.toLowerCase()] ?? value;
  if (Array.isArray(value)) return value.map((item) => recolour(item, swaps));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, recolour(item, swaps)]));
  }
  return value;
}

async function draw(host, state, data, element) {
  const Plotly = await plotly(new URL(data.script, document.baseURI).href);
  // A later call may have overtaken this one while the library loaded.
  if (state.data !== data || state.gone) return;
  const dark = isDark(element);
  const drawn = [data.figure, data.revision, dark, host.clientWidth].join("\n");
  if (state.drawn === drawn) return;
  state.drawn = drawn;
  let figure = JSON.parse(data.figure);
  if (dark) figure = recolour(figure, data.swaps);
  const layout = { ...figure.layout, uirevision: data.revision, autosize: true, dragmode: state.pan ? "pan" : "zoom" };
  delete layout.width;
  layout.font = { ...layout.font, family: styleOf(element, "--st-font") || layout.font?.family };
  if (host.clientWidth < 560 && layout.showlegend) {
    // No room beside the title, so the legend gets a line of its own.
    layout.legend = { ...layout.legend, x: 0, xanchor: "left" };
    layout.margin = { ...layout.margin, t: Math.max(68, layout.margin?.t ?? 0) };
  }
  if (host.clientWidth < 700 && figure.data.some((trace) => trace.meta === "line end")) {
    // No room beside the lines for their names, which the legend says too.
    figure.data = figure.data.filter((trace) => trace.meta !== "line end");
    layout.margin = { ...layout.margin, r: 12 };
  }
  state.ranges = Object.fromEntries(axesOf(layout).map((axis) => [axis, figure.layout[axis].range ?? null]));
  await Plotly.react(host, figure.data, layout, {
    displayModeBar: false,
    doubleClick: "reset",
    showSendToCloud: false,
    plotlyServerURL: "",
  });
  if (!host.dataset.drawn) {
    host.on("plotly_relayout", () => showTools(host, state));
    host.on("plotly_afterplot", () => state.moveCursor?.());
    listen(host, state);
  }
  host.dataset.drawn = String(Number(host.dataset.drawn || 0) + 1);
  followClock(host, state, data.cursor);
  showTools(host, state);
}

// A point with an id can be pressed, and looks so; any point of a chart that has a cursor moves it there.
function listen(host, state) {
  const idOf = (event) => event.points?.[0]?.id;
  const cursor = (event) => {
    const presses = event && (idOf(event) || state.goTo);
    for (const layer of host.querySelectorAll(".nsewdrag")) layer.style.cursor = presses ? "pointer" : "";
  };
  host.on("plotly_hover", cursor);
  host.on("plotly_unhover", () => cursor(null));
  host.on("plotly_click", (event) => {
    if (idOf(event)) state.pick(idOf(event));
    else state.goTo?.(event.points[0].x);
  });
}

function axesOf(layout) {
  return Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));
}

function isZoomed(host, state) {
  return Object.entries(state.ranges).some(([axis, own]) => {
    const { autorange, range } = host._fullLayout[axis];
    return own ? own.some((end, at) => Math.abs(end - range[at]) > 1e-9) : autorange === false;
  });
}

function showTools(host, state) {
  state.whole.hidden = !isZoomed(host, state);
  state.drag.setAttribute("aria-pressed", String(state.pan));
}

function seeWhole(host, state) {
  const changes = Object.entries(state.ranges).map(([axis, own]) =>
    own ? [`${axis}.range`, [...own]] : [`${axis}.autorange`, JSON.parse(state.data.figure).layout[axis].autorange ?? true],
  );
  window.Plotly.relayout(host, Object.fromEntries(changes));
  // The button is about to go, and the focus with it.
  state.drag.focus();
}

function buildTools(element, host, state) {
  const pan = () => {
    state.pan = !state.pan;
    window.Plotly.relayout(host, { dragmode: state.pan ? "pan" : "zoom" });
  };
  state.drag = make("button", { type: "button", title: "Dragging moves the chart instead of zooming in", onclick: pan }, "Pan");
  state.whole = make("button", { type: "button", hidden: true, onclick: () => seeWhole(host, state) }, "Whole view");
  const tools = savers((format) => saveChart(element, host, state.data, format));
  tools.prepend(make("div", { class: "views" }, state.drag, state.whole));
  element.querySelector(".tools").replaceWith(tools);
}

// The chart as it is zoomed, on the page's own ground, with a line that says what it is of.
async function saveChart(element, host, data, format) {
  if (!host.dataset.drawn) return;
  const colours = isDark(element) ? data.dark : data.light;
  const bottom = host._fullLayout._size.b + FOOT;
  const [width, height] = [host.clientWidth, host.clientHeight + FOOT];
  const foot = {
    text: escaped(data.of), xref: "paper", yref: "paper", x: 0, y: 0, xanchor: "left", yanchor: "bottom", yshift: 4 - bottom, xshift: 8 - host._fullLayout._size.l,
    showarrow: false, font: { size: 11, color: colours.muted },
  };
  const layout = {
    ...host.layout, width, height, autosize: false, paper_bgcolor: colours.background,
    margin: { ...host.layout.margin, b: bottom }, annotations: [...(host.layout.annotations ?? []), foot],
  };
  try {
    const url = await window.Plotly.toImage({ data: host.data, layout, config: {} }, { format: "svg", width, height });
    const svg = decodeURIComponent(url.slice(url.indexOf(",") + 1));
    await deliver(svg, format, { width, height, file: data.file, letters: data.letters });
  } catch (error) {
    say(element, `This chart can't be saved: ${error.message}.`);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const host = parentElement.querySelector(".chart");
  const state = remembered(parentElement, "chart", () => {
    const fresh = { data: null, gone: false, pan: false };
    fresh.observer = new ResizeObserver(() => {
      if (window.Plotly && host.dataset.drawn && host.clientWidth > 0) window.Plotly.Plots.resize(host);
    });
    fresh.observer.observe(host);
    fresh.leave = () => {
      fresh.gone = true;
      fresh.observer.disconnect();
      fresh.unwatch?.();
      if (window.Plotly) window.Plotly.purge(host);
    };
    buildTools(parentElement, host, fresh);
    return fresh;
  });
  state.data = data;
  state.pick = (id) => setTriggerValue("pick", id);
  host.style.height = `${data.height}px`;
  host.setAttribute("aria-label", data.label);
  draw(host, state, data, parentElement).then(
    () => say(parentElement, ""),
    (error) => {
      state.drawn = null;
      say(parentElement, `This chart can't be drawn: ${error.message}.`);
    },
  );
  return () => forget(parentElement);
}
