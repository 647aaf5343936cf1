// The table of conditions and strengths as a drawing, to be saved.

const FIRST = 190;
const CELL = [58, 26];

function saveGrid(state, format) {
  const { data, colours } = state;
  const { model, over } = shownOf(state);
  const rows = [...state.table.rows].map((row) => ({
    kind: row.className,
    cells: [...row.cells].flatMap((cell) => [cell, ...Array(cell.colSpan - 1).fill(null)]),
  }));
  const what = over ? `difference to ${labelOf(data.references, over)}, percentage points` : "accuracy, %";
  const title = `${labelOf(data.models, model)}: ${what}`;
  const sheet = { width: FIRST + CELL[0] * (data.strengths.length + 1), height: 28 + CELL[1] * rows.length, colours };
  const foot = `${data.run} · n = ${data.n} test images${over ? " · grey: within noise" : ""}`;
  const file = `${data.run}-${data.words.condition}-by-${data.words.strength}-${model}${over ? `-against-${over}` : "-accuracy"}`;
  save(state.parent, format, { ...sheet, letters: data.letters, foot, file }, (context, font) => {
    words(context, title, 0, 14, `600 13px ${font}`, colours.text);
    rows.forEach(({ kind, cells }, row) => {
      const y = 28 + CELL[1] * row;
      const bold = kind === "group" || row === 0 ? "600 " : "";
      cells.forEach((cell, column) => {
        if (cell === null) return;
        const [x, width] = column === 0 ? [0, FIRST] : [FIRST + CELL[0] * (column - 1), CELL[0]];
        const face = cell.querySelector("[data-key]");
        if (face) {
          context.fillStyle = face.classList.contains("quiet") ? colours.panel : getComputedStyle(face).backgroundColor;
          context.fillRect(x + 1, y + 1, width - 2, CELL[1] - 2);
        }
        context.textAlign = column === 0 ? "left" : "center";
        const strength = face && !face.classList.contains("quiet") ? "600 " : bold;
        words(context, cell.textContent, column === 0 ? 0 : x + width / 2, y + 17, `${strength}12px ${font}`, colours.text);
      });
    });
  });
}

function words(context, text, x, y, font, colour) {
  context.font = font;
  context.fillStyle = colour;
  context.fillText(text, x, y);
}
