// A Plotly figure that is updated in place. Streamlit calls `draw` at every redraw with the same parentElement, so zoom,
// legend choices and the DOM node are kept. User text is only rendered by Plotly, which escapes it.

const here = new URL(".", import.meta.url);
let held = false; // whether a mouse button is down
for (const [name, down] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false]]) {
  window.addEventListener(name, () => { held = down; }, true);
}
const hosts = new WeakMap(); // parentElement → the div that Plotly draws into
let queue = Promise.resolve(); // resolves when all queued charts are drawn

function plotly() {
  return (window.unrolledPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("plotly.min.js", here);
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("plotly.min.js did not load"));
    document.head.appendChild(script);
  }));
}

function host(parent) {
  let div = hosts.get(parent);
  if (!div) {
    div = document.createElement("div");
    div.className = "unrolled-chart";
    div.setAttribute("role", "img");
    parent.appendChild(div);
    hosts.set(parent, div);
    const widthChanged = () => div.offsetWidth && Math.abs(div.offsetWidth - (div.drawnWidth ?? 0)) > 1;
    div.watcher = new ResizeObserver(() => widthChanged() && enqueue(div, widthChanged));
    div.watcher.observe(div);
  }
  return div;
}

function themed(layout, div, rev) {
  const style = getComputedStyle(div);
  const value = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  const ink = value("--st-text-color", "#1F2328");
  const paper = value("--st-background-color", "#FFFFFF");
  const box = { bgcolor: paper, bordercolor: value("--st-border-color", "#808080"), font: { color: ink } };
  return {
    ...layout,
    uirevision: rev,
    autosize: true,
    font: { color: ink, family: value("--st-font", "sans-serif"), size: 13, ...layout.font },
    hoverlabel: { align: "left", ...box, ...layout.hoverlabel },
    modebar: { bgcolor: paper, color: "rgba(128,128,128,0.8)", activecolor: ink },
  };
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function picture(div, format) {
  const P = await plotly();
  const paper = getComputedStyle(div).getPropertyValue("--st-background-color").trim() || "#FFFFFF";
  const layout = { ...div.layout, paper_bgcolor: paper, plot_bgcolor: paper };
  const size = { width: div.offsetWidth, height: div.offsetHeight, scale: 2 };
  const url = await P.toImage({ data: div.data, layout }, { format, ...size });
  save(await (await fetch(url)).blob(), `${div.fileName}.${format}`);
}

async function page(div) {
  const paper = getComputedStyle(div).getPropertyValue("--st-background-color").trim() || "#FFFFFF";
  const layout = { ...div.layout, paper_bgcolor: paper, plot_bgcolor: paper };
  const library = await (await fetch(new URL("plotly.min.js", here))).text();
  const whole = { data: div.data, layout, frames: div.wanted.figure.frames ?? [], config: { responsive: true, displaylogo: false } };
  const spec = JSON.stringify(whole).replaceAll("<", "\\u003c");
  const script = library.replaceAll("</script", "<\\/script");
  const html = `<!doctype html><meta charset="utf-8"><title>Unrolled</title><body style="margin:0;background:${paper}"><div id="f"></div>
<script>${script}</script><script>Plotly.newPlot("f",${spec})</script></body>`;
  save(new Blob([html], { type: "text/html" }), `${div.fileName}.html`);
}

// Plotly draws icons one letter wide and colours only their paths: text icons need a width and a colour. Text inside a plot
// gets an outline in the page's colour, so that it is legible over lines.
const style = document.createElement("style");
style.textContent = '.unrolled-chart .modebar-btn svg[viewBox="0 0 34 16"] { width: 2em; overflow: visible; fill: var(--st-text-color); opacity: 0.7; } .unrolled-chart .modebar-btn:hover svg { opacity: 1; } .unrolled-chart .textpoint text { paint-order: stroke; stroke: var(--st-background-color); stroke-width: 3px; stroke-linejoin: round; }';
document.head.appendChild(style);

const label = (text) => ({
  width: 1000, height: 1000,
  svg: `<svg viewBox="0 0 34 16" xmlns="http://www.w3.org/2000/svg"><text x="17" y="13" font-size="13" text-anchor="middle" font-family="sans-serif">${text}</text></svg>`,
});

const CONFIG = {
  displaylogo: false,
  responsive: false, // the ResizeObserver resizes charts, also when the sidebar opens
  showSendToCloud: false,
  modeBarButtonsToRemove: ["toImage", "sendChartToCloud", "lasso2d", "select2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
  modeBarButtonsToAdd: [
    { name: "PNG", title: "Save as PNG", icon: label("PNG"), click: (div) => picture(div, "png") },
    { name: "SVG", title: "Save as SVG", icon: label("SVG"), click: (div) => picture(div, "svg") },
    { name: "HTML", title: "Save as a page that works offline", icon: label("HTML"), click: (div) => page(div) },
  ],
};

// On a narrow screen a legend takes several lines. The figure then gets higher by the height that they need, so that they do
// not cover the title or make the plot smaller.
const TITLE = 32, GAP = 8; // pixels: height of the title, and space above the legend

function extraHeight(div, layout) {
  const lines = div.querySelector(".legend .scrollbox")?.getBBox().height ?? 0;
  const needed = lines ? lines + GAP + (layout.title?.text ? TITLE : 0) : 0;
  return Math.max(0, Math.ceil(needed - (layout.margin?.t ?? 0)));
}

function withExtraHeight(layout, extra) {
  return extra ? { ...layout, height: layout.height + extra, margin: { ...layout.margin, t: layout.margin.t + extra } } : layout;
}

// Plotly rejects a promise, with no reason, when a pause interrupts an animation. That is no error.
window.addEventListener("unhandledrejection", (event) => {
  if (event.reason === undefined) event.preventDefault();
});

// The frames of an animation fit the figure that it began with: on another one Plotly fails at each of them.
async function stopAnimation(P, div) {
  if (!div._transitionData?._frames?.length) return;
  const now = { mode: "immediate", frame: { duration: 0, redraw: false }, transition: { duration: 0 } };
  await P.animate(div, [null], now).catch(() => null);
}

async function redraw(div) {
  const P = await plotly();
  if (!div.wanted || !div.isConnected) return;
  const { figure, rev } = div.wanted;
  div.drawnWidth = div.offsetWidth;
  await stopAnimation(P, div);
  // Plotly modifies its arguments, so every drawing gets a copy.
  const draw = () => {
    const copy = structuredClone(figure);
    const layout = withExtraHeight({ ...themed(copy.layout, div, rev), width: div.offsetWidth || undefined }, div.extraHeight ?? 0);
    return P.react(div, { data: copy.data, layout, config: CONFIG, frames: copy.frames ?? [] });
  };
  await draw();
  const extra = extraHeight(div, figure.layout);
  if (extra !== (div.extraHeight ?? 0)) {
    div.extraHeight = extra; // kept between redraws, so that only the first one and a change of width draw twice
    await draw();
  }
  if (!div.listening && div.on) {
    div.listening = true;
    div.on("plotly_click", ({ points }) => {
      const point = points[0];
      div.clicked?.({ curve: point.curveNumber, point: point.pointNumber, x: point.x, y: point.y, data: point.customdata ?? null });
    });
  }
}

// Most redraws change only some of a page's charts. Charts with the same bytes and colours are not drawn again.
function unchanged(div, text) {
  const style = getComputedStyle(div);
  const drawn = ["--st-text-color", "--st-background-color"].map((name) => style.getPropertyValue(name)).join() + text;
  const same = div.drawn === drawn;
  div.drawn = drawn;
  return same;
}

export function draw({ data, parentElement, setTriggerValue }) {
  if (!data) return void plotly(); // loads Plotly before the first chart
  const div = host(parentElement);
  const text = new TextDecoder().decode(data);
  if (!unchanged(div, text)) show(div, JSON.parse(text));
  div.clicked = div.wanted.clickable ? (value) => setTriggerValue("click", value) : null;
  return () => setTimeout(() => remove(div, parentElement));
}

// Streamlit may call the clean-up and draw again in the same element, so only a chart that has left the page is removed.
function remove(div, parent) {
  if (div.isConnected) return;
  div.watcher.disconnect();
  hosts.delete(parent);
  const purge = () => {
    window.Plotly?.purge(div);
    div.remove();
  };
  // Plotly answers the mouse until its button is released, also over a chart that has left the page.
  if (held) window.addEventListener("pointerup", () => setTimeout(purge), { once: true, capture: true });
  else purge();
}

function show(div, wanted) {
  div.wanted = wanted;
  div.fileName = div.dataset.name = wanted.name;
  div.style.minHeight = `${wanted.figure.layout.height ?? 340}px`; // keeps the space free until Plotly is loaded, so that nothing moves
  div.setAttribute("aria-label", wanted.alt);
  enqueue(div, () => div.wanted === wanted); // if redraws arrive faster than the browser draws, only the newest is drawn
}

// Draws one chart after the other, because Plotly cannot draw the same figure twice at once. The timeout between them lets the
// browser show the first chart and scroll before all are drawn.
function enqueue(div, needed) {
  queue = queue.then(() => (needed() ? redraw(div) : null)).catch((error) => {
    if (!div.data) div.textContent = `The chart could not be drawn: ${error.message}`;
  }).then(() => new Promise((resolve) => setTimeout(resolve)));
}
