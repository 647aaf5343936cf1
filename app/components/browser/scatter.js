// Drawing a cloud of points, and pointing into it by mouse or keyboard.

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

// One cloud, on a canvas or on a sheet to be saved.
function scatter(context, state, picture, width, height) {
  const { points } = picture;
  context.fillStyle = state.colours.panel;
  context.globalAlpha = 0.55;
  context.fillRect(0, 0, width, height);
  context.globalAlpha = 1;
  if (!points) {
    context.fillStyle = state.colours.muted;
    context.font = `13px ${styleOf(state.parent, "--st-font") || "sans-serif"}`;
    context.textAlign = "center";
    context.fillText("Not recorded yet", width / 2, height / 2);
    return;
  }
  const radius = Math.max(2, Math.min(4, width / 150)) * Math.min(2, Math.sqrt(picture.zoom));
  const { labels } = state.data;
  if (state.ghost && picture.name === "student" && state.start) {
    context.globalAlpha = 0.55;
    context.lineWidth = 1;
    for (let index = 0; index < labels.length; index += 1) {
      const drawn = look(state, labels[index]);
      if (!drawn) continue;
      mark(context, ...place(picture, state.start, index, width, height), radius, drawn.shape);
      context.strokeStyle = drawn.colour;
      context.stroke();
    }
  }
  for (let pass = 0; pass < 2; pass += 1) {
    for (let index = 0; index < labels.length; index += 1) {
      const drawn = look(state, labels[index]);
      // Many classes: those picked out are drawn last, over the rest.
      if (!drawn || Boolean(drawn.faint) !== (pass === 0)) continue;
      mark(context, ...place(picture, points, index, width, height), radius, drawn.shape);
      context.globalAlpha = drawn.faint ? 0.5 : 0.85;
      context.fillStyle = drawn.colour;
      context.fill();
    }
  }
  context.globalAlpha = 1;
  if (state.spot !== null) {
    const [x, y] = place(picture, points, state.spot, width, height);
    mark(context, x, y, radius + 3.5, 0);
    context.strokeStyle = state.colours.text;
    context.lineWidth = 2;
    context.stroke();
  }
}

function hover(state, picture, event) {
  if (picture.drag) {
    picture.shift = [
      picture.shift[0] + event.clientX - picture.drag[0],
      picture.shift[1] + event.clientY - picture.drag[1],
    ];
    picture.drag = [event.clientX, event.clientY];
    paint(state);
    return;
  }
  const points = picture.name === "teacher" ? state.teacher : state.student;
  if (!points) return;
  const [width, height] = [picture.canvas.clientWidth, picture.canvas.clientHeight];
  let [best, nearest] = [null, 14 * 14];
  for (let index = 0; index < state.data.labels.length; index += 1) {
    if (!look(state, state.data.labels[index])) continue;
    const [x, y] = place(picture, points, index, width, height);
    const distance = (x - event.offsetX) ** 2 + (y - event.offsetY) ** 2;
    if (distance < nearest) [best, nearest] = [index, distance];
  }
  spotlight(state, best, picture);
}

function walk(state, picture, event) {
  const direction = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") pin(state, null);
  if (event.key === "Enter") pin(state, state.spot);
  if (!direction) return;
  event.preventDefault();
  const count = state.data.labels.length;
  let index = state.spot ?? (direction > 0 ? -1 : count);
  for (let tries = 0; tries < count; tries += 1) {
    index = (index + direction + count) % count;
    if (look(state, state.data.labels[index])) break;
  }
  spotlight(state, index, picture);
}

// An image that is pinned stays found when the pointer has gone, at every step; pressed again it is let go.
function pin(state, index) {
  const was = state.pinned;
  state.pinned = index === was ? null : index;
  spotlight(state, index === null ? null : state.spot);
  paint(state);
  if (state.pinned !== was) tell(state);
}

function spotlight(state, index, picture = null) {
  if (index === state.spot && index === null) return;
  state.spot = index;
  for (const each of state.pictures) each.tip.hidden = true;
  paint(state);
  const points = picture?.name === "teacher" ? state.teacher : state.student;
  if (index === null || !picture || !points) return;
  const { atlas, labels, classes } = state.data;
  const [x, y] = place(picture, points, index, picture.canvas.clientWidth, picture.canvas.clientHeight);
  picture.words.textContent = classes[labels[index]];
  picture.picture.hidden = !atlas;
  if (atlas && state.sheet?.complete) drawPicture(picture.picture, state.sheet, atlas, index);
  picture.tip.hidden = false;
  const left = x > picture.canvas.clientWidth / 2 ? x - picture.tip.offsetWidth - 14 : x + 14;
  const top = picture.canvas.offsetTop + y - picture.tip.offsetHeight / 2;
  picture.tip.style.left = `${Math.max(0, left)}px`;
  picture.tip.style.top = `${Math.max(picture.canvas.offsetTop, top)}px`;
}
