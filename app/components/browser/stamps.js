// Thousands of discs laid into a picture's bytes. A canvas asked for each of them takes five times as long, and one that
// is drawn by a graphics processor needs one, which many a server's browser only imitates.

const PARTS = 4; // places within a pixel, across and down, so that slow points glide
const stamps = new Map();

// How much of each pixel around the middle a mark covers: [dx, dy, 0–255] for every place within a pixel.
function stampsFor(radius, shape, hollow) {
  const key = `${radius.toFixed(2)} ${shape} ${hollow}`;
  if (!stamps.has(key)) {
    if (stamps.size > 60) stamps.clear(); // zooming asks for every size
    stamps.set(key, Array.from({ length: PARTS * PARTS }, (_, at) => cover(radius, shape, hollow, at % PARTS, Math.floor(at / PARTS))));
  }
  return stamps.get(key);
}

function cover(radius, shape, hollow, across, down) {
  const reach = Math.ceil(1.25 * radius + 1.5);
  const found = [];
  for (let dy = -reach; dy <= reach; dy += 1) {
    for (let dx = -reach; dx <= reach; dx += 1) {
      const [x, y] = [dx + 0.5 - (across + 0.5) / PARTS, dy + 0.5 - (down + 0.5) / PARTS];
      const inside = shape ? (1.25 * radius - Math.abs(x) - Math.abs(y)) / Math.SQRT2 : radius - Math.hypot(x, y);
      const part = hollow ? 1 - Math.abs(inside) : inside + 0.5;
      const level = Math.round(255 * Math.min(Math.max(part, 0), 1));
      if (level) found.push(dx, dy, level);
    }
  }
  return Int16Array.from(found);
}

// One mark with its middle at (x, y), both in the picture's own pixels.
function stamp(image, marks, x, y, [red, green, blue], opacity) {
  const { data, width, height } = image;
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const mark = marks[Math.floor((x - left) * PARTS) + PARTS * Math.floor((y - top) * PARTS)];
  for (let at = 0; at < mark.length; at += 3) {
    const column = left + mark[at];
    const row = top + mark[at + 1];
    if (column < 0 || row < 0 || column >= width || row >= height) continue;
    const share = (mark[at + 2] * opacity) / 255;
    const place = 4 * (row * width + column);
    data[place] += (red - data[place]) * share;
    data[place + 1] += (green - data[place + 1]) * share;
    data[place + 2] += (blue - data[place + 2]) * share;
  }
}
