// A Plotly chart that keeps its node: new data goes through Plotly.react with a constant uirevision, so the reader's
// zoom and legend choices outlive every tick.

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
  const Plotly = await plotly(new URL(data.script, location.origin).href);
  // A later call may have overtaken this one while the library loaded.
  if (state.data !== data || state.gone) return;
  const dark = isDark(element);
  const drawn = [data.figure, data.revision, dark, host.clientWidth].join("\n");
  if (state.drawn === drawn) return;
  state.drawn = drawn;
  let figure = JSON.parse(data.figure);
  if (dark) figure = recolour(figure, data.swaps);
  const layout = { ...figure.layout, uirevision: data.revision, autosize: true };
  delete layout.width;
  layout.font = { ...layout.font, family: styleOf(element, "--st-font") || layout.font?.family };
  if (host.clientWidth < 560 && layout.showlegend) {
    // No room beside the title, so the legend gets a line of its own.
    layout.legend = { ...layout.legend, x: 0, xanchor: "left" };
    layout.margin = { ...layout.margin, t: 68 };
  }
  await Plotly.react(host, figure.data, layout, {
    displaylogo: false,
    displayModeBar: "hover",
    doubleClick: "reset",
    modeBarButtonsToRemove: ["select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d"],
    toImageButtonOptions: { format: "svg", filename: data.name },
  });
  host.dataset.drawn = String(Number(host.dataset.drawn || 0) + 1);
}

export default function ({ data, parentElement }) {
  const host = parentElement.querySelector(".chart");
  const state = remembered(parentElement, () => {
    const fresh = { data: null, gone: false };
    fresh.observer = new ResizeObserver(() => {
      if (window.Plotly && host.dataset.drawn && host.clientWidth > 0) window.Plotly.Plots.resize(host);
    });
    fresh.observer.observe(host);
    return fresh;
  });
  state.data = data;
  host.style.height = `${data.height}px`;
  host.setAttribute("aria-label", data.label);
  draw(host, state, data, parentElement).then(
    () => say(parentElement, ""),
    (error) => say(parentElement, `This chart can't be drawn: ${error.message}.`),
  );
  return () => {
    state.gone = true;
    state.observer.disconnect();
    memory.delete(parentElement);
    if (window.Plotly) window.Plotly.purge(host);
  };
}
