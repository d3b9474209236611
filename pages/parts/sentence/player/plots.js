// A plot is two stacked canvases: `base` is drawn when data, size or theme change, `over` (cursor and hover) in every frame.
const GUTTER = 34; // px left of every time axis, the same in all plots, so that their cursors are aligned

class Plot {
  constructor(player, panel, { height, name }) {
    Object.assign(this, { player, panel, height });
    this.element = make("div", { class: "plot" });
    this.element.style.height = `${height}px`;
    this.base = make("canvas", { role: "img", "aria-label": name });
    this.over = make("canvas", { "aria-hidden": "true" });
    this.element.append(this.base, this.over);
    this.over.onpointermove = (event) => this.point(event, false);
    this.over.onpointerleave = () => player.hover(null);
    this.over.onclick = (event) => this.point(event, true);
  }

  get steps() { return this.player.steps; }
  get stepWidth() { return (this.width - GUTTER - 2) / Math.max(1, this.steps); }
  x(step) { return GUTTER + (step + 0.5) * this.stepWidth; }

  resize() {
    this.width = this.element.clientWidth;
    if (!this.width) return;
    const density = window.devicePixelRatio || 1;
    for (const canvas of [this.base, this.over]) {
      canvas.width = Math.round(this.width * density);
      canvas.height = Math.round(this.height * density);
      canvas.getContext("2d").setTransform(density, 0, 0, density, 0, 0);
    }
    const context = this.base.getContext("2d");
    context.font = `11px ${this.player.theme.font}`;
    this.drawBase(context, this.player.theme);
    this.frame();
  }

  frame() {
    if (!this.width) return;
    const context = this.over.getContext("2d");
    context.clearRect(0, 0, this.width, this.height);
    context.font = `11px ${this.player.theme.font}`;
    this.drawOver(context, this.player.theme);
  }

  locate(event) { // → {step, unit?} under the pointer
    const box = this.over.getBoundingClientRect();
    const step = Math.floor((event.clientX - box.left - GUTTER) / this.stepWidth);
    return { step: Math.max(0, Math.min(this.steps - 1, step)) };
  }

  point(event, click) {
    const place = { ...this.locate(event), panel: this.panel };
    if (click) this.player.pick(place); else this.player.hover(place);
  }

  drawOver(context, theme) { // fades the steps after the cursor; draws the cursor and the hovered column
    const { step, hovered } = this.player;
    const edge = this.x(step) + this.stepWidth / 2;
    context.fillStyle = css(theme.back, 0.72);
    context.fillRect(edge, 0, this.width - edge, this.height);
    if (hovered) { // an outline: a filled band would change the colours under it
      const wide = Math.max(3, this.stepWidth);
      context.strokeStyle = css(theme.text, 0.75);
      context.strokeRect(this.x(hovered.step) - wide / 2, 0.5, wide, this.height - 1);
    }
    if (step < this.steps - 1 || this.player.playing) {
      context.fillStyle = css(theme.accent);
      context.fillRect(edge - 1, 0, 1.5, this.height);
    }
  }
}

class Curve extends Plot { // running probability of "positive", one line per reading
  constructor(player, panel) { super(player, panel, { height: 92, name: `Running probability of positive, ${panel.title}` }); }
  y(value) { return 8 + (1 - value) * (this.height - 16); }

  drawBase(context, theme) {
    context.fillStyle = css(theme.quiet);
    context.textAlign = "right"; context.textBaseline = "middle";
    for (const [value, label] of [[1, "100%"], [0.5, "50"], [0, "0"]]) {
      context.fillText(label, GUTTER - 4, this.y(value));
      context.fillStyle = css(value === 0.5 ? theme.quiet : theme.faint);
      context.fillRect(GUTTER, this.y(value), this.width - GUTTER, value === 0.5 ? 0.8 : 1);
      context.fillStyle = css(theme.quiet);
    }
    this.panel.readings.forEach((reading, n) => this.line(context, reading.probability.values, rgb(this.panel.colour), n));
    if (this.player.parting !== null) {
      context.setLineDash([2, 3]); context.strokeStyle = css(theme.text, 0.7);
      context.beginPath(); context.moveTo(this.x(this.player.parting), 0); context.lineTo(this.x(this.player.parting), this.height); context.stroke();
      context.setLineDash([]);
    }
  }

