// The strip's words: the cell of one unit at one step with its numbers, its table of numbers, and the stages of playing; and the helpers that strip.js shares.
export const FORWARD = 1, LOSS = 1.5, BACK = 2.5, UPDATE = 3.1;      // where each stage of playing ends

export const element = (name, attributes = {}, parent, text) => {
  const node = document.createElement(name);
  for (const key in attributes) node.setAttribute(key, attributes[key]);
  if (text !== undefined) node.textContent = text;
  parent?.appendChild(node);
  return node;
};
export const number = (value) => {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'not a number' : value > 0 ? 'overflow' : '−overflow';
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 10000)) {
    const [digits, power] = value.toExponential(0).split('e');
    return `${digits} · 10${[...String(+power)].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[digit] ?? '⁻').join('')}`.replace('-', '−');
  }
  return value.toFixed(size < 0.1 && size ? 3 : size < 100 ? 2 : 0).replace('-', '−');
};
export const share = (log) => {                                              // of the last step's gradient
  if (Number.isNaN(log)) return 'not a number';
  if (log < -390) return '0 %';
  return log > 300 ? 'overflow' : log > 1 ? `× ${number(10 ** log)}` : `${number(100 * 10 ** log)} %`;
};

// Lines of [name, value] terms and signs between them.
function equations(row, t, unit) {                                            // lines of [name, value] terms and signs between them
  const at = (array, when = t) => when < 0 ? 0 : array.values[when * array.shape[1] + unit], g = row.gates, h = row.states.h, act = row.activation;
  if (!Object.keys(g).length || unit >= Object.values(g)[0].shape[1]) return [[['h, this unit', at(h)]], ['The terms are here for the units with the largest influence.']];
  const squash = { tanh: Math.tanh, relu: (a) => Math.max(0, a), sigmoid: (a) => 1 / (1 + Math.exp(-a)), linear: (a) => a }[act] ?? (() => NaN);
  if (row.cell === 'lstm') {
    const c = row.states.c, kept = at(g.forget) * at(c, t - 1), added = at(g.input) * at(g.cell);
    return [[['forget gate f', at(g.forget)], '×', ['c before', at(c, t - 1)], '=', ['kept', kept]],
      [['input gate i', at(g.input)], '×', ['candidate g', at(g.cell)], '=', ['added', added]],
      [['kept', kept], '+', ['added', added], '=', ['c now', at(c)]],
      [['output gate o', at(g.output)], '×', [`${act}(c)`, squash(at(c))], '=', ['h now', at(h)]]];
  }
  if (row.cell === 'gru') {
    const z = at(g.update), kept = z * at(h, t - 1), added = (1 - z) * at(g.candidate);
    return [[['reset gate r', at(g.reset)], 'of the state before goes into', ['candidate g', at(g.candidate)]],
      [['update gate z', z], '×', ['h before', at(h, t - 1)], '=', ['kept', kept]],
      [['1 − z', 1 - z], '×', ['candidate g', at(g.candidate)], '=', ['added', added]],
      [['kept', kept], '+', ['added', added], '=', ['h now', at(h)]]];
  }
  if (row.cell === 'simple_rnn') {
    const sum = at(g.input) + at(g.state);
    return [[['from the input, x W + b', at(g.input)], '+', ['from the state before, h U', at(g.state)], '=', ['sum', sum]], [`${act} of`, ['sum', sum], '=', ['h now', at(h)]]];
  }
  return Object.entries(row.states).map(([name, values]) => [[name, at(values)]]);
}

function term(parent, [name, value]) {
  const node = element('span', { class: 'term' }, parent);
  element('b', {}, node, number(value));
  element('small', {}, node, name);
}

export function showCell(box, row, t, unit, closed) {
  box.replaceChildren();
  element('button', { type: 'button', class: 'close', title: 'Close', 'aria-label': 'Close' }, box, '×').onclick = closed;
  const head = element('div', { class: 'head' }, box);
  element('b', {}, head, row.name).style.color = row.colour;
  element('span', {}, head, `, unit ${row.units[unit]}, step ${t + 1}`);
  equations(row, t, unit).forEach((parts, n) => {
    const line = element('div', { class: 'equation' }, box);
    line.style.animationDelay = `${n * 0.35}s`;
    parts.forEach((part) => typeof part === 'string' ? element('span', { class: 'sign' }, line, part) : term(line, part));
  });
  box.hidden = false;
}

// What happens at a moment of playing.
export function stageWords(progress, rows) {
  const value = (row, what) => row.kind === 'probability' ? `${Math.round(100 * what)} %` : number(what), [first] = rows;
  if (progress < FORWARD) return '1 Forward: each step makes a new state from its input and the state before.';
  if (progress < LOSS) return `2 Loss: ${rows.map((row) => `the ${row.name} answers ${value(row, row.answers.values.at(-1))}`).join(', ')}${first.right === null ? '' : `; right is ${value(first, first.right)}`}.`;
  if (progress < BACK) return '3 Back: how much the answer depends on the state at each step, from the last to the first.';
  return '4 Update: the gradient of the weights is a sum over the steps. Where the ribbon is thin, a step adds almost nothing.';
}

// Step, input, and each row's answer and gradient, as a table.
export function showTable(box, data) {
  box.replaceChildren();
  const table = element('table', {}, box), head = element('tr', {}, element('thead', {}, table)), body = element('tbody', {}, table);
  const columns = data.ribbon ? ['answer', 'gradient, of the last step’s'] : ['answer'];
  for (const name of ['Step', 'Input', ...data.rows.flatMap((row) => columns.map((what) => `${row.name} ${row.label} ${what}`))]) element('th', { scope: 'col' }, head, name);
  for (let t = 0; t < data.steps; t++) {
    const line = element('tr', {}, body);
    element('th', { scope: 'row' }, line, String(t + 1));
    element('td', {}, line, data.words ? data.words[t] : data.values ? number(data.values.values[t]) : '');
    for (const row of data.rows) {
      element('td', {}, line, row.answers.values.length > 1 ? number(row.answers.values[t]) : t + 1 === data.steps ? number(row.answers.values[0]) : '');
      if (data.ribbon) element('td', {}, line, share(row.gradient.values[t]));
    }
  }
}

// The header of packed bytes, with its arrays.
const TYPES = { int8: [Int8Array, 127], int16: [Int16Array, 32767], float32: [Float32Array, 1] };
export function unpack(bytes) {
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const length = new DataView(buffer).getUint32(0, true), start = 4 + length;
  const array = ({ at, shape, type, scale }) => {
    const [Stored, largest] = TYPES[type], count = shape.reduce((product, size) => product * size, 1);
    const stored = new Stored(buffer.slice(start + at, start + at + count * Stored.BYTES_PER_ELEMENT));
    return { shape, largest: scale, values: type === 'float32' ? stored : Float32Array.from(stored, (value) => value / largest * scale) };
  };
  return JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)), (_, value) => value?.shape ? array(value) : value);
}
