// The example cards of the chosen cell as a drawing, to be saved: what is on the page, four cards in a row.

const CARD = 210;
const TILE = 88;
const ACROSS = 4;

function saveExamples(state, format, { where, key, told, groups }) {
  const { data, colours } = state;
  const lines = data.models.length;
  const tall = TILE + 46 + 17 * lines;
  const rows = groups.map(({ cards }) => Math.ceil(cards.length / ACROSS));
  const titled = groups.map(({ title }) => (title ? 26 : 6));
  const head = 22 + 17 * told.length;
  const height = head + groups.reduce((sum, _, at) => sum + titled[at] + rows[at] * tall, 0);
  const file = `${data.run}-examples-${key.replaceAll(/[^a-z0-9]+/gi, "-")}`;
  const sheet = { width: CARD * ACROSS, height, colours, letters: data.letters, foot: `${data.run} · picked to be looked at, not counted`, file };
  save(state.parent, format, sheet, (context, font) => {
    context.textAlign = "left";
    words(context, where, 0, 14, `600 13px ${font}`, colours.text);
    told.forEach((line, at) => words(context, line, 0, 34 + 17 * at, `12px ${font}`, colours.text));
    let top = head;
    groups.forEach(({ title, cards }, at) => {
      if (title) words(context, title, 0, top + 16, `600 12px ${font}`, colours.text);
      top += titled[at];
      cards.forEach((card, place) => {
        saveCard(context, font, colours, card, CARD * (place % ACROSS), top + tall * Math.floor(place / ACROSS));
      });
      top += tall * rows[at];
    });
  });
}

function saveCard(context, font, colours, { image, pair }, x, y) {
  context.save();
  context.beginPath();
  context.rect(x, y, CARD - 8, TILE + 44 + 17 * image.says.length);
  context.clip();
  pair.forEach((canvas, at) => context.drawImage(canvas, x + (TILE + 4) * at, y + 4, TILE, TILE));
  words(context, `True: ${image.truth}`, x, y + TILE + 22, `600 12px ${font}`, colours.text);
  image.says.forEach(({ model, said, sure, right }, at) => {
    const text = `${right ? "✓" : "✗"} ${model}: ${said} ${Math.round(100 * sure)}\u00a0%`;
    words(context, text, x, y + TILE + 40 + 17 * at, `11px ${font}`, right ? colours.text : colours.muted);
  });
  context.restore();
}
