// Where the page's moment lies in a chart over training: a line across it, which costs Plotly nothing as it moves.

function followClock(host, state, cursor) {
  state.unwatch?.();
  Object.assign(state, { unwatch: null, goTo: null, moveCursor: null });
  if (!cursor) return;
  state.cursor ??= make("div", { class: "cursor", "aria-hidden": "true" });
  const clock = clockOf(cursor.clock);
  state.moveCursor = () => {
    const axis = host._fullLayout?.xaxis;
    const { _size: size } = host._fullLayout ?? {};
    const x = clock.step === null || !axis ? NaN : axis.d2p(clock.step * cursor.scale);
    const inside = x >= -0.5 && x <= axis?._length + 0.5;
    state.cursor.hidden = !inside;
    if (!inside) return;
    if (!state.cursor.isConnected) host.append(state.cursor);
    state.cursor.style.transform = `translateX(${(size.l + x).toFixed(1)}px)`;
    state.cursor.style.top = `${size.t}px`;
    state.cursor.style.height = `${size.h}px`;
  };
  state.unwatch = clock.watch(state.moveCursor);
  state.goTo = (x) => clock.goTo(x / cursor.scale);
}
