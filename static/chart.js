// One Plotly figure that is updated in place. Streamlit calls `draw` on every tick with the same parentElement, so zoom,
// legend choices and the DOM node survive. Everything user-made reaches the page through Plotly's own text rendering.

const here = new URL(".", import.meta.url);
const hosts = new WeakMap(); // parentElement → the div that Plotly draws into
let turn = Promise.resolve(); // when the next chart may be drawn

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
    const misfits = () => div.offsetWidth && Math.abs(div.offsetWidth - (div.drawnWidth ?? 0)) > 1;
    div.watcher = new ResizeObserver(() => misfits() && inTurn(div, misfits));
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

// Plotly draws icons one letter wide and colours only their paths: words need room and a colour of their own. Words inside a
// plot get an edge in the page's colour, so that a line behind them leaves them legible.
const words = document.createElement("style");
words.textContent = '.unrolled-chart .modebar-btn svg[viewBox="0 0 34 16"] { width: 2em; fill: var(--st-text-color); opacity: 0.7; } .unrolled-chart .modebar-btn:hover svg { opacity: 1; } .unrolled-chart .textpoint text { paint-order: stroke; stroke: var(--st-background-color); stroke-width: 3px; stroke-linejoin: round; }';
document.head.appendChild(words);

const label = (text) => ({
  width: 1000, height: 1000,
  svg: `<svg viewBox="0 0 34 16" xmlns="http://www.w3.org/2000/svg"><text x="17" y="13" font-size="13" text-anchor="middle" font-family="sans-serif">${text}</text></svg>`,
});

const CONFIG = {
  displaylogo: false,
  responsive: false, // the ResizeObserver does it, also when the sidebar opens
  showSendToCloud: false,
  modeBarButtonsToRemove: ["toImage", "sendChartToCloud", "lasso2d", "select2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
  modeBarButtonsToAdd: [
    { name: "PNG", title: "Save as PNG", icon: label("PNG"), click: (div) => picture(div, "png") },
    { name: "SVG", title: "Save as SVG", icon: label("SVG"), click: (div) => picture(div, "svg") },
    { name: "HTML", title: "Save as a page that works offline", icon: label("HTM"), click: (div) => page(div) },
  ],
};

// On a narrow screen a legend takes several lines. The figure then grows by what they need, so that they cover neither
// its title nor take from its plot.
const TITLE = 32, GAP = 8; // pixels above the legend

function missing(div, layout) {
  const lines = div.querySelector(".legend .scrollbox")?.getBBox().height ?? 0;
  const needed = lines ? lines + GAP + (layout.title?.text ? TITLE : 0) : 0;
  return Math.max(0, Math.ceil(needed - (layout.margin?.t ?? 0)));
}

function roomy(layout, room) {
  return room ? { ...layout, height: layout.height + room, margin: { ...layout.margin, t: layout.margin.t + room } } : layout;
}

// Plotly breaks its own promise, for no reason given, where a pause interrupts an animation: nothing is wrong then.
window.addEventListener("unhandledrejection", (event) => {
  if (event.reason === undefined) event.preventDefault();
});

async function redraw(div) {
  const P = await plotly();
  if (!div.wanted || !div.isConnected) return;
  const { figure, rev } = div.wanted;
  div.drawnWidth = div.offsetWidth;
  // Plotly changes what it is given, so every drawing gets its own copy.
  const draw = () => {
    const copy = structuredClone(figure);
    const layout = roomy({ ...themed(copy.layout, div, rev), width: div.offsetWidth || undefined }, div.room ?? 0);
    return P.react(div, { data: copy.data, layout, config: CONFIG, frames: copy.frames ?? [] });
  };
  await draw();
  const room = missing(div, figure.layout);
  if (room !== (div.room ?? 0)) {
    div.room = room; // kept between ticks: only the first drawing, or another width, is measured twice
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

// Most ticks change some of a page's charts. Those whose bytes and colours are as before are left alone.
function unchanged(div, text) {
  const style = getComputedStyle(div);
  const look = ["--st-text-color", "--st-background-color"].map((name) => style.getPropertyValue(name)).join() + text;
  const same = div.look === look;
  div.look = look;
  return same;
}

export function draw({ data, parentElement, setTriggerValue }) {
  if (!data) return void plotly(); // a page that will soon draw: fetched while its reader chooses
  const div = host(parentElement);
  const text = new TextDecoder().decode(data);
  if (!unchanged(div, text)) show(div, JSON.parse(text));
  div.clicked = div.wanted.clickable ? (value) => setTriggerValue("click", value) : null;
  return () => setTimeout(() => forget(div, parentElement));
}

// A busy browser lets Streamlit clean up and draw again in the same place: only a chart that left the page is forgotten.
function forget(div, parent) {
  if (div.isConnected) return;
  div.watcher.disconnect();
  hosts.delete(parent);
  window.Plotly?.purge(div);
  div.remove();
}

function show(div, wanted) {
  div.wanted = wanted;
  div.fileName = div.dataset.name = wanted.name;
  div.style.minHeight = `${wanted.figure.layout.height ?? 340}px`; // room is kept before Plotly arrives: nothing jumps
  div.setAttribute("aria-label", wanted.alt);
  inTurn(div, () => div.wanted === wanted); // ticks may arrive faster than a slow laptop draws: only the newest is drawn
}

// One drawing after the other, for Plotly cannot draw a figure twice at a time; with a breath in between, so that the first
// is seen, and the page scrolls, while the rest are still to come.
function inTurn(div, needed) {
  turn = turn.then(() => (needed() ? redraw(div) : null)).catch((error) => {
    if (!div.data) div.textContent = `The chart could not be drawn: ${error.message}`;
  }).then(() => new Promise((resolve) => setTimeout(resolve)));
}
