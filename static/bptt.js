// Backpropagation through time as an animation. `data` are the numbers of a small network, from pages/parts/gradients/bptt_animation.py.
const SVG = 'http://www.w3.org/2000/svg', players = new WeakMap();
const STEP = 132, LEFT = 66, CELL = 86, TOP = 104, INPUT = 226, SHARES = 258, TALL = 380;

const add = (name, attributes, parent, text) => {
  const node = document.createElementNS(SVG, name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  if (text !== undefined) node.textContent = text;
  parent?.appendChild(node);
  return node;
};
const button = (label, title, click, parent) => {
  const node = document.createElement('button');
  node.type = 'button'; node.textContent = label; node.title = title; node.setAttribute('aria-label', title); node.onclick = click;
  parent.appendChild(node);
  return node;
};
const size = (value) => value === 0 ? '0' : Math.abs(value) >= 0.001 && Math.abs(value) < 1000 ? value.toPrecision(2) : value.toExponential(1);

function tint(value, largest, scale) {             // diverging colour, opacity by absolute value
  const share = largest ? Math.max(-1, Math.min(1, value / largest)) : 0;
  return { fill: share < 0 ? scale[0] : scale[1], 'fill-opacity': Math.max(0.06, Math.sqrt(Math.abs(share))) };
}

function matrix(parent, values, x, y, width, largest, scale) {
  const side = Math.min(width / values[0].length, 19), group = add('g', {}, parent);
  x -= side * values[0].length / 2;                // x is the middle
  values.forEach((row, i) => row.forEach((value, j) =>
    add('rect', { x: x + j * side, y: y + i * side, width: side - 1, height: side - 1, ...tint(value, largest, scale) }, group)));
  return group;
}

class Player {
  constructor(root, data) {
    Object.assign(this, { root, data, frame: 0, timer: null, T: data.inputs.length });
    this.frames = this.makeFrames();
    root.replaceChildren();
    this.build();
    this.show(0);
  }

  makeFrames() {                                       // all frames: stage, time step within it, caption
    const { data: d, T } = this, list = [];
    const push = (stage, at, words) => list.push({ stage, at, words });
    push(0, 0, `A recurrent network is one cell with a loop: the state it computes comes back at the next time step. Let us unroll it over ${T} steps.`);
    for (let t = 1; t <= T; t++)
      push(0, t, `Step ${t}: the cell mixes the input ${d.inputs[t - 1]} with the previous state through the same recurrent weights U. The coloured squares are its ${d.states[0].length} state values.`);
    push(1, T, `The last state goes through the output layer: the network predicts p = ${d.probability.toFixed(3)} for class 1.`);
    push(2, T, `The right answer is ${d.target}. The loss is −ln(${d.target ? 'p' : '1 − p'}) = ${d.loss.toFixed(3)}: the number that training makes smaller.`);
    for (let t = T; t >= 1; t--)
      push(3, t, t === T ? `Now backwards. At the last step the gradient of the loss has size ${size(d.norms[T - 1])}.`
        : `One step back, through U again: size ${size(d.norms[t - 1])}, which is ${size(d.norms[t - 1] / d.norms[t])} times the size at step ${t + 1}.`);
    for (let t = T; t >= 1; t--)
      push(4, t, d.share_norms[t - 1] ? `Step ${t} contributes its own gradient of U, of size ${size(d.share_norms[t - 1])}. All steps share one U, so the contributions are added.`
        : `Step ${t} contributes nothing to the gradient of U: the state that U multiplied there was still zero.`);
    push(4, 0, `The sum has size ${size(d.total_norm)}. U moves against it: U ← U − ${d.learning_rate} · sum. ` + this.verdict());
    return list;
  }

  verdict() {
    const { norms } = this.data, ratio = norms[0] / norms[this.T - 1];
    if (ratio < 0.1) return `At step 1 the gradient has only ${size(ratio)} of its size at the last step: it has nearly vanished.`;
    if (ratio > 10) return `At step 1 the gradient is ${size(ratio)} times as large as at the last step: it explodes.`;
    return `At step 1 the gradient has ${size(ratio)} of its size at the last step.`;
  }

  build() {
    const { root, data: d, T } = this, W = LEFT + T * STEP + 250;
    this.chips = document.createElement('div'); this.chips.className = 'stages'; root.appendChild(this.chips);
    this.stageButtons = d.stages.map((name, n) => button(`${n + 1} ${name}`, `Stage ${n + 1}: ${name}`, () => this.jump(n), this.chips));
    const scroller = document.createElement('div'); scroller.className = 'scene'; root.appendChild(scroller);
    this.scroller = scroller;
    const svg = this.svg = add('svg', { viewBox: `0 0 ${W} ${TALL}`, role: 'img', 'aria-label': d.alt }, scroller);
    svg.style.minWidth = `${W * 0.72}px`;
    const heads = add('defs', {}, svg);
    for (const kind of ['forward', 'backward']) {
      const wide = kind === 'forward' ? 9 : 14;
      const marker = add('marker', { id: `${d.id}-${kind}`, viewBox: '0 0 10 10', refX: kind === 'forward' ? 9 : 3, refY: 5, markerWidth: wide, markerHeight: wide, markerUnits: 'userSpaceOnUse', orient: 'auto' }, heads);
      add('path', { d: 'M0 0L10 5L0 10z', class: kind }, marker);
    }
    this.loop = add('path', { d: `M${LEFT + CELL} ${TOP + 20}c46 -10 40 -76 -43 -76s-89 66 -46 76`, class: 'line', 'marker-end': `url(#${d.id}-forward)` }, svg);
    this.cells = d.inputs.map((_, n) => this.cell(svg, n));
    this.head(svg, LEFT + T * STEP + 10);
    this.total(svg, LEFT + T * STEP + 10);
    this.caption = document.createElement('p'); this.caption.className = 'words'; this.caption.setAttribute('aria-live', 'polite'); root.appendChild(this.caption);
    const bar = document.createElement('div'); bar.className = 'bar'; root.appendChild(bar);
    button('|◀', 'Back to the start', () => this.go(0), bar);
    button('◀', 'One step back (left arrow)', () => this.go(this.frame - 1), bar);
    this.playButton = button('▶ Play', 'Play or pause (space)', () => this.toggle(), bar);
    button('▶|', 'One step on (right arrow)', () => this.go(this.frame + 1), bar);
    this.range = document.createElement('input');
    Object.assign(this.range, { type: 'range', min: 0, max: this.frames.length - 1, value: 0, oninput: () => this.go(+this.range.value) });
    this.range.setAttribute('aria-label', 'Position in the animation'); bar.appendChild(this.range);
    root.tabIndex = 0;
    root.onkeydown = (event) => {
      if (event.target !== root) return;
      const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (move) this.go(this.frame + move); else if (event.key === ' ') this.toggle(); else return;
      event.preventDefault();
    };
  }

  cell(svg, n) {
    const { data: d } = this, x = LEFT + n * STEP, middle = x + CELL / 2;
    const group = add('g', { class: 'cell' }, svg), back = add('g', { class: 'back' }, svg), share = add('g', { class: 'share' }, svg);
    const from = n ? x - STEP + CELL : x - 40;
    add('path', { d: `M${from} ${TOP + 36}H${x - 2}`, class: 'line', 'marker-end': `url(#${d.id}-forward)` }, group);
    add('text', { x: (from + x) / 2 - 2, y: TOP + 28, class: 'weight' }, group, n ? 'U' : '0');
    add('rect', { x, y: TOP, width: CELL, height: 72, rx: 12, class: 'box' }, group);
    add('text', { x: middle, y: TOP + 20, class: 'small' }, group, `state ${n + 1}`);
    const values = d.states[n], side = Math.min((CELL - 16) / values.length, 17), start = middle - side * values.length / 2;
    values.forEach((value, k) => add('rect', { x: start + k * side, y: TOP + 34, width: side - 2, height: 22, rx: 2, ...tint(value, 1, d.scale) }, group));
    add('path', { d: `M${middle} ${INPUT - 16}V${TOP + 74}`, class: 'line', 'marker-end': `url(#${d.id}-forward)` }, group);
    add('text', { x: middle, y: INPUT + 4, class: 'input' }, group, d.inputs[n]);
    const wide = this.width(d.norms[n]), y = TOP - 22;
    if (n < this.T - 1) add('path', { d: `M${x + STEP + CELL / 2} ${y}H${middle + 10 + wide}`, class: 'flow', 'stroke-width': wide, 'marker-end': `url(#${d.id}-backward)` }, back);
    add('circle', { cx: middle, cy: y, r: 3 + wide, class: 'drop' }, back);
    add('text', { x: middle, y: y - 24, class: 'number' }, back, size(d.norms[n]));
    matrix(share, d.shares[n], middle, SHARES, STEP - 16, d.largest_share, d.scale);
    add('text', { x: middle, y: SHARES + 96, class: 'small' }, share, size(d.share_norms[n]));
    return { group, back, share };
  }

  width(norm) {                                    // 9 pixels for the largest, 3 less for each power of ten below it, at least 1
    const top = Math.max(...this.data.norms);
    return norm > 0 && top > 0 ? Math.max(1, 9 + 3 * Math.log10(norm / top)) : 0.5;
  }

  head(svg, x) {
    const { data: d } = this, from = LEFT + (this.T - 1) * STEP + CELL;
    this.predict = add('g', {}, svg); this.loss = add('g', {}, svg);
    add('path', { d: `M${from} ${TOP + 36}H${x + 20}`, class: 'line', 'marker-end': `url(#${d.id}-forward)` }, this.predict);
    add('circle', { cx: x + 52, cy: TOP + 36, r: 32, class: 'box' }, this.predict);
    add('text', { x: x + 52, y: TOP + 33, class: 'small' }, this.predict, 'p =');
    add('text', { x: x + 52, y: TOP + 50, class: 'number' }, this.predict, d.probability.toFixed(2));
    add('text', { x: x + 160, y: TOP + 22, class: 'small' }, this.loss, `right answer: ${d.target}`);
    add('text', { x: x + 160, y: TOP + 46, class: 'number' }, this.loss, `loss ${d.loss.toFixed(3)}`);
  }

  total(svg, x) {
    const { data: d } = this;
    this.sum = add('g', {}, svg);
    add('text', { x: x + 2, y: SHARES + 46, class: 'equals' }, this.sum, '=');
    matrix(this.sum, d.total, x + 78, SHARES, 130, d.largest_total, d.scale);
    add('text', { x: x + 88, y: SHARES + 96, class: 'small' }, this.sum, `sum over steps: ${size(d.total_norm)}`);
    this.update = add('text', { x: x + 88, y: SHARES + 118, class: 'number' }, svg, 'U ← U − η · sum');
  }

  show(frame) {
    this.frame = Math.max(0, Math.min(this.frames.length - 1, frame));
    const { stage, at, words } = this.frames[this.frame], T = this.T;
    this.cells.forEach(({ group, back, share }, n) => {
      const t = n + 1, here = at === t;
      group.style.opacity = stage > 0 || t <= at ? (stage === 4 ? 0.55 : 1) : (at === 0 && t === 1 ? 1 : 0.08);
      back.style.opacity = stage > 3 || (stage === 3 && t >= at) ? 1 : 0;
      share.style.opacity = stage === 4 && t >= at ? 1 : 0;
      group.classList.toggle('here', here && stage < 4); back.classList.toggle('here', here && stage === 3); share.classList.toggle('here', here);
    });
    this.loop.style.opacity = stage === 0 && at === 0 ? 1 : 0;
    this.predict.style.opacity = stage >= 1 ? 1 : 0; this.loss.style.opacity = stage >= 2 ? 1 : 0;
    this.sum.style.opacity = this.update.style.opacity = stage === 4 && at === 0 ? 1 : 0;
    this.stageButtons.forEach((node, n) => node.classList.toggle('on', n === stage));
    this.caption.textContent = words;
    this.range.value = this.frame;
    this.root.dataset.frame = this.frame; this.root.dataset.stage = stage;
    const spare = this.scroller.scrollWidth - this.scroller.clientWidth;
    if (spare > 4) this.scroller.scrollLeft = spare * (at === 0 ? (stage ? 1 : 0) : stage === 1 || stage === 2 ? 1 : (at - 1) / Math.max(1, T - 1));
  }

  go(frame) { this.pause(); this.show(frame); }
  jump(stage) { this.go(this.frames.findIndex((item) => item.stage === stage)); }
  pause() { clearTimeout(this.timer); this.timer = null; this.playButton.textContent = '▶ Play'; }
  toggle() {
    if (this.timer) return this.pause();
    if (this.frame === this.frames.length - 1) this.show(0);
    this.playButton.textContent = '❚❚ Pause';
    const next = () => {
      if (this.frame === this.frames.length - 1) return this.pause();
      const from = this.frames[this.frame].stage;
      this.show(this.frame + 1);
      this.timer = setTimeout(next, this.frames[this.frame].stage !== from ? 2600 : from === 0 ? 900 : 1250);
    };
    this.timer = setTimeout(next, 250);
  }
}

export function draw({ data, parentElement }) {
  let host = parentElement.querySelector('.bptt');
  if (!host) {
    host = document.createElement('div');
    host.className = 'bptt'; parentElement.appendChild(host);
  }
  host.style.setProperty('--flow', data.flow);
  const before = players.get(host);
  if (before?.data.rev !== data.rev) {
    before?.pause();
    players.set(host, new Player(host, data));
  }
  return () => players.get(host)?.pause();
}
