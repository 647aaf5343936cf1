// The table of layer pairs as a drawing, to be saved: the rows and columns that are to be seen.

const MATRIX_CELL = [64, 30];

function saveMatrix(state, format) {
  const { data, colours, rows, columns } = state;
  const measure = make("canvas").getContext("2d");
  measure.font = `11px ${styleOf(state.parent, "--st-font") || "sans-serif"}`;
  const first = 16 + Math.max(94, ...rows.map((row) => measure.measureText(row.name).width));
  const wide = Math.max(MATRIX_CELL[0], ...columns.map((column) => 8 + measure.measureText(column.name).width));
  const top = 62;
  const sheet = {
    width: Math.max(first + wide * columns.length, 420),
    height: top + MATRIX_CELL[1] * rows.length,
    colours,
    letters: data.letters,
  };
  const foot = `${data.run} · ${data.foot}`;
  save(state.parent, format, { ...sheet, foot, file: data.file }, (context, font) => {
    const write = (text, x, y, align, style, colour) => {
      context.textAlign = align;
      context.font = `${style} ${font}`;
      context.fillStyle = colour;
      context.fillText(text, x, y);
    };
    write(data.title, 0, 14, "left", "600 13px", colours.text);
    write("Teacher's guiding layer ↓", 0, 34, "left", "12px", colours.teacher_text);
    write("Student's guided layer →", 170, 34, "left", "12px", colours.student);
    columns.forEach(({ name }, at) => write(name, first + wide * (at + 0.5), top - 6, "center", "11px", colours.student));
    rows.forEach(({ name }, row) => {
      const y = top + MATRIX_CELL[1] * row;
      write(name, first - 8, y + 19, "right", "11px", colours.teacher_text);
      state.cells[row].forEach((button, at) => {
        const x = first + wide * at;
        const { text, under, level } = data.cells[rows[row].at][columns[at].at];
        context.fillStyle = level === null ? colours.panel : button.style.backgroundColor;
        context.fillRect(x + 1, y + 1, wide - 2, MATRIX_CELL[1] - 2);
        const ink = level === null ? colours.text : button.style.color;
        write(text, x + wide / 2, y + (under ? 14 : 19), "center", "12px", ink);
        if (under) write(under, x + wide / 2, y + 25, "center", "10px", ink);
      });
    });
  });
}
