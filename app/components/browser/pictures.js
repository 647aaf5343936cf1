// Pictures out of one sheet, enlarged without smoothing so that every pixel shows.

function loadSheet(sheet) {
  return loadPicture(sheet.url);
}

// A canvas for one picture; `label` says what is on it.
function pictureBox(label) {
  const canvas = make("canvas", { class: "pixels", width: 32, height: 32 });
  if (label) {
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", label);
  } else canvas.setAttribute("aria-hidden", "true");
  return canvas;
}

function drawPicture(canvas, image, sheet, place) {
  const { tile, columns } = sheet;
  const context = canvas.getContext("2d");
  context.drawImage(image, tile * (place % columns), tile * Math.floor(place / columns), tile, tile, 0, 0, 32, 32);
}
