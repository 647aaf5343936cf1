// Pictures out of one sheet. Small ones are enlarged without smoothing, so that every pixel shows; large ones need none.

const SHARP_BELOW = 96;

function loadSheet(sheet) {
  return loadPicture(sheet.url);
}

// A canvas for one picture, as large as that is once it is drawn; `label` says what is on it.
function pictureBox(label) {
  const canvas = make("canvas", { class: "pixels" });
  if (label) {
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", label);
  } else canvas.setAttribute("aria-hidden", "true");
  return canvas;
}

function drawPicture(canvas, image, sheet, place) {
  const { tile, columns } = sheet;
  if (canvas.width !== tile || canvas.height !== tile) Object.assign(canvas, { width: tile, height: tile });
  canvas.classList.toggle("fine", tile >= SHARP_BELOW);
  const context = canvas.getContext("2d");
  context.drawImage(image, tile * (place % columns), tile * Math.floor(place / columns), tile, tile, 0, 0, tile, tile);
}
