// A text box that counts tokens while the user types, by the rules of rnn_core/data/text/vocabulary.py (a browser test compares the two).
const SPACE = "\\t\\n\\v\\f\\r \\x1c-\\x1f\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const WORD = new RegExp(`[^!"#$%&()*+,\\-./:;<=>?@\\[\\\\\\]^_\`{|}~${SPACE}]+`, "gu");
const SIGNS = "“”„«»‹›…—–―−·•、。，！？：；（）\\x80-\\x90\\x93-\\x9f";
const EMOJI = "\\u2600-\\u27bf\\u2b50-\\u2b55\\ufe0f\\u200d\\u{1F000}-\\u{1FAFF}";
const PIECE = new RegExp(`[${EMOJI}]+|[^${SIGNS}${EMOJI}]+`, "gu");
const onlyApostrophes = (piece) => /^'*$/.test(piece.normalize("NFKC").replace(/[’‘´ʼ\x91\x92]/g, "'"));

function tokens(text, whole) { // `whole`: known words that count as one token, although PIECE would split them
  let count = 1; // the start token
  for (const [word] of text.matchAll(WORD)) {
    if (/^[\x00-\x7f]+$/.test(word) || whole.includes(word.toLowerCase())) count += 1;
    else for (const [piece] of word.matchAll(PIECE)) count += onlyApostrophes(piece) ? 0 : 1;
  }
  return count;
}

const revisions = new WeakMap(); // parentElement → revision of the text in its box

export default function ({ data, parentElement, setStateValue }) {
  const box = parentElement.querySelector("textarea"), count = parentElement.querySelector(".count"), send = parentElement.querySelector("button");
  const showCount = () => {
    const used = tokens(box.value, data.whole), over = used > data.limit;
    const words = over ? `${used} tokens: the ${data.part} ${data.limit} are read` : `${used} of ${data.limit} tokens`;
    if (count.textContent !== words) count.textContent = words;
    count.classList.toggle("over", over);
  };
  const submit = () => setStateValue("sent", { text: box.value, rev: data.rev });
  parentElement.querySelector("label").firstChild.textContent = data.label;
  box.maxLength = data.longest;
  if (revisions.get(parentElement) !== data.rev) { // a new text from the server; otherwise keep what the user types
    revisions.set(parentElement, data.rev);
    box.value = data.text;
  }
  box.oninput = showCount;
  box.onkeydown = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
  };
  send.onclick = submit;
  showCount();
}
