// Pointing into a cloud by mouse or keyboard: an image is found in the other cloud too.

function hover(state, picture, event) {
  if (picture.outline) {
    outline(state, picture, event);
    return;
  }
  if (picture.drag) {
    picture.shift = [
      picture.shift[0] + event.clientX - picture.drag[0],
      picture.shift[1] + event.clientY - picture.drag[1],
    ];
    picture.drag = [event.clientX, event.clientY];
    paint(state);
    return;
  }
  const { points } = picture;
  if (!points) return;
  const [width, height] = [picture.canvas.clientWidth, picture.canvas.clientHeight];
  let [best, nearest] = [null, 14 * 14];
  for (let index = 0; index < state.data.labels.length; index += 1) {
    if (state.ink.of[index] === HIDDEN) continue;
    const [x, y] = place(picture, points, index, width, height);
    const distance = (x - event.offsetX) ** 2 + (y - event.offsetY) ** 2;
    if (distance < nearest) [best, nearest] = [index, distance];
  }
  spotlight(state, best, picture);
}

function walk(state, picture, event) {
  const direction = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") {
    pin(state, null);
    if (state.selected) select(state, null);
  }
  if (event.key === " " && state.spot !== null) {
    event.preventDefault();
    flipSelected(state, state.spot);
  }
  if (event.key === "Enter") pin(state, state.spot);
  if (!direction) return;
  event.preventDefault();
  const count = state.data.labels.length;
  let index = state.spot ?? (direction > 0 ? -1 : count);
  for (let tries = 0; tries < count; tries += 1) {
    index = (index + direction + count) % count;
    if (state.ink.of[index] !== HIDDEN) break;
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
  if (index === null || !picture?.points) return;
  const { atlas, labels, classes } = state.data;
  const [x, y] = place(picture, picture.points, index, picture.canvas.clientWidth, picture.canvas.clientHeight);
  picture.words.textContent = classes[labels[index]];
  picture.picture.hidden = !atlas;
  if (atlas && state.sheet?.complete) drawPicture(picture.picture, state.sheet, atlas, index);
  picture.tip.hidden = false;
  const left = x > picture.canvas.clientWidth / 2 ? x - picture.tip.offsetWidth - 14 : x + 14;
  const top = picture.canvas.offsetTop + y - picture.tip.offsetHeight / 2;
  picture.tip.style.left = `${Math.max(0, left)}px`;
  picture.tip.style.top = `${Math.max(picture.canvas.offsetTop, top)}px`;
}
