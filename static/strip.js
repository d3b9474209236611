// The strip: one sequence unrolled, one row per network, with its states, its answers and the gradient that reaches back.
// `data` are bytes from pages/shared/strip: four bytes of header length, a JSON header, then the numbers. An array in the header is
// {at, shape, type, scale}: value = stored / (largest of the type) × scale; float32 as it is.
const { BACK, FORWARD, LOSS, UPDATE, element, number, share, showCell, showTable, stageWords, unpack } = await import(`./strip_cell.js${new URL(import.meta.url).search}`);
const { INPUTS, carpet, colours, paintAnswers, paintBlocks, paintInputs, paintRibbon } = await import(`./strip_paint.js${new URL(import.meta.url).search}`);
const strips = new WeakMap(), still = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
const TOP_UNITS = 8, GAP = 8, RIBBON = 44, LINE = 84, AXIS = 26, HEADING = 26;   // pixels
const PHASE = 2600;                                                 // milliseconds forwards, and as many back
const WORD = 800, REST = 4;                                         // of a strip that loops: milliseconds per step, steps of rest at its end

class Strip {
  constructor(host) {
    Object.assign(this, { host, cursor: null, row: 0, unit: 0, part: {}, all: false, timer: null, progress: null });
    this.bar = element('div', { class: 'bar' }, host);
    this.playButton = this.button('▶ Play', '', () => this.timer ? this.pause() : this.play());
    this.unitsButton = this.button('All units', `Show all units, or the ${TOP_UNITS} with the largest influence on the answer`, () => { this.all = !this.all; this.draw(); });
    this.partButton = this.button('', 'Which part of the LSTM’s state is shown', () => this.switchPart());
    this.legend = element('span', { class: 'legend' }, this.bar);
    const frame = element('div', { class: 'frame' }, host);
    this.left = element('div', { class: 'left' }, frame);
    this.scroller = element('div', { class: 'scroller' }, frame);
    this.right = element('div', { class: 'right' }, frame);
    this.stage = element('div', { class: 'stage', tabindex: 0, role: 'group' }, this.scroller);
    this.canvas = element('canvas', { 'aria-hidden': 'true' }, this.stage);
    this.words = element('div', { 'aria-hidden': 'true' }, this.stage);
    this.line = element('div', { class: 'line', hidden: '' }, this.stage);
    this.cell = element('div', { class: 'cell', hidden: '' }, this.stage);
    this.readout = element('div', { class: 'readout', 'aria-live': 'polite' }, host);
    this.details = element('details', { class: 'numbers' }, host);
    element('summary', {}, this.details, 'These numbers as a table');
    this.table = element('div', {}, this.details);
    this.details.ontoggle = () => this.fillTable();
    this.scroller.onscroll = () => { if (this.place?.narrow) this.label(); };
    const at = (event) => { if (this.data.loop) this.pause(); this.point(event); };
    this.stage.onpointermove = (event) => { if (!this.cell.contains(event.target) && !(this.data.loop && this.timer && !event.buttons)) at(event); };
    this.stage.onclick = (event) => { if (!this.cell.contains(event.target)) { at(event); this.open(); } };
    this.stage.onkeydown = (event) => this.press(event);
    this.sizes = new ResizeObserver(() => this.draw());
  }

  button(label, title, click) {
    const node = element('button', { type: 'button', title, 'aria-label': title }, this.bar, label);
    node.onclick = click;
    return node;
  }

  update(bytes) {
    this.sizes.observe(this.host);
    const data = unpack(bytes);
    if (this.data?.rev === data.rev) return;
    const same = this.data && this.data.steps === data.steps && this.data.rows.length === data.rows.length;
    if (!same) { this.pause(); this.cursor = null; this.close(); }
    this.data = data;
    this.scale = colours(data.scale);
    this.row = Math.min(this.row, data.rows.length - 1);
    this.stage.setAttribute('aria-label', `${data.alt} Left and right arrow keys move over the steps, Enter shows the cell there.`);
    this.draw();
    if (data.loop && !same && !still()) this.play();
    if (this.details.open) this.fillTable();
  }

  // ------------------------------------------------------------ what is shown

  rows() { return this.data.rows; }
  states(row) { return row.states[this.part[row.cell] ?? Object.keys(row.states)[0]]; }
  answer(row, t) { const value = row.answers.values[t]; return row.kind === 'probability' ? `${Math.round(100 * value)} %` : number(value); }
  shownUnits(row) { return this.all ? this.states(row).shape[1] : Math.min(TOP_UNITS, this.states(row).shape[1]); }
  switchPart() {
    const names = Object.keys(this.rows().find((row) => Object.keys(row.states).length > 1).states);
    this.part.lstm = names[(names.indexOf(this.part.lstm ?? names[0]) + 1) % names.length];
    this.close(); this.draw();
  }

