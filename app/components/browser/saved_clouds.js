// Both clouds as one drawing, to be saved as they are looked at.

function saveClouds(state, format) {
  const { data, pictures } = state;
  const gap = 20;
  const width = pictures[0].figure.clientWidth;
  const height = Math.round(width * data.aspect);
  const total = pictures.length * (width + gap) - gap;
  const drawn = new Set(state.ink.of);
  const classes = state.ink.kinds.filter(({ faint, name }, at) => name && !faint && drawn.has(at));
  const keys = keyPlaces(state.parent, classes, total);
  const { step } = state;
  const file = `${data.run}-embedding-${data.how}${step == null ? "" : `-${state.arm}-step-${step}`}`;
  const foot = `${data.run} · ${state.where} · ${data.labels.length} validation images`;
  save(state.parent, format, { width: total, height: height + 32 + keys.height, file, foot, colours: state.colours, letters: data.letters }, (context, font) => {
    pictures.forEach((picture, at) => {
      context.save();
      context.translate(at * (width + gap), 0);
      caption(context, font, state.colours, picture, width);
      context.translate(0, 24);
      context.beginPath();
      context.rect(0, 0, width, height);
      context.clip();
      scatter(context, state, picture, width, height);
      context.restore();
    });
    drawKeys(context, font, state.colours, keys, 0, height + 36);
  });
}
