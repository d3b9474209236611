// Buttons, slider and choices. Icons are text with an accessible name; the slider is an <input>, with the browser's keys.
const SPEEDS = [[1, "1 token/s"], ...[3, 8, 20, 60].map((speed) => [speed, `${speed} tokens/s`])];

class Transport {
  constructor(player) {
    this.player = player;
    this.element = make("div", { class: "transport", role: "toolbar", "aria-label": "Player" });
    const button = (label, sign, action) => {
      const made = make("button", { type: "button", "aria-label": label, title: label });
      made.textContent = sign;
      made.onclick = action;
      this.element.append(made);
      return made;
    };
    button("To the first token", "⇤", () => player.go(0));
    button("One token back", "‹", () => player.go(player.step - 1));
    this.play = button("Play", "Play", () => player.toggle());
    this.play.classList.add("main");
    button("One token on", "›", () => player.go(player.step + 1));
    button("To the end", "⇥", () => player.go(player.steps - 1));
    this.slider = make("input", { type: "range", min: 0, max: player.steps - 1, step: 1, "aria-label": "Token" });
    this.slider.oninput = () => player.go(Number(this.slider.value));
    this.count = make("span", { class: "count" });
    this.element.append(this.slider, this.count);
    this.choice("Speed", SPEEDS, player.speed, (value) => { player.speed = Number(value); });
    this.choices = make("div", { class: "choices" });
    this.build();
  }

  build() {
    const { player } = this;
    const quantities = Object.entries(player.quantities);
    this.choice("Words show", quantities, player.quantity, (value) => player.set({ quantity: value }), this.choices);
    if (player.panels.length > 1) this.choice("of", player.panels.map((panel, n) => [n, panel.title]), player.panels.indexOf(player.focus), (value) => player.set({ focus: player.panels[value] }), this.choices);
    const legend = make("span", { class: "legend" });
    for (const sign of ["positive", "negative"]) {
      const mark = make("span", { class: "mark" });
      mark.style.background = player.colours[sign];
      legend.append(mark, ` ${sign} `);
    }
    this.choices.append(legend);
    this.choice("Sort units", Object.entries(player.sorts), player.sort, (value) => player.set({ sort: value }), this.choices);
    this.choice("Colour scale", [["unit", "per unit"], ["layer", "per layer"], ["global", "all together"]], player.scope, (value) => player.set({ scope: value }), this.choices);
    if (player.panels[0].readings.length > 1) this.choice("Heat maps show", [[0, "first reading"], [1, "second reading"], [2, "second − first"]], player.view, (value) => player.set({ view: Number(value) }), this.choices);
  }

  choice(label, options, value, act, into = this.element) {
    const box = make("label", { class: "choice" });
    const select = make("select", { "aria-label": label });
    for (const [name, words] of options) {
      const option = make("option", { value: name });
      option.textContent = words;
      option.selected = String(name) === String(value);
      select.append(option);
    }
    select.onchange = () => act(select.value);
    box.append(label, select);
    into.append(box);
  }

  frame() {
    const { player } = this;
    this.slider.value = player.step;
    const words = player.sentences[0].words;
    this.slider.setAttribute("aria-valuetext", `token ${player.step + 1} of ${player.steps}: ${words[player.step] ?? ""}`);
    this.count.textContent = `${player.step + 1} / ${player.steps}`;
    this.play.textContent = player.playing ? "Pause" : "Play";
    this.play.setAttribute("aria-label", player.playing ? "Pause" : "Play");
  }
}
