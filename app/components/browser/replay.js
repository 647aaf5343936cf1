// A run's page without a server: its components are the app's own, given once what the app would give them, and again
// when the system's colours change.

for (const part of document.querySelectorAll("template[data-part]")) {
  const host = document.createElement("div");
  host.className = "part";
  part.replaceWith(host);
  const parent = part.dataset.isolated ? host.attachShadow({ mode: "open" }) : host;
  parent.append(part.content);
  const data = JSON.parse(document.getElementById(`data-${part.dataset.part}`).textContent);
  const draw = () => window.birdParts[part.dataset.code]({ data, parentElement: parent, setStateValue() {}, setTriggerValue() {} });
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