  line(context, values, colour, n) {
    context.setLineDash(n ? [5, 4] : []);
    context.strokeStyle = css(colour, n ? 0.75 : 1);
    context.lineWidth = n ? 1.6 : 2;
    context.beginPath();
    values.forEach((value, step) => context[step ? "lineTo" : "moveTo"](this.x(step), this.y(value)));
    context.stroke();
    context.setLineDash([]); context.lineWidth = 1;
  }

  drawOver(context, theme) {
    super.drawOver(context, theme);
    this.panel.readings.forEach((reading, n) => {
      const step = Math.min(this.player.shownStep, reading.probability.rows - 1);
      context.beginPath();
      context.arc(this.x(step), this.y(reading.probability.values[step]), 4, 0, 7);
      context.fillStyle = n ? css(theme.back) : css(rgb(this.panel.colour));
      context.strokeStyle = css(rgb(this.panel.colour)); context.lineWidth = 2;
      context.fill(); context.stroke(); context.lineWidth = 1;
    });
  }
}

class Bars extends Plot { // the effect of each token: its change of the logit, or its attribution
  constructor(player, panel) { super(player, panel, { height: 64, name: `Effect of each token, ${panel.title}` }); }

  drawBase(context, theme) {
    const values = this.panel.readings[this.player.readingIndex].bars[this.player.quantity].values;
    const largest = Math.max(1e-9, ...values.map(Math.abs));
    const middle = this.height / 2, reach = middle - 6;
    context.fillStyle = css(theme.quiet); context.textAlign = "right"; context.textBaseline = "middle";
    context.fillText(`+${short(largest)}`, GUTTER - 4, 9);
    context.fillText(`−${short(largest)}`, GUTTER - 4, this.height - 8);
    context.fillStyle = css(theme.faint); context.fillRect(GUTTER, middle, this.width - GUTTER, 1);
    values.forEach((value, step) => {
      context.fillStyle = css(value < 0 ? theme.negative : theme.positive);
      const tall = (Math.abs(value) / largest) * reach, wide = Math.max(1, this.stepWidth * 0.8);
      context.fillRect(this.x(step) - wide / 2, value < 0 ? middle : middle - tall, wide, tall);
    });
  }
}

class Heat extends Plot { // units × tokens of one block: the states h or c, or one gate
  constructor(player, panel, block) {
    const rows = block.rows;
    super(player, panel, { height: Math.max(48, Math.round(rows * (block.kind === "state" ? Math.min(7, 224 / rows) : Math.min(3, 96 / rows)))), name: `${block.title}: ${rows} units by tokens, ${panel.title}` });
    this.block = block;
  }

  get gate() { return this.block.kind === "gate" && this.player.view < 2; } // 0..1; the difference of two gates can be negative
  get order() { return this.player.order(this.panel); }

  drawBase(context, theme) {
    const { values, steps, rows } = this.player.matrix(this.panel, this.block);
    const image = new ImageData(steps, rows);
    const scales = this.player.scales(this.panel, this.block, values, rows);
    const colours = this.gate ? ramp(theme.back, mix(theme.back, rgb(this.block.colour), 0.5), rgb(this.block.colour)) : ramp(theme.negative, theme.back, theme.positive);
    const pixels = new Uint32Array(image.data.buffer);
    const packed = Uint32Array.from(colours, ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0);
    const slope = this.gate ? 255 : 127.5, start = this.gate ? 0.5 : 128; // + 0.5: rounds
    this.order.forEach((unit, row) => {
      const factor = slope / scales[unit];
      for (let step = 0; step < steps; step++) {
        pixels[row * steps + step] = packed[Math.max(0, Math.min(255, (values[step * rows + unit] * factor + start) | 0))];
      }
    });
    const small = make("canvas");
    small.width = steps; small.height = rows;
    small.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = this.stepWidth < 1;
    context.drawImage(small, GUTTER, 0, steps * this.stepWidth, this.height);
    context.fillStyle = css(theme.quiet); context.textAlign = "right"; context.textBaseline = "middle";
    context.fillText(`${rows}`, GUTTER - 4, 7);
    context.fillText("units", GUTTER - 4, this.height / 2);
  }

