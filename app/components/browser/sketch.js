// The part of a canvas's drawing context that our figures use, writing SVG.

class Sketch {
  constructor(width, height) {
    Object.assign(this, { width, height, parts: [], path: "", dash: [], kept: [], groups: 0, clips: 0 });
    Object.assign(this, { fillStyle: "#000", strokeStyle: "#000", lineWidth: 1, globalAlpha: 1, font: "12px sans-serif", textAlign: "left" });
  }

  add(tag, attributes, content = "") {
    const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(value)}"`);
    this.parts.push(`<${tag}${written.join("")}>${content}</${tag}>`);
  }

  save() {
    const { fillStyle, strokeStyle, lineWidth, globalAlpha, font, textAlign, groups } = this;
    this.kept.push({ fillStyle, strokeStyle, lineWidth, globalAlpha, font, textAlign, groups });
    this.groups = 0;
  }

  restore() {
    this.parts.push("</g>".repeat(this.groups));
    Object.assign(this, this.kept.pop());
  }

  translate(x, y) {
    this.parts.push(`<g transform="translate(${short(x)} ${short(y)})">`);
    this.groups += 1;
  }

  clip() {
    this.clips += 1;
    this.parts.push(`<clipPath id="clip${this.clips}"><path d="${this.path}"/></clipPath><g clip-path="url(#clip${this.clips})">`);
    this.groups += 1;
  }

  setLineDash(dash) { this.dash = dash; }
  beginPath() { this.path = ""; }
  moveTo(x, y) { this.path += `M${short(x)} ${short(y)}`; }
  lineTo(x, y) { this.path += `${this.path ? "L" : "M"}${short(x)} ${short(y)}`; }
  closePath() { this.path += "Z"; }
  rect(x, y, width, height) { this.path += `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}Z`; }

  // Whole circles only: figures have no other arcs.
  arc(x, y, radius) {
    const [r, across] = [short(radius), short(2 * radius)];
    this.path += `M${short(x - radius)} ${short(y)}a${r} ${r} 0 1 0 ${across} 0a${r} ${r} 0 1 0 ${-across} 0Z`;
  }

  inked() {
    const drawn = { fill: "none", stroke: this.strokeStyle, "stroke-width": this.lineWidth, opacity: this.globalAlpha };
    return this.dash.length ? { ...drawn, "stroke-dasharray": this.dash.join(" ") } : drawn;
  }

  fill() { this.add("path", { d: this.path, fill: this.fillStyle, opacity: this.globalAlpha }); }
  stroke() { this.add("path", { d: this.path, ...this.inked() }); }

  fillRect(x, y, width, height) {
    this.add("rect", { x: short(x), y: short(y), width: short(width), height: short(height), fill: this.fillStyle, opacity: this.globalAlpha });
  }

  strokeRect(x, y, width, height) {
    this.add("rect", { x: short(x), y: short(y), width: short(width), height: short(height), ...this.inked() });
  }

  fillText(text, x, y) {
    const anchor = { left: "start", center: "middle", right: "end" }[this.textAlign];
    this.add("text", { x: short(x), y: short(y), fill: this.fillStyle, "text-anchor": anchor, style: `font:${this.font}` }, escaped(text));
  }

  drawImage(canvas, x, y, width, height) {
    const href = canvas.toDataURL("image/png");
    this.add("image", { x: short(x), y: short(y), width: short(width), height: short(height), href, preserveAspectRatio: "none", style: `image-rendering:${this.imageSmoothingEnabled ? "auto" : "pixelated"}` });
  }

  text() {
    const { width, height } = this;
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${this.parts.join("")}</svg>`;
  }
}

function short(number) {
  return Math.round(number * 100) / 100;
}

function escaped(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
