// The three matrices as one drawing, to be saved at the step that is looked at.

function saveGrams(state, format) {
  const { data, pictures } = state;
  const { step } = state;
  const width = 280;
  const gap = 20;
  const total = 3 * width + 2 * gap;
  const classes = data.classes.length > 20 ? [] : data.classes.map((name, index) => ({ name, colour: state.colours.classes[index % 10] }));
  const keys = keyPlaces(state.parent, classes, total);
  const sheet = { width: total, height: width + 62 + keys.height, file: `${data.run}-gram-matrices${step == null ? "" : `-${state.arm}-step-${step}`}` };
  const foot = `${data.run} · ${state.where} · ${data.size} probe images, sorted by class`;
  save(state.parent, format, { ...sheet, foot, colours: state.colours, letters: data.letters }, (context, font) => {
    pictures.forEach((picture, at) => {
      context.save();
      context.translate(at * (width + gap), 0);
      caption(context, font, state.colours, picture, width);
      context.translate(0, 24);
      square(context, state, picture, width);
      const stops = picture.name === "difference" ? state.colours.diverging : data.viridis;
      ramp(stops).forEach(([red, green, blue], level) => {
        context.fillStyle = `rgb(${red},${green},${blue})`;
        context.fillRect(6 + ((width - 6) * level) / 256, width + 8, (width - 6) / 256 + 0.3, 7);
      });
      context.fillStyle = state.colours.text;
      context.font = `11px ${font}`;
      context.textAlign = "left";
      context.fillText(picture.low.textContent, 6, width + 29);
      context.textAlign = "right";
      context.fillText(picture.high.textContent, width, width + 29);
      context.restore();
    });
    drawKeys(context, font, state.colours, keys, 0, width + 66);
  });
}
