// Shared by the components: which theme the page wears, and where its state is kept between calls.

const memory = new WeakMap();

// What a component remembers from call to call: Streamlit calls it anew for new data and for a new theme. It remembers
// one `identity` (a run, a gallery) at a time: another one begins with nothing of the last.
function remembered(element, identity, build) {
  let state = memory.get(element);
  if (state && state.identity !== identity) forget(element);
  if (!memory.has(element)) {
    state = build();
    state.identity = identity;
    memory.set(element, state);
  }
  return state;
}

function forget(element) {
  memory.get(element)?.leave?.();
  memory.delete(element);
}

function styleOf(element, name) {
  const host = element.host ?? element;
  return getComputedStyle(host).getPropertyValue(name).trim();
}

function isDark(element) {
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.fillStyle = "#ffffff";
  canvas.fillStyle = styleOf(element, "--st-background-color") || "#ffffff";
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(canvas.fillStyle.slice(at, at + 2), 16));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 110;
}

function calm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

// Whatever goes wrong is said in words where the picture would be.
function say(element, words) {
  let note = element.querySelector(".note");
  if (!note) {
    note = document.createElement("p");
    note.className = "note";
    note.setAttribute("role", "status");
    element.append(note);
  }
  note.textContent = words;
  note.hidden = !words;
}

function loadPicture(url) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error("the picture could not be read"));
    image.src = url;
  });
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function rgb(colour) {
  const hex = colour.replace("#", "");
  return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

// 256 colours along evenly spaced stops.
function ramp(stops) {
  const colours = stops.map(rgb);
  return Array.from({ length: 256 }, (_, level) => {
    const place = (level / 255) * (colours.length - 1);
    const at = Math.min(Math.floor(place), colours.length - 2);
    return [0, 1, 2].map((part) => Math.round(colours[at][part] + (place - at) * (colours[at + 1][part] - colours[at][part])));
  });
}

// Colours as a canvas's bytes hold them, opaque, each in one word.
function words32(colours) {
  const bytesOf = new Uint8Array(colours.flatMap(([red, green, blue]) => [red, green, blue, 255]));
  return new Uint32Array(bytesOf.buffer);
}

function signed(value) {
  return (value < 0 ? "−" : "+") + Math.abs(value).toFixed(4);
}

// The canvas's own pixels for the screen's density; drawing then happens in CSS pixels.
function fit(canvas, width, height) {
  const density = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * density) || canvas.height !== Math.round(height * density)) {
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
  }
  // Kept out of the graphics processor, which many a server's browser only imitates, slowly.
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// A row of buttons of which one is pressed.
function choice(label, options, chosen, pick) {
  const row = make("div", { class: "choice", role: "group", "aria-label": label });
  for (const { value, text } of options) {
    row.append(
      make("button", { type: "button", "aria-pressed": String(value === chosen), onclick: () => pick(value) }, text),
    );
  }
  return row;
}