  layout() {
    const { data } = this, T = data.steps, narrow = this.host.clientWidth < 700;
    this.host.classList.toggle('narrow', narrow);
    const room = this.scroller.clientWidth || this.host.clientWidth;
    const least = data.words ? (data.symbols ? 15 : T <= 12 ? 46 : 60) : 2.5;
    const width = Math.max(room, least * T), step = width / T;
    let y = data.words || data.values ? INPUTS : 4;
    const places = this.rows().map((row) => {
      const units = this.shownUnits(row), unit = units <= TOP_UNITS ? (data.ribbon ? 6.5 : 10) : Math.max(2, Math.min(5, 130 / units));
      const top = y + (narrow ? HEADING : 0), lane = data.ribbon ? RIBBON : LINE, ribbon = top + units * unit + GAP + lane / 2;
      y = ribbon + lane / 2 + GAP;
      return { top, units, unit, bottom: top + units * unit, ribbon };
    });
    return { T, narrow, width, step, places, axis: y, height: y + AXIS + (narrow ? 20 : 0), blocks: T <= 12 };
  }

  // ------------------------------------------------------------ drawing

  draw() {
    if (!this.data || !this.host.isConnected) return;
    const place = this.place = this.layout(), { width, height } = place, ratio = window.devicePixelRatio || 1;
    Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    Object.assign(this.stage.style, { width: `${width}px`, height: `${height}px` });
    this.left.style.height = this.right.style.height = `${height}px`;
    const two = this.rows().find((row) => Object.keys(row.states).length > 1);
    this.partButton.hidden = !two;
    if (two) this.partButton.textContent = `LSTM: ${this.part.lstm ?? 'h'} shown`;
    this.unitsButton.hidden = this.rows().every((row) => this.states(row).shape[1] <= TOP_UNITS);
    this.unitsButton.textContent = this.all ? `${TOP_UNITS} units` : 'All units';
    const title = this.data.ribbon ? 'Play the sequence forwards, then the gradient back' : 'Play the sequence step by step';
    Object.assign(this.playButton, { title, ariaLabel: title });
    this.legend.style.setProperty('--scale', this.data.scale.join(','));
    this.legend.textContent = 'state: negative to positive';
    this.images = this.rows().map((row, n) => carpet(this.states(row), place.places[n].units, this.scale));
    this.paint();
    this.label();
    this.showCursor();
  }

