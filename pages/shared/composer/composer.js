// A text box that counts tokens while one types, as the vocabulary would split them: lower case, punctuation to spaces.
const WORD = /[^!"#$%&()*+,\-./:;<=>?@[\\\]^_`{|}~\t\n\r ]+/g;
const tokens = (text) => 1 + (text.match(WORD) ?? []).length; // the start of the review is a token too
const seen = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const box = parentElement.querySelector("textarea"), count = parentElement.querySelector(".count"), send = parentElement.querySelector("button");
  const tell = () => {
    const used = tokens(box.value), over = used > data.limit;
    count.textContent = over ? `${used} tokens: the ${data.part} ${data.limit} are read` : `${used} of ${data.limit} tokens`;
    count.classList.toggle("over", over);
  };
  const submit = () => setStateValue("sent", { text: box.value, rev: data.rev });
  parentElement.querySelector("label").firstChild.textContent = data.label;
  box.maxLength = data.longest;
  if (seen.get(parentElement) !== data.rev) { // a new text from the server; otherwise what is being typed stays
    seen.set(parentElement, data.rev);
    box.value = data.text;
  }
  box.oninput = tell;
  box.onkeydown = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
  };
  send.onclick = submit;
  tell();
}
