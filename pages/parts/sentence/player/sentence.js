// The words of the sentence. User text is only set as textContent.
const LONGEST_WORD = 40; // characters shown of one word

class Sentence {
  constructor(player, index) {
    Object.assign(this, { player, index, spans: [] });
    this.element = make("div", { class: "sentence", role: "group", "aria-label": index ? "Second sentence, token by token" : "Sentence, token by token", dir: "auto" });
    player.sentences[index].words.forEach((word, step) => {
      const known = player.sentences[index].known[step];
      const span = make("span", { class: known ? "word" : "word unknown", "data-step": step, title: known ? "" : "not among the words this model knows: its token is “unknown”" });
      span.textContent = word.length > LONGEST_WORD ? `${word.slice(0, LONGEST_WORD)}…` : word;
      this.spans.push(span);
      this.element.append(span, " ");
    });
    this.element.onpointerdown = (event) => { this.from = stepOf(event); };
    this.element.onpointermove = (event) => { const step = stepOf(event); player.hover(step === null ? null : { step }); };
    this.element.onpointerleave = () => player.hover(null);
    this.element.onclick = (event) => {
      const step = stepOf(event);
      if (step === null) return;
      const start = event.shiftKey ? player.picked.token ?? player.step : this.from ?? step;
      if (start !== step && index === 0) player.pickSpan(start, step); else player.pick({ step, panel: player.focus });
    };
    this.element.onpointerup = (event) => { // the end of a drag over several words, which causes no click
      const step = stepOf(event);
      if (event.pointerType === "mouse" && index === 0 && step !== null && this.from !== null && this.from !== undefined && step !== this.from) { player.pickSpan(this.from, step); this.from = step; }
    };
  }

  colour() {
    const reading = this.player.focus.readings.find((one) => one.sentence === this.index);
    const values = reading?.bars[this.player.quantity].values ?? [];
    const largest = Math.max(1e-9, ...values.map(Math.abs));
    const { negative, positive } = this.player.theme;
    this.spans.forEach((span, step) => {
      const value = (values[step] ?? 0) / largest;
      span.style.background = css(value < 0 ? negative : positive, Math.min(0.6, Math.abs(value) * 0.6));
    });
  }

  frame() {
    const { step, hovered, picked, span } = this.player;
    this.spans.forEach((word, n) => {
      const state = (n > step ? " ahead" : "") + (n === step ? " now" : "") + (hovered?.step === n ? " hovered" : "") + (picked.token === n ? " picked" : "") + (span && this.index === 0 && n >= span[0] && n <= span[1] ? " spanned" : "");
      if (word.dataset.state !== state) {
        word.dataset.state = state;
        word.className = `word${this.player.sentences[this.index].known[n] ? "" : " unknown"}${state}`;
      }
    });
    const word = this.spans[Math.min(step, this.spans.length - 1)];
    if (word && this.player.playing) { // scroll only the sentence, never the page
      const top = word.offsetTop - this.element.offsetTop;
      if (top < this.element.scrollTop || top > this.element.scrollTop + this.element.clientHeight - 30) this.element.scrollTop = top - 30;
    }
  }
}

function stepOf(event) {
  const step = event.target?.dataset?.step;
  return step === undefined ? null : Number(step);
}
