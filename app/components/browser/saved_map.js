// The table of layer pairs as a drawing, to be saved.

const MAP_FIRST = 110;
const MAP_CELL = [64, 28];

function saveMap(state, format) {
  const { data } = state;
  const colours = isDark(state.parent) ? data.dark : data.light;
  const top = 62;
  const longest = Math.max(MAP_FIRST + MAP_CELL[0] * data.student.length, 420);
  const sheet = { width: longest, height: top + MAP_CELL[1] * data.teacher.length, colours, letters: data.letters };
  const foot = `${data.run} · ${data.foot}`;
  save(state.parent, format, { ...sheet, foot, file: `${data.run}-cka-of-each-pair-of-layers` }, (context, font) => {
    const write = (text, x, y, align, style, colour) => {
      context.textAlign = align;
      context.font = `${style} ${font}`;
      context.fillStyle = colour;
      context.fillText(text, x, y);
    };
    write("CKA of each pair of layers", 0, 14, "left", "600 13px", colours.text);
    write("Teacher's guiding layer ↓", 0, 34, "left", "12px", colours.teacher_text);
    write("Student's guided layer →", 170, 34, "left", "12px", colours.student);
    data.student.forEach((name, column) => write(name, MAP_FIRST + MAP_CELL[0] * (column + 0.5), top - 6, "center", "11px", colours.student));
    data.teacher.forEach((name, row) => {
      const y = top + MAP_CELL[1] * row;
      write(name, MAP_FIRST - 8, y + 18, "right", "11px", colours.teacher_text);
      state.cells[row].forEach((button, column) => {
        const x = MAP_FIRST + MAP_CELL[0] * column;
        context.fillStyle = button.style.backgroundColor;
        context.fillRect(x + 1, y + 1, MAP_CELL[0] - 2, MAP_CELL[1] - 2);
        write(button.textContent, x + MAP_CELL[0] / 2, y + 18, "center", "12px", button.style.color);
      });
    });
  });
}