  paint() {
    const { place, data } = this, { T, step, places } = place, ratio = window.devicePixelRatio || 1, context = this.canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, place.width, place.height);
    context.imageSmoothingEnabled = false;
    const p = this.progress, shown = p === null ? T : Math.min(T, Math.ceil(p * T)), back = p === null ? 0 : Math.max(0, Math.min(T, Math.floor((BACK - p) * T)));
    if (data.values && !place.blocks) paintInputs(context, data, step);
    context.strokeStyle = '#808080'; context.lineWidth = 1; context.setLineDash([3, 3]);
    for (const t of data.marked) { context.beginPath(); context.moveTo((t + 0.5) * step, 14); context.lineTo((t + 0.5) * step, place.axis); context.stroke(); }
    context.setLineDash([]);
    places.forEach((at, n) => {
      const row = this.rows()[n];
      if (place.blocks) paintBlocks(context, this.images[n], at, shown, place);
      else if (shown) context.drawImage(this.images[n], 0, 0, shown, at.units, 0, at.top, shown * step, at.bottom - at.top);
      if (data.ribbon) paintRibbon(context, row, at, back, place);
      else paintAnswers(context, row, { ...at, half: LINE / 2 - 4 }, shown, place);
    });
  }

  label() {                                                           // all text, as text
    const { data, place } = this, { T, step, width, places, narrow } = place;
    for (const node of [this.words, this.left, this.right]) node.replaceChildren();
    this.answers = [];
    const put = (text, x, y, align, name, parent = this.words) => {
      const node = element('span', { class: `at ${name}` }, parent, text);
      Object.assign(node.style, { left: `${x}px`, top: `${y}px`, transform: `translateX(${{ left: 0, middle: -50, right: -100 }[align]}%)` });
      return node;
    };
    const beside = (text, y, name, parent) => { const node = element('span', { class: `at ${name}` }, parent, text); node.style.top = `${y}px`; return node; };
    if (data.words) data.words.forEach((word, t) => put(word, (t + 0.5) * step, 8, 'middle', data.symbols ? 'symbol' : 'word').style.maxWidth = `${data.symbols ? 60 : step - 4}px`);
    if (data.values && place.blocks) data.values.values.forEach((value, t) => put(number(value), (t + 0.5) * step, 8, 'middle', 'small'));
    else if (data.values) for (const t of data.marked) put(number(data.values.values[t]), Math.min((t + 0.5) * step + 9, width - 40), 0, 'left', 'marked');
    if (!narrow && (data.words || data.values)) beside(data.inputs, 8, 'small', this.left);
    places.forEach((at, n) => {
      const row = this.rows()[n], parts = Object.keys(row.states), part = parts.length > 1 ? ` ${this.part[row.cell] ?? parts[0]}` : '';
      const end = row.answers.values.length - 1, answer = this.answer(row, data.ribbon ? end : Math.min(this.cursor ?? end, end));
      const right = row.right === null ? '' : row.kind === 'probability' ? `should be ${Math.round(100 * row.right)} %` : `should be ${number(row.right)}`;
      if (narrow) {
        const heading = element('span', { class: 'at heading' }, this.words);
        Object.assign(heading.style, { top: `${at.top - HEADING}px`, left: `${this.scroller.scrollLeft}px` });
        element('b', {}, heading, row.name).style.color = row.colour;
        element('span', {}, heading, ` ${row.label}`);
        const told = put(`${answer}${right ? `, ${right}` : ''}`, this.scroller.scrollLeft + this.scroller.clientWidth, at.top - HEADING, 'right', 'heading');
        told.style.fontWeight = 600;
        this.answers[n] = told;
      } else {
        beside(row.name, at.top - 6, 'name', this.left).style.color = row.colour;
        beside(row.label || `state${part}`, at.top + 15, 'small', this.left);
        if (row.label) beside(`state${part}`, at.top + 35, 'small', this.left);
        beside(data.ribbon ? 'gradient' : data.answer, at.ribbon - 20, 'small', this.left);
        beside(!data.ribbon ? 'so far' : row.reach ? `reach ${row.reach}` : 'none', at.ribbon, 'small', this.left);
        this.answers[n] = beside(answer, data.ribbon ? at.top + 2 : at.ribbon - 22, 'answer', this.right);
        if (!data.ribbon) beside(data.answer, at.ribbon + 6, 'small', this.right);
        if (right) beside(right, at.top + 31, 'small', this.right);
      }
      if (!data.ribbon) return;
      const free = (T - row.reach) * step;                             // left of the ribbon's end
      if (row.reach && row.reach < T && row.caption) free > 230 ? put(row.caption, free - 12, at.ribbon - 12, 'right', 'caption') : put(row.caption, 4, at.ribbon - RIBBON / 2 - 8, 'left', 'caption');
      else if (row.caption) put(row.caption, Math.min(width - 20, 8), at.ribbon - 12, 'left', 'caption on');
    });
    const every = [1, 2, 5, 10, 20, 25, 50, 100, 200, 500].find((size) => size * step >= 90) ?? 1000;
    for (let ago = 0; ago < T; ago += every) put(ago ? String(ago) : 'now', (T - ago - 0.5) * step, place.axis, ago ? 'middle' : 'right', 'small').style.left = `${ago ? (T - ago - 0.5) * step : width}px`;
    narrow ? put('steps ago', 2, place.axis + 20, 'left', 'small') : beside('steps ago', place.axis, 'small', this.left);
  }

  // ------------------------------------------------------------ the cursor

  point(event) {
    const box = this.stage.getBoundingClientRect(), { step, T, places } = this.place, y = event.clientY - box.top;
    const row = places.findLastIndex((at) => y >= at.top - 10);
    this.row = Math.max(0, row);
    const at = places[this.row];
    if (y < at.bottom) this.unit = Math.max(0, Math.min(at.units - 1, Math.floor((y - at.top) / at.unit)));
    this.cursor = Math.max(0, Math.min(T - 1, Math.floor((event.clientX - box.left) / step)));
    this.showCursor();
  }

  press(event) {
    const T = this.data.steps, now = this.cursor ?? T - 1, row = this.rows().length;
    const moves = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: T - 1, PageUp: now - 10, PageDown: now + 10 };
    if (event.target !== this.stage && event.key !== 'Escape') return;
    if (this.data.loop) this.pause();
    if (event.key in moves) this.cursor = Math.max(0, Math.min(T - 1, moves[event.key]));
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') { this.row = (this.row + (event.key === 'ArrowDown' ? 1 : row - 1)) % row; this.cursor = now; }
    else if (event.key === 'Enter' || event.key === ' ') { this.cursor = now; this.open(); } else if (event.key === 'Escape') this.close(); else return;
    event.preventDefault();
    this.showCursor();
    this.line.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  showCursor() {
    const { cursor: t, place, data } = this;
    this.line.hidden = t === null;
    this.stage.dataset.step = t ?? '';
    if (t === null) { this.readout.textContent = data.hint; return; }
    const above = data.ribbon ? 0 : INPUTS - 4;                      // the words stay legible while the cursor passes
    Object.assign(this.line.style, { left: `${(t + 0.5) * place.step}px`, top: `${above}px`, height: `${place.axis - above}px` });
    this.readout.ariaLive = data.loop && this.timer ? 'off' : 'polite';
    this.readout.replaceChildren();
    if (this.progress !== null && !this.data.loop) element('div', { class: 'phase' }, this.readout, stageWords(this.progress, this.rows()));
    const ago = data.steps - 1 - t, input = data.words ? `“${data.words[t]}”` : data.values ? number(data.values.values[t]) : '';
    element('div', { class: 'step' }, this.readout, `Step ${t + 1} of ${data.steps}, ${ago ? `${ago} step${ago > 1 ? 's' : ''} ago` : 'now'}${input ? ` · input ${input}` : ''}${data.marked.includes(t) ? ', marked' : ''}`);
    const grid = element('div', { class: 'values' }, this.readout);
    this.rows().forEach((row, n) => {
      if (!data.ribbon && row.answers.values.length > 1) this.answers[n].textContent = this.answer(row, t);
      const states = this.states(row), unit = n === this.row ? Math.min(this.unit, states.shape[1] - 1) : 0, logs = row.gradient.values;
      const name = element('b', {}, grid, row.name); name.style.color = row.colour;
      element('span', {}, grid, `${this.part[row.cell] ?? Object.keys(row.states)[0]} of unit ${row.units[unit]}: ${number(states.values[t * states.shape[1] + unit])}`);
      element('span', {}, grid, row.answers.values.length > 1 ? `${data.answer} so far: ${this.answer(row, t)}` : '');
      if (data.ribbon) element('span', {}, grid, `gradient: ${share(logs[t])}${ago ? ` (× ${number(10 ** (logs[t] - logs[t + 1]))} here)` : ''}`);
    });
  }

  // ------------------------------------------------------------ the cell at a step

  open() {
    const t = this.cursor, row = this.rows()[this.row];
    if (t === null) return;
    showCell(this.cell, row, t, Math.min(this.unit, this.states(row).shape[1] - 1), () => { this.close(); this.stage.focus(); });
    const wide = this.cell.offsetWidth, room = this.scroller, x = Math.max(room.scrollLeft, Math.min((t + 0.5) * this.place.step + 14, room.scrollLeft + room.clientWidth - wide));
    Object.assign(this.cell.style, { left: `${x}px`, top: `${Math.min(this.place.places[this.row].top, Math.max(0, this.place.height - this.cell.offsetHeight))}px` });
  }

  close() { this.cell.hidden = true; }

  // ------------------------------------------------------------ playing

  play() {
    this.close();
    if (still()) {                                                    // two still pictures: all states, then the gradient
      this.progress = LOSS; this.paint(); this.playButton.textContent = '❚❚ Pause';
      this.timer = setTimeout(() => this.pause(), PHASE);
      return;
    }
    this.playButton.textContent = '❚❚ Pause';
    this.stage.classList.add('playing');
    if (this.data.loop) return this.loop(0);
    const began = performance.now();
    const frame = (now) => {
      const p = this.progress = (now - began) / PHASE, T = this.data.steps;
      if (p >= UPDATE || !this.host.isConnected) return this.pause();
      this.cursor = Math.max(0, Math.min(T - 1, Math.floor(p < FORWARD ? p * T : p < LOSS ? T - 1 : (BACK - p) * T)));
      this.paint(); this.showCursor();
      this.timer = requestAnimationFrame(frame);
    };
    this.timer = requestAnimationFrame(frame);
  }

  loop(t) {                                                           // one step, then the next; from the start again after a rest
    if (!this.host.isConnected || still()) return this.pause();
    const T = this.data.steps, { step } = this.place, room = this.scroller;
    this.cursor = Math.min(t, T - 1);
    this.progress = (this.cursor + 1) / T;
    room.scrollLeft = (this.cursor + 1.5) * step - room.clientWidth;
    this.paint(); this.showCursor();
    this.timer = setTimeout(() => this.loop((t + 1) % (T + REST)), WORD);
  }

  pause() {
    cancelAnimationFrame(this.timer); clearTimeout(this.timer);
    this.timer = this.progress = null;
    this.playButton.textContent = '▶ Play';
    this.stage.classList.remove('playing');
    if (this.data && this.place) this.paint();
  }

  end() { this.pause(); this.sizes.disconnect(); }

  // ------------------------------------------------------------ the numbers as a table

  fillTable() {
    if (!this.details.open) return;
    showTable(this.table, this.data);
  }
}

export function draw({ data, parentElement }) {
  let host = parentElement.querySelector('.strip');
  if (!host) {
    host = element('div', { class: 'strip' }, parentElement);
    strips.set(host, new Strip(host));
  }
  const began = performance.now();
  strips.get(host).update(data);
  host.dataset.milliseconds = (performance.now() - began).toFixed(1);
  return () => { strips.get(host)?.end(); };
}
