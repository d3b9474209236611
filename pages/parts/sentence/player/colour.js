// Colours of the theme. Every scale starts at the page's background colour, in light and dark.
const pixel = typeof document === "undefined" ? null : document.createElement("canvas").getContext("2d", { willReadFrequently: true });

function rgb(css) {
  pixel.fillStyle = "#808080";
  pixel.fillStyle = css.trim() || "#808080";
  pixel.fillRect(0, 0, 1, 1);
  return [...pixel.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

const mix = (from, to, share) => from.map((value, n) => Math.round(value + (to[n] - value) * share));
const css = (colour, alpha = 1) => `rgba(${colour.join(",")},${alpha})`;

function themeOf(element, colours) {
  const style = getComputedStyle(element);
  const read = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  const text = rgb(read("--st-text-color", "#222"));
  const back = rgb(read("--st-background-color", "#fff"));
  return {
    text, back, faint: mix(back, text, 0.14), quiet: mix(back, text, 0.62),
    accent: rgb(read("--st-primary-color", "#c53948")),
    negative: rgb(colours.negative), positive: rgb(colours.positive),
    font: read("--st-font", "sans-serif"),
  };
}

// A colour scale of 256 [r, g, b] from `low` through `middle` to `high`.
function ramp(low, middle, high) {
  return Array.from({ length: 256 }, (_, n) => (n < 128 ? mix(middle, low, 1 - n / 127.5) : mix(middle, high, n / 127.5 - 1)));
}
