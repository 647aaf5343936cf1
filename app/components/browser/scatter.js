// Drawing a cloud of points: on the screen as pixels, and to be saved as shapes.

const TRAILS = 12;

function magnify(picture, factor, x, y) {
  const zoom = Math.min(Math.max(picture.zoom * factor, 1), 40);
  const real = zoom / picture.zoom;
  picture.shift = zoom === 1 ? [0, 0] : [x - real * (x - picture.shift[0]), y - real * (y - picture.shift[1])];
  picture.zoom = zoom;
}

function place(picture, points, index, width, height) {
  return [
    picture.zoom * points[2 * index] * width + picture.shift[0],
    picture.zoom * (1 - points[2 * index + 1]) * height + picture.shift[1],
  ];
}

function mark(context, x, y, radius, shape) {
  context.beginPath();
  if (shape) {
    context.moveTo(x, y - 1.25 * radius);
    context.lineTo(x + 1.25 * radius, y);
    context.lineTo(x, y + 1.25 * radius);
    context.lineTo(x - 1.25 * radius, y);
    context.closePath();
  } else context.arc(x, y, radius, 0, 7);
}

// What lies beneath the points, as opaque as the page.
function groundOf(colours) {
  const [panel, page] = [rgb(colours.panel), rgb(colours.background)];
  return panel.map((part, at) => Math.round(0.55 * part + 0.45 * page[at]));
}

// Fewer points are drawn larger.
function radiusOf(state, picture, width) {
  const crowd = Math.min(1, Math.sqrt(1500 / state.data.labels.length));
  return Math.max(1.6, Math.min(4, width / 150) * crowd) * Math.min(2, Math.sqrt(picture.zoom));
}

// Layers of marks, those beneath first: [points, whether hollow, opacity, whether of faint kinds].
function layersOf(state, picture) {
  const layers = [[picture.points, false, state.selected ? 0.16 : 0.5, true], [picture.points, false, 0.85, false]];
  const before = state.ghost && picture.name === "student" && state.start;
  return before ? [[state.start, true, 0.55, true], [state.start, true, 0.55, false], ...layers] : layers;
}

function eachMark(state, faint, call) {
  const { kinds, of } = state.ink;
  const { selected } = state;
  for (let index = 0; index < of.length; index += 1) {
    const drawn = of[index] === HIDDEN ? null : kinds[of[index]];
    if (drawn && (drawn.faint || Boolean(selected && !selected.has(index))) === faint) call(index, drawn);
  }
}

// One cloud on a canvas of its own, in the screen's pixels.
function scatterPixels(context, state, picture, width, height) {
  const { canvas } = context;
  const density = canvas.width / width;
  if (picture.image?.width !== canvas.width || picture.image.height !== canvas.height) {
    picture.image = context.createImageData(canvas.width, canvas.height);
  }
  const { image } = picture;
  const [ground] = words32([groundOf(state.colours)]);
  new Uint32Array(image.data.buffer).fill(ground);
  const radius = radiusOf(state, picture, width) * density;
  for (const [points, hollow, opacity, faint] of layersOf(state, picture)) {
    eachMark(state, faint, (index, { rgb: colour, shape }) => {
      const [x, y] = place(picture, points, index, width, height);
      stamp(image, stampsFor(radius, shape, hollow), x * density, y * density, colour, opacity);
    });
  }
  context.putImageData(image, 0, 0);
}

// The same as shapes, for a sheet to be saved.
function scatterShapes(context, state, picture, width, height) {
  context.fillStyle = `rgb(${groundOf(state.colours).join(",")})`;
  context.fillRect(0, 0, width, height);
  const radius = radiusOf(state, picture, width);
  context.lineWidth = 1;
  for (const [points, hollow, opacity, faint] of layersOf(state, picture)) {
    context.globalAlpha = opacity;
    eachMark(state, faint, (index, { colour, shape }) => {
      mark(context, ...place(picture, points, index, width, height), radius, shape);
      context.fillStyle = colour;
      context.strokeStyle = colour;
      if (hollow) context.stroke();
      else context.fill();
    });
  }
  context.globalAlpha = 1;
}

function scatter(context, state, picture, width, height) {
  if (!picture.points) {
    context.fillStyle = `rgb(${groundOf(state.colours).join(",")})`;
    context.fillRect(0, 0, width, height);
    context.fillStyle = state.colours.muted;
    context.font = `13px ${styleOf(state.parent, "--st-font") || "sans-serif"}`;
    context.textAlign = "center";
    context.fillText("Not recorded yet", width / 2, height / 2);
    return;
  }
  if (context instanceof Sketch) scatterShapes(context, state, picture, width, height);
  else scatterPixels(context, state, picture, width, height);
  if (state.trails && picture.name === "student") drawTrails(context, state, picture, width, height);
  if (picture.outline) drawOutline(context, state, picture);
  if (state.spot === null) return;
  const [x, y] = place(picture, picture.points, state.spot, width, height);
  mark(context, x, y, radiusOf(state, picture, width) + 3.5, 0);
  context.strokeStyle = state.colours.text;
  context.lineWidth = 2;
  context.stroke();
}

// The ways of the images that moved most, of those selected if any are, from the first snapshot to the moment shown.
function drawTrails(context, state, picture, width, height) {
  context.lineWidth = 1.5;
  context.globalAlpha = 0.8;
  for (const index of movers(state)) {
    const drawn = state.ink.kinds[state.ink.of[index]];
    context.beginPath();
    state.passed.forEach((points, at) => context[at ? "lineTo" : "moveTo"](...place(picture, points, index, width, height)));
    context.lineTo(...place(picture, picture.points, index, width, height));
    context.strokeStyle = drawn.colour;
    context.stroke();
  }
  context.globalAlpha = 1;
}

function movers(state) {
  const moved = movement(state);
  if (!moved) return [];
  const among = [...(state.selected ?? moved.keys())].filter((index) => state.ink.of[index] !== HIDDEN);
  return among.sort((one, two) => moved[two] - moved[one]).slice(0, TRAILS);
}

function drawOutline(context, state, picture) {
  context.beginPath();
  picture.outline.forEach(([x, y], at) => context[at ? "lineTo" : "moveTo"](x, y));
  context.closePath();
  context.strokeStyle = state.colours.text;
  context.lineWidth = 1.5;
  context.setLineDash([5, 4]);
  context.stroke();
  context.setLineDash([]);
}
