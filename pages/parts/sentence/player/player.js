// The player: one cursor (`step`) and one hover, shared by the sentence and every plot. Runs in the browser; only a picked
// token, unit or span is sent to the server, as one state value.
const INSIDE_PLAYER = "input, select, button, textarea";
const sigmoidText = (probability) => `${Math.round(probability * 100)}% positive`;

function make(tag, attributes = {}) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function short(value) {
  const size = Math.abs(value);
  return size >= 100 ? value.toFixed(0) : size >= 1 ? value.toFixed(1) : size >= 0.01 ? value.toFixed(2) : value.toExponential(0);
}

class Player {
  constructor(root, report) {
    Object.assign(this, { root, report, frameWanted: 0, hovered: null, playing: false, speed: 8 });
    this.observer = new ResizeObserver(() => this.resize());
    root.onkeydown = (event) => this.key(event);
    root.tabIndex = -1;
  }

  load(payload) {
    this.pause();
    const old = this.payload;
    Object.assign(this, payload, { payload, hovered: null, span: null, view: 0, scope: old ? this.scope : "layer" });
    this.steps = Math.max(1, ...this.sentences.map((sentence) => sentence.words.length));
    this.step = this.steps - 1; // the whole reading is shown at first; Play starts from the beginning
    this.panels.forEach((panel, index) => { panel.index = index; });
    this.focus = this.panels[Math.min(payload.focus, this.panels.length - 1)];
    this.quantity = this.quantity in this.quantities ? this.quantity : Object.keys(this.quantities)[0];
    this.sort = this.sort in this.sorts ? this.sort : Object.keys(this.sorts)[0];
    this.picked = { token: null, unit: null, panel: null };
    this.build();
  }

  build() {
    this.theme = themeOf(this.root, this.colours);
    this.transport = new Transport(this);
    this.strips = this.sentences.map((_, index) => new Sentence(this, index));
    this.plots = [];
    this.heads = [];
    const grid = make("div", { class: "panels" });
    for (const panel of this.panels) grid.append(this.column(panel));
    this.below = make("button", { type: "button", class: "below" });
    this.below.textContent = "Numbers below ↓";
    this.below.hidden = true;
    this.below.onclick = () => this.scrollBelow();
    this.transport.choices.append(this.below);
    this.root.replaceChildren(this.transport.element, ...this.strips.map((strip) => strip.element), this.transport.choices, grid);
    this.observer.disconnect();
    this.observer.observe(grid);
    this.strips.forEach((strip) => strip.colour());
    this.draw();
  }

  column(panel) {
    const column = make("section", { class: "panel", "aria-label": panel.title });
    let into = column;
    const head = make("header");
    const title = make("h3"); title.textContent = panel.title; title.style.borderColor = panel.colour;
    const now = make("span", { class: "reads" });
    head.append(title, now);
    this.heads.push(now);
    column.append(head);
    if (this.panels.length === 1) { column.classList.add("alone"); column.append((into = make("div", { class: "side" }))); }
    const add = (plot, words) => {
      const caption = make("div", { class: "caption" });
      caption.textContent = words;
      this.plots.push(plot);
      into.append(caption, plot.element);
      return caption;
    };
    add(new Curve(this, panel), "Probability of “positive” if the text ended here");
    (this.barsCaption ??= [])[panel.index] = add(new Bars(this, panel), "");
    for (const block of panel.blocks) if (block.kind === "state") add(new Heat(this, panel, block), block.title);
    if (this.panels.length === 1) column.append((into = make("div", { class: "side" })));
    add(new Path(this, panel), `Path of the state; dots: where ${panel.cloud.rows} ${panel.labels.length ? "other reviews" : "random sequences"} ended`);
    for (const block of panel.blocks) if (block.kind !== "state") add(new Heat(this, panel, block), block.title);
    return column;
  }

  // Data for the plots
  get readingIndex() { return this.view === 1 ? 1 : 0; }
  get shownStep() { return this.hovered?.step ?? this.step; }
  order(panel) { return panel.orders[this.sort] ?? panel.orders.index; }
  matrix(panel, block) { // (steps, rows) of the chosen reading, or second − first on aligned tokens
    const first = panel.readings[0].blocks[block.name];
    if (this.view === 0 || panel.readings.length < 2) return { values: first.values, steps: first.rows, rows: first.columns };
    const second = panel.readings[1].blocks[block.name];
    if (this.view === 1) return { values: second.values, steps: second.rows, rows: second.columns };
    const steps = Math.min(first.rows, second.rows), rows = first.columns;
    const align = panel.readings[1].align; // step of the second reading → step of the first, or −1 for a new word
    const values = new Float32Array(steps * rows);
    for (let step = 0; step < steps; step++) {
      const from = align[step];
      for (let unit = 0; unit < rows; unit++) values[step * rows + unit] = from < 0 || from >= first.rows ? 0 : second.values[step * rows + unit] - first.values[from * rows + unit];
    }
    return { values, steps, rows };
  }

  scales(panel, block, values, rows) { // largest |value| that full colour stands for, per unit
    if (block.kind === "gate" && this.view < 2 && this.scope !== "unit") return new Float32Array(rows).fill(1);
    const own = new Float32Array(rows).fill(1e-6);
    values.forEach((value, n) => { own[n % rows] = Math.max(own[n % rows], Math.abs(value)); });
    if (this.scope === "unit") return own;
    let largest = Math.max(...own);
    if (this.scope === "global" && this.view < 2) {
      for (const other of this.panels) for (const reading of other.readings) if (reading.blocks[block.name]) for (const value of reading.blocks[block.name].values) largest = Math.max(largest, Math.abs(value));
    }
    return own.fill(largest);
  }

