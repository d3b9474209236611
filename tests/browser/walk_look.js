// What the walker sees of a page in one look: its controls, and everything that must not be there. The nodes of the controls
// stay in window.walked, in the order of the list.
() => {
  const every = [];
  const descend = (node) => {
    for (const child of node.children) {
      every.push(child);
      if (child.shadowRoot) descend(child.shadowRoot);
      descend(child);
    }
  };
  descend(document.body);
  const closest = (node, selector) => { // through shadow roots
    for (let at = node; at; at = at.getRootNode().host) {
      const found = at.closest(selector);
      if (found) return found;
    }
    return null;
  };
  const shown = (node) => {
    const box = node.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && node.checkVisibility({ visibilityProperty: true });
  };
  const words = (node) => {
    const copy = (node.querySelector("[data-testid=stMarkdownContainer]") ?? node).cloneNode(true);
    copy.querySelectorAll("[data-testid=stIconMaterial], [role=img][translate=no], kbd, style, svg title").forEach((part) => part.remove());
    return copy.textContent.replace(/\s+/g, " ").trim();
  };
  const key = (node) => [...(closest(node, "[class*=st-key-]")?.classList ?? [])].find((name) => name.startsWith("st-key-"))?.slice(7) ?? "";

  // Streamlit's own: its header and menus, tooltips, a table's toolbar, the parts of a widget that its input stands for
  const FOREIGN = "[data-testid=stToolbar], [data-testid=stMainMenu], [data-testid=stSkipToContent], [data-testid=stTooltipIcon] [aria-label^='Help for'], [data-testid=stElementToolbar], [data-testid=stHeadingActionElements], [aria-label='Link to heading'], [data-testid=stStatusWidget], [aria-label=Dismiss], .plotly-notifier";
  const PARTS = "[data-testid=stSelectbox] button, [data-testid=stMultiSelect] button, [data-testid=stNumberInput] button, [data-testid=stFileUploader] button";
  const KINDS = [
    ["tab", "[role=tab]"], ["expander", "summary"], ["popover", "[data-testid=stPopoverButton], [data-testid=stPopover] > div > button"],
    ["choice", "[role=radio]"], ["link", "a[href]"], ["download", "[data-testid=stDownloadButton] button"], ["corner", ".modebar-btn"],
    ["copy", "[data-testid=stCodeCopyButton]"], ["slider", "input[type=range], [role=slider]"], ["multiselect", "[data-testid=stMultiSelect] input"],
    ["select", "[role=combobox]"], ["options", "select"], ["toggle", "input[type=checkbox]"], ["file", "input[type=file]"],
    ["number", "input[type=number]"], ["text", "textarea, input[type=text]"], ["button", "button"],
    ["word", ".sentence"], ["plot", "canvas[role=img]"], ["table", "[data-testid=stDataFrame]"], ["chart", ".unrolled-chart"],
    ["frame", ".unrolled-chart .updatemenu-button"], ["legend", ".unrolled-chart .legend"], ["moment", ".unrolled-chart .slider-container"],
  ];
  const label = (kind, node) => {
    if (kind === "chart") return key(node);
    if (kind === "legend" || kind === "moment") return "of a chart";
    if (kind === "corner") return node.getAttribute("data-title") ?? node.getAttribute("aria-label") ?? "";
    if (kind === "plot") return (node.getAttribute("aria-label") ?? "").replace(/,.*$/, "");
    if (kind === "table") return key(node) || "table";
    if (kind === "file") return words(node.closest("[data-testid=stFileUploader]")?.querySelector("[data-testid=stWidgetLabel]") ?? node) || "file";
    const group = kind === "choice" ? `${node.closest("[role=radiogroup]")?.getAttribute("aria-label") ?? ""}: ` : "";
    const named = node.getAttribute("aria-label") || words(node) || node.labels?.[0]?.textContent?.trim() || "";
    return group + (closest(node, "[data-testid=stExpandSidebarButton]") ? "Open sidebar" : named);
  };
  const dialog = every.find((node) => node.getAttribute("role") === "dialog" && node.closest("[data-testid=stDialog]"));
  const sidebar = document.querySelector("[data-testid=stSidebar]");
  const narrow = innerWidth < 500;
  const folded = sidebar?.dataset.collapsed === "true";
  const over = narrow && !folded ? sidebar : null;
  window.walked = [];
  const controls = [];
  for (const node of every) {
    const found = KINDS.find(([, selector]) => node.matches(selector));
    if (!found || (closest(node, FOREIGN) && !closest(node, "[data-testid=stExpandSidebarButton]")) || node.matches(PARTS) || (node.matches("a") && node.origin !== location.origin)) continue;
    const kind = found[0];
    if (node.closest("[data-testid=stDataFrame]") && kind !== "table") continue;
    if (kind === "chart" && !node.querySelector(".main-svg")) continue;
    const target = kind === "toggle" ? node.closest("label") ?? node : kind === "plot" ? node.nextElementSibling ?? node : node;
    if (kind !== "file" && !shown(target) || node.disabled || node.getAttribute("aria-disabled") === "true") continue;
    if ((dialog && !closest(node, "[data-testid=stDialog]")) || (over && !over.contains(node)) || (folded && sidebar.contains(node))) continue;
    window.walked.push(target);
    controls.push({
      kind, label: label(kind, node), key: key(node), own: kind === "button" || kind === "download" ? !!node.closest("[data-testid=stButton], [data-testid=stDownloadButton]") : false, href: node.href ?? "", sidebar: !!sidebar?.contains(node) || !!closest(node, "[data-testid=stExpandSidebarButton]"),
      inside: !!node.closest("[data-testid=stPopoverBody]"), chosen: node.getAttribute("aria-checked") === "true" || node.getAttribute("aria-selected") === "true",
    });
  }

  // Words that a program says and a page must not: as whole words, outside what a person chose, typed, or what is code.
  const EXCUSED = "label, code, pre, input, textarea, select, option, script, style, title, [role=option], [role=listbox], [role=radiogroup], [role=radio], [role=combobox], [data-testid=stSelectbox], [data-testid=stMultiSelect], [data-testid=stNumberInput], [data-testid=stTextInput], [data-testid=stCode], [data-testid=stText], [data-testid=stException], .sentence, .composer";
  const PROGRAM = /(?<![\w.])(NaN|nan|undefined|None(?! of\b)|Traceback)(?![\w])/;
  const slips = [];
  for (const node of every) {
    const own = [...node.childNodes].filter((part) => part.nodeType === 3).map((part) => part.data).join(" ");
    const found = PROGRAM.exec(own);
    if (!found || closest(node, EXCUSED) || !node.checkVisibility({ visibilityProperty: true })) continue;
    slips.push(`“${found[1]}” in “${own.replace(/\s+/g, " ").trim().slice(0, 160)}”`);
  }

  // Charts without a single point, where neither the chart nor what stands around it says why.
  const finite = (value, axis) => value !== null && value !== undefined && value !== "" && (typeof value !== "number" || (isFinite(value) && (axis?.type !== "log" || value > 0)));
  const filled = (trace, layout) => {
    if (trace.z && !trace.x?.length && !Array.isArray(trace.z) && !ArrayBuffer.isView(trace.z)) return true;
    if (trace.type === "heatmap" || trace.type === "contour") return Array.from(trace.z ?? []).some((row) => Array.from(row).some((value) => finite(value)));
    const columns = ["x", "y", "z"].filter((name) => trace[name]?.length);
    const axis = { x: layout[(trace.xaxis ?? "x").replace("x", "xaxis")], y: layout[(trace.yaxis ?? "y").replace("y", "yaxis")] };
    const length = Math.min(...columns.map((name) => trace[name].length));
    for (let n = 0; columns.length && n < length; n++) if (columns.every((name) => finite(trace[name][n], axis[name]))) return true;
    return !columns.length && !!(trace.values?.length || trace.r?.length);
  };
  const SAYS = /\b(no|not|nothing|none|yet|never|empty|zero|cannot|too)\b/i;
  const empty = every.filter((node) => node.matches(".unrolled-chart") && shown(node) && node._fullLayout && node.querySelector(".main-svg")).filter((node) => {
    if ((node._fullData ?? []).some((trace) => filled(trace, node._fullLayout))) return false;
    const around = closest(node, "[data-testid=stVerticalBlock]");
    const said = [...(around?.querySelectorAll("[data-testid=stAlert], [data-testid=stCaptionContainer]") ?? [])].some((part) => SAYS.test(part.textContent));
    return !said && !SAYS.test([...node.querySelectorAll(".annotation-text")].map((part) => part.textContent).join(" ")) && !document.querySelector("[data-testid=stMain] [data-testid=stAlert]");
  }).map(key);

  // Sideways: the page itself, or what Streamlit scrolls in its place.
  const pages = [document.documentElement, document.querySelector("[data-testid=stMain]")].filter((node) => narrow && node && node.scrollWidth > node.clientWidth + 1);
  const scrolls = (node) => { for (let at = node.parentElement; at && !at.matches("[data-testid=stMain]"); at = at.parentElement) if (getComputedStyle(at).overflowX !== "visible") return true; return false; };
  const wide = pages.length ? every.filter((node) => closest(node, "[data-testid=stMain]") && shown(node) && node.getBoundingClientRect().right > innerWidth + 1 && !scrolls(node)) : [];
  const widest = wide.slice(-1)[0];

  const boxes = every.filter((node) => node.matches("[data-testid=stException]")).map((node) => node.innerText.trim().slice(0, 600));
  const body = document.body.innerText;
  return {
    controls, slips, empty, boxes,
    broken: /encountered an error/.test(body) ? body.slice(Math.max(0, body.search("encountered an error") - 100)).slice(0, 300) : "",
    wide: pages.length ? `${pages[0].scrollWidth} px on ${pages[0].clientWidth}: ${widest ? `${key(widest)} ${widest.tagName.toLowerCase()} ${widest.dataset.testid ?? widest.className.baseVal ?? widest.className}` : "?"}` : "",
  };
}
