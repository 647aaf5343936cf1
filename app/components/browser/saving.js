// What is drawn, as a file: an SVG, or a PNG made of it, on the page's own ground, in its font, and with a line that says
// what it is of. Nothing leaves the browser.

const MARGIN = 16;
const FOOT = 24;
const DENSITY = 3;

function savers(press) {
  const button = (format) =>
    make("button", { type: "button", "aria-label": `Save as ${format.toUpperCase()}`, onclick: () => press(format) }, format.toUpperCase());
  return make("div", { class: "tools" }, make("span", { "aria-hidden": "true" }, "Save as"), button("png"), button("svg"));
}

// The page's font in a drawing that leaves the page, where names alone would find another one.
async function withFont(svg, url) {
  const answer = await fetch(new URL(url, document.baseURI));
  if (!answer.ok) throw new Error("the page's font did not load");
  let letters = "";
  for (const byte of new Uint8Array(await answer.arrayBuffer())) letters += String.fromCharCode(byte);
  const face = `@font-face{font-family:Inter;font-weight:100 900;src:url(data:font/woff2;base64,${btoa(letters)}) format("woff2")}`;
  return svg.replace(">", `><style>${face}</style>`);
}

// An SVG as PNG, `DENSITY` dots to the pixel.
async function raster(svg, width, height) {
  const image = await loadPicture(`data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`);
  const canvas = make("canvas", { width: width * DENSITY, height: height * DENSITY });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
}

async function deliver(svg, format, { width, height, file, letters }) {
  const whole = await withFont(svg, letters);
  const blob = format === "svg" ? new Blob([whole], { type: "image/svg+xml" }) : await raster(whole, width, height);
  download(blob, `${file}.${format}`);
}

function download(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = make("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// `draw` gets a context, which has its origin within the margin, and the name of the page's font.
function save(element, format, { width, height, file, foot, colours, letters }, draw) {
  const [wide, high] = [width + 2 * MARGIN, height + 2 * MARGIN + FOOT];
  const font = styleOf(element, "--st-font") || "sans-serif";
  const context = new Sketch(wide, high);
  context.fillStyle = colours.background;
  context.fillRect(0, 0, wide, high);
  context.save();
  context.translate(MARGIN, MARGIN);
  draw(context, font);
  context.restore();
  context.fillStyle = colours.muted;
  context.font = `11px ${font}`;
  context.textAlign = "left";
  context.fillText(foot, MARGIN, high - MARGIN + 2);
  deliver(context.text(), format, { width: wide, height: high, file, letters }).catch((error) =>
    say(element, `This figure can't be saved: ${error.message}.`),
  );
}

// What heads a panel: its name at the left, what it is of at the right.
function caption(context, font, colours, picture, width) {
  context.fillStyle = picture.title.style.color || colours.text;
  context.font = `600 13px ${font}`;
  context.textAlign = "left";
  context.fillText(picture.title.textContent, 0, 14);
  context.fillStyle = colours.muted;
  context.font = `11px ${font}`;
  context.textAlign = "right";
  context.fillText(picture.note.textContent, width, 14);
}

// Where the names of classes go in rows of `width`, and how high all of them are.
function keyPlaces(element, entries, width) {
  const measure = make("canvas").getContext("2d");
  measure.font = `11px ${styleOf(element, "--st-font") || "sans-serif"}`;
  let [x, y] = [0, 0];
  const places = entries.map((entry) => {
    const wide = 30 + measure.measureText(entry.name).width;
    if (x && x + wide > width) [x, y] = [0, y + 18];
    const place = { ...entry, x, y };
    x += wide;
    return place;
  });
  return { places, height: entries.length ? y + 18 : 0 };
}

function drawKeys(context, font, colours, { places }, left, top) {
  context.font = `11px ${font}`;
  context.textAlign = "left";
  for (const { name, colour, shape, x, y } of places) {
    context.fillStyle = colour;
    context.beginPath();
    if (shape) {
      [[5, -5], [10, 0], [5, 5], [0, 0]].forEach(([right, down]) => context.lineTo(left + x + right, top + y + 4 + down));
      context.closePath();
    } else context.arc(left + x + 5, top + y + 4, 4.5, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = colours.text;
    context.fillText(name, left + x + 15, top + y + 8);
  }
}
