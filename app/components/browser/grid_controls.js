// What is chosen above the table of conditions and strengths, and the key beneath it.

function drawBar(state) {
  const { data } = state;
  const { model, over } = shownOf(state);
  const named = (entries) => entries.map(({ name, label }) => ({ value: name, text: label }));
  const shows = [
    { value: "accuracy", text: "Accuracy" },
    ...data.references
      .filter(({ name }) => data.difference[model][name])
      .map(({ name, label }) => ({ value: name, text: `Against ${label}` })),
  ];
  const groups = [
    { value: "part", text: "Seen / held out" },
    { value: "kind", text: "By kind" },
  ];
  const sorts = [
    { value: "published", text: "as published" },
    { value: "name", text: "by name" },
    { value: "accuracy", text: "by accuracy" },
    ...(Object.keys(data.difference[model]).length ? [{ value: "difference", text: "by difference" }] : []),
  ];
  const parts = [
    data.models.length > 1 && choice("Model", named(data.models), model, (value) => set(state, { model: value })),
    shows.length > 1 && choice("What is shown", shows, over ?? "accuracy", (value) => set(state, { show: value })),
    make(
      "span",
      { class: "lists" },
      list("Grouped", groups, state.group, (value) => set(state, { group: value })),
      list("Sorted", sorts, state.sort, (value) => set(state, { sort: value })),
    ),
  ].filter(Boolean);
  // The pressed button is drawn anew, so the focus is put back where it was.
  const focused = state.root.getRootNode().activeElement?.dataset?.control;
  parts.forEach((part, row) => part.querySelectorAll("button, select").forEach((control, at) => { control.dataset.control = `${row} ${at}`; }));
  state.bar.replaceChildren(...parts);
  if (focused) state.bar.querySelector(`[data-control="${focused}"]`)?.focus();
}

function list(label, options, chosen, pick) {
  const select = make("select", { onchange: (event) => pick(event.target.value) });
  for (const { value, text } of options) select.append(make("option", { value, selected: value === chosen }, text));
  return make("label", { class: "list" }, label, select);
}

function drawLegend(state, over) {
  const { colours, data } = state;
  const strip = (stops) => make("i", { class: "strip", style: `background:linear-gradient(90deg, ${stops.join(",")})` });
  const keys = over
    ? ["worse", strip(colours.diverging_soft), "better, percentage points", make("span", { class: "sample quiet" }, "+0.4"), "within noise"]
    : ["0 %", strip(colours.sequential), "100 %"];
  const ask = data.pictures && !state.cell ? "Choose a cell to see its pictures below." : "";
  state.legend.replaceChildren(...keys, make("span", { class: "ask" }, ask));
}