  locate(event) {
    const box = this.over.getBoundingClientRect();
    const row = Math.max(0, Math.min(this.block.rows - 1, Math.floor(((event.clientY - box.top) / this.height) * this.block.rows)));
    return { ...super.locate(event), unit: this.order[row], block: this.block.name };
  }

  drawOver(context, theme) {
    super.drawOver(context, theme);
    const tall = this.height / this.block.rows;
    const mark = (unit, colour) => {
      const row = this.order.indexOf(unit);
      if (row < 0) return;
      context.strokeStyle = colour;
      context.strokeRect(GUTTER, row * tall, this.width - GUTTER - 1, Math.max(2, tall));
    };
    const { hovered, picked } = this.player;
    if (picked.unit !== null && picked.panel === this.panel.index) mark(picked.unit, css(theme.accent));
    if (hovered?.unit !== undefined && hovered.panel === this.panel) mark(hovered.unit, css(theme.text, 0.8));
  }
}

class Path extends Plot { // the path of the state in the plane of the first two principal components
  constructor(player, panel) { super(player, panel, { height: 250, name: `Path of the state over the cloud of final states, ${panel.title}` }); }

  fit() {
    const all = [...this.panel.readings.map((reading) => reading.path), this.panel.cloud];
    const range = [0, 1].map((axis) => {
      let low = Infinity, high = -Infinity;
      for (const { values } of all) for (let n = axis; n < values.length; n += 2) { low = Math.min(low, values[n]); high = Math.max(high, values[n]); }
      return [low, Math.max(high - low, 1e-9)];
    });
    this.place = (values, n) => [22 + ((values[2 * n] - range[0][0]) / range[0][1]) * (this.width - 34), this.height - 24 - ((values[2 * n + 1] - range[1][0]) / range[1][1]) * (this.height - 38)];
  }

  drawBase(context, theme) {
    this.fit();
    const { cloud, labels, axes } = this.panel;
    for (let n = 0; n < cloud.rows; n++) {
      context.fillStyle = css(!labels.length ? theme.quiet : labels[n] ? theme.positive : theme.negative, 0.5);
      context.beginPath(); context.arc(...this.place(cloud.values, n), 2.2, 0, 7); context.fill();
    }
    context.fillStyle = css(theme.quiet); context.textBaseline = "bottom"; context.textAlign = "right";
    context.fillText(axes[0], this.width - 4, this.height - 3);
    context.save(); context.translate(13, 8); context.rotate(-Math.PI / 2); context.fillText(axes[1], 0, 0); context.restore();
  }

  drawOver(context, theme) {
    this.panel.readings.forEach((reading, n) => {
      const last = Math.min(this.player.step, reading.path.rows - 1);
      context.strokeStyle = css(n ? theme.quiet : theme.text, 0.85); context.lineWidth = 1.5;
      context.setLineDash(n ? [5, 4] : []);
      context.beginPath();
      for (let step = 0; step <= last; step++) context[step ? "lineTo" : "moveTo"](...this.place(reading.path.values, step));
      context.stroke(); context.setLineDash([]);
      this.dot(context, reading, 0, 3, css(theme.back), css(theme.text));
      this.dot(context, reading, last, 5.5, n ? css(theme.back) : css(rgb(this.panel.colour)), css(theme.text));
      if (this.player.hovered) this.dot(context, reading, Math.min(this.player.hovered.step, reading.path.rows - 1), 5, "transparent", css(theme.text));
    });
    context.lineWidth = 1;
  }

  dot(context, reading, step, radius, fill, stroke) {
    context.beginPath(); context.arc(...this.place(reading.path.values, step), radius, 0, 7);
    context.fillStyle = fill; context.strokeStyle = stroke; context.fill(); context.stroke();
  }

  locate(event) { // the nearest step of the first reading's path
    const box = this.over.getBoundingClientRect();
    const values = this.panel.readings[0].path.values;
    let best = 0, least = Infinity;
    for (let step = 0; step < values.length / 2; step++) {
      const [x, y] = this.place(values, step);
      const far = (x - event.clientX + box.left) ** 2 + (y - event.clientY + box.top) ** 2;
      if (far < least) [best, least] = [step, far];
    }
    return { step: best };
  }
}
