// Painting of the strip: states, inputs and gradients on a canvas.
export const INPUTS = 38;                                           // pixels of the inputs' height
const HALF = 11;                                                    // of the ribbon at the last step
const FAINT = -2;                                                   // log10 of 1 %: below it the ribbon is a thin line

// 255 colours of the scale: −1 … 1.
export function colours(stops) {                                            // 255 colours of the scale: −1 … 1
  const parsed = stops.map((stop) => [1, 3, 5].map((at) => parseInt(stop.slice(at, at + 2), 16)));
  return Array.from({ length: 255 }, (_, n) => {
    const place = n / 254 * (parsed.length - 1), low = Math.min(Math.floor(place), parsed.length - 2);
    return parsed[low].map((value, channel) => value + (parsed[low + 1][channel] - value) * (place - low));
  });
}

// The states as an image of T × units pixels.
export function carpet(states, units, scale) {
  const [T, all] = states.shape;
  const image = new OffscreenCanvas(T, units), context = image.getContext('2d'), pixels = context.createImageData(T, units);
  for (let t = 0; t < T; t++) for (let unit = 0; unit < units; unit++) {
    const value = states.values[t * all + unit] / (states.largest || 1), at = 4 * (unit * T + t);
    const [red, green, blue] = scale[Math.round((Math.max(-1, Math.min(1, value)) + 1) * 127)] ?? [128, 128, 128];
    pixels.data.set([red, green, blue, 255], at);
  }
  context.putImageData(pixels, 0, 0);
  return image;
}

// Numbers as dots, those that the task asks for larger.
export function paintInputs(context, { values, marked }, step) {
  const low = Math.min(...values.values), range = Math.max(...values.values) - low || 1;
  context.fillStyle = '#808080';
  values.values.forEach((value, t) => {
    context.beginPath();
    context.arc((t + 0.5) * step, INPUTS - 8 - 18 * (value - low) / range, marked.includes(t) ? 5 : Math.min(2.2, step / 2), 0, 7);
    context.fill();
  });
}

// Few steps: one block per step, and an arrow to the next.
export function paintBlocks(context, image, at, shown, { T, step }) {
  const wide = step * 0.62, high = at.bottom - at.top, middle = (at.top + at.bottom) / 2;
  for (let t = 0; t < shown; t++) {
    const x = t * step + (step - wide) / 2;
    context.drawImage(image, t, 0, 1, at.units, x, at.top, wide, high);
    context.strokeStyle = '#808080'; context.lineWidth = 1.5; context.strokeRect(x, at.top, wide, high);
    if (t + 1 === T) continue;
    const from = x + wide + 3, to = x + step - 3;
    context.beginPath(); context.moveTo(from, middle); context.lineTo(to, middle); context.moveTo(to - 6, middle - 4); context.lineTo(to, middle); context.lineTo(to - 6, middle + 4); context.stroke();
  }
}

// The gradient, from the last step to `back`: as thick as its size relative to the last step's, on a log scale over two decades.
export function paintRibbon(context, row, at, back, { T, step }) {
  const logs = row.gradient.values, half = (log) => Number.isNaN(log) ? 2 * HALF : HALF * Math.min(2, 1 + log / 2);
  context.strokeStyle = row.colour; context.fillStyle = row.colour;
  context.globalAlpha = 0.45; context.lineWidth = 1; context.beginPath();
  context.moveTo(T * step, at.ribbon); context.lineTo(back * step, at.ribbon); context.stroke();
  context.globalAlpha = 1;
  for (let end = T - 1; end >= back; end--) {
    if (logs[end] < FAINT) continue;
    let start = end;
    while (start > back && !(logs[start - 1] < FAINT)) start--;
    context.beginPath();
    for (let t = end; t >= start; t--) context.lineTo((t + (t === end ? 1 : 0.5)) * step, at.ribbon - half(logs[t]));
    if (start > 0) context.lineTo(start * step, at.ribbon); else context.lineTo(0, at.ribbon - half(logs[0]));
    if (start === 0) context.lineTo(0, at.ribbon + half(logs[0]));
    for (let t = start; t <= end; t++) context.lineTo((t + (t === end ? 1 : 0.5)) * step, at.ribbon + half(logs[t]));
    context.fill();
    end = start;
  }
}

// In the ribbon's place: the answer so far as a line over the steps, probabilities from 0 (below) to 1, with one half dashed.
export function paintAnswers(context, row, at, shown, { T, step }) {
  const all = [...row.answers.values], probability = row.kind === 'probability', low = probability ? 0 : Math.min(...all), high = probability ? 1 : Math.max(...all);
  const y = (value) => at.ribbon + at.half * (1 - 2 * (value - low) / (high - low || 1)), x = (t) => (t + 0.5) * step;
  if (all.length < T) return;
  context.strokeStyle = '#808080'; context.lineWidth = 1; context.setLineDash([4, 4]);
  context.beginPath(); context.moveTo(0, at.ribbon); context.lineTo(T * step, at.ribbon); context.stroke();
  context.setLineDash([]);
  context.strokeStyle = context.fillStyle = row.colour; context.lineWidth = 3;
  context.beginPath(); for (let t = 0; t < shown; t++) context.lineTo(x(t), y(all[t])); context.stroke();
  for (let t = 0; t < shown; t++) { context.beginPath(); context.arc(x(t), y(all[t]), Math.min(5, step / 3), 0, 7); context.fill(); }
}