  // Actions of the user
  set(change) { Object.assign(this, change); this.strips.forEach((strip) => strip.colour()); this.resize(); }
  go(step) { this.pause(); this.move(step); }
  move(step) { this.step = Math.max(0, Math.min(this.steps - 1, step)); this.draw(); }
  hover(place) {
    if (place?.step === this.hovered?.step && place?.unit === this.hovered?.unit && place?.panel === this.hovered?.panel) return;
    this.hovered = place;
    this.draw();
  }

  pick(place) {
    const panel = place.panel ?? this.focus;
    this.picked = { token: place.step, unit: place.unit ?? this.picked.unit, panel: panel.index };
    this.span = null;
    this.go(place.step);
    this.reportPick();
  }

  pickSpan(from, to) {
    this.span = [Math.min(from, to), Math.max(from, to)];
    this.picked = { ...this.picked, token: null, panel: this.focus.index };
    this.draw();
    this.reportPick();
  }

  reportPick() {
    this.below.hidden = false;
    this.report("pick", { ...this.picked, span: this.span, rev: this.rev });
  }

  scrollBelow() { // to the details of the pick, under the player
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    document.querySelector(".st-key-sentence-details")?.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  }

  key(event) { // arrows move the cursor; other keys, and all keys of a focused control, are left to the browser
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const control = event.target.matches?.(INSIDE_PLAYER) ? event.target.tagName + (event.target.type === "range" ? "r" : "") : "";
    if (control === "SELECT" || control === "INPUTr") return;
    const moves = { ArrowLeft: this.step - 1, ArrowRight: this.step + 1, Home: 0, End: this.steps - 1, PageUp: this.step - 10, PageDown: this.step + 10 };
    if (event.key in moves) {
      if (event.shiftKey && event.key.startsWith("Arrow")) { const start = this.anchor ?? this.step; this.anchor = start; this.move(moves[event.key]); this.pickSpan(start, this.step); }
      else { this.anchor = null; this.go(moves[event.key]); }
    } else if (event.key === " " && !control.startsWith("BUTTON")) this.toggle();
    else if (event.key === "Enter" && !control) this.pick({ step: this.step });
    else return;
    event.preventDefault();
  }

  toggle() { if (this.playing) this.pause(); else this.start(); this.draw(); }
  pause() { this.playing = false; cancelAnimationFrame(this.ticking); }
  start() {
    if (this.step >= this.steps - 1) this.step = 0;
    this.playing = true;
    let last = performance.now(), position = this.step;
    const tick = (now) => {
      if (!this.playing) return;
      position += (Math.min(250, now - last) / 1000) * this.speed;
      last = now;
      this.step = Math.min(this.steps - 1, Math.floor(position));
      if (this.step >= this.steps - 1) this.pause();
      this.paint();
      if (this.playing) this.ticking = requestAnimationFrame(tick);
    };
    this.ticking = requestAnimationFrame(tick);
  }

  // Drawing
  draw() { cancelAnimationFrame(this.frameWanted); this.frameWanted = requestAnimationFrame(() => this.paint()); }
  paint() {
    this.frames = (this.frames ?? 0) + 1;
    Object.assign(this.root.dataset, { step: this.step, hover: this.hovered?.step ?? "", playing: this.playing, frames: this.frames });
    this.transport.frame();
    this.strips.forEach((strip) => strip.frame());
    this.plots.forEach((plot) => plot.frame());
    this.panels.forEach((panel, n) => { this.heads[n].textContent = this.words(panel); });
  }

  words(panel) { // text of a panel for the shown token: its probability, and the value of the hovered unit
    const parts = panel.readings.map((reading) => sigmoidText(reading.probability.values[Math.min(this.shownStep, reading.probability.rows - 1)]));
    const word = this.sentences[0].words[this.shownStep] ?? "";
    let text = `“${word.slice(0, LONGEST_WORD)}”: ${parts.join(" → ")}`;
    if (this.hovered?.unit !== undefined && this.hovered.panel === panel) {
      const block = panel.readings[this.readingIndex].blocks[this.hovered.block];
      const value = block.values[Math.min(this.hovered.step, block.rows - 1) * block.columns + this.hovered.unit];
      text += ` · unit ${this.hovered.unit} ${this.hovered.block} ${value.toFixed(3)}`;
    }
    return text;
  }

  resize() {
    this.theme = themeOf(this.root, this.colours);
    this.panels.forEach((panel) => {
      const reading = panel.readings[this.readingIndex];
      const note = this.quantity === "attribution" ? reading.note : " (its log odds: 0 is 50%)";
      this.barsCaption[panel.index].textContent = `${this.quantities[this.quantity]}${note}`;
    });
    this.plots.forEach((plot) => plot.resize());
    this.draw();
  }

  destroy() { this.pause(); this.observer.disconnect(); cancelAnimationFrame(this.frameWanted); }
}

const players = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".player");
  let player = players.get(root);
  if (!player) players.set(root, (player = new Player(root, setStateValue)));
  player.report = setStateValue;
  const payload = unpack(data);
  if (player.rev !== payload.rev) player.load(payload);
  else { player.theme = themeOf(root, player.colours); player.strips.forEach((strip) => strip.colour()); player.resize(); }
  return () => player.destroy();
}
