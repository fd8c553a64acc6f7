// Two answers, three choices and undo. All that is known comes from Python (`view`); keys and clicks go back.
const KEYS = {1: "left", ArrowLeft: "left", 2: "right", ArrowRight: "right", 0: "tie", t: "tie", T: "tie", u: "undo", U: "undo"};
const PATIENCE = 4000; // ms until a silent kernel is mentioned

function make(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  e.append(...children);
  return e;
}

function render({ model, el }) {
  const bar = make("progress", { "aria-label": "pairs judged" });
  const status = make("p", { class: "day9-status", role: "status" });
  const asked = make("div", { class: "day9-asked" });
  const answers = { left: make("span", {}), right: make("span", {}) };
  const button = (what, keys, ...inside) => {
    const b = make("button", { type: "button", "aria-keyshortcuts": keys }, ...inside);
    b.addEventListener("click", () => press(what));
    return b;
  };
  const left = button("left", "1 ArrowLeft", make("b", {}, "Answer 1 "), answers.left);
  const right = button("right", "2 ArrowRight", make("b", {}, "Answer 2 "), answers.right);
  const tie = button("tie", "0 T", "Tie (0)");
  const undo = button("undo", "U", "Undo (u)");
  const pair = make("div", { class: "day9-pair" }, left, right);
  // Lab must not take the keys for its own: there, 1 makes a heading and 0 0 restarts the kernel.
  const root = make("div", { class: "day9-labelling", role: "group", tabindex: "0", "data-lm-suppress-shortcuts": "true", "aria-label": "Which answer is better? Press 1 or 2, 0 for a tie, u to undo" },
    bar, status, asked, pair, make("div", { class: "day9-more" }, tie, undo,
      make("small", {}, "Click here or press Tab, then: 1 or ← first, 2 or → second, 0 or t tie, u undo")));
  el.append(root);

  let waiting = null;
  function press(what) {
    const { number, done } = model.get("view");
    if (waiting || (what === "undo" ? !done : number === null)) return;
    waiting = setTimeout(() => {
      waiting = null;
      status.textContent = "The kernel does not answer. Run this cell again: what you chose so far is saved.";
    }, PATIENCE);
    model.send({ do: what, number });
  }
  root.addEventListener("keydown", event => {
    const what = KEYS[event.key];
    if (!what || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) press(what);
  });

  function show() {
    clearTimeout(waiting);
    waiting = null;
    const { done, total, number, said, ...texts } = model.get("view");
    bar.max = total;
    bar.value = done;
    asked.textContent = number === null ? "All pairs are judged." : texts.asked;
    for (const side of ["left", "right"]) answers[side].textContent = texts[side];
    status.textContent = `${number === null ? `Done: ${done} of ${total}` : `Pair ${number} of ${total}`} · ${said}`;
    const held = root.contains(document.activeElement);
    pair.hidden = tie.disabled = number === null;
    undo.disabled = !done;
    if (held && !root.contains(document.activeElement)) root.focus(); // a button that went away takes the focus along
  }
  model.on("change:view", show);
  show();
  return () => model.off("change:view", show);
}

export default { render };
