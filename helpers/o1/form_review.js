// The tax-form assistant: lays out what form_review.py reckons and draws, and listens to mouse and keyboard.

// on whatever takes the focus: or JupyterLab takes its keys, "b" for a new cell below and the arrows for the next cell
const OURS = { "data-lm-suppress-shortcuts": "true" };

function make(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
    else e.setAttribute(name, value);
  }
  e.append(...children);
  return e;
}

function render({ model, el }) {
  let page = 2, cards = [], current = 0, laidOut = null;
  const items = () => model.get("content").items;
  const stateOf = item => item.doubt ? "in doubt" : model.get("decisions")[item.number] || "undecided";

  const chooser = make("select", { ...OURS, onchange: () => {
    if (chooser.value === model.get("form")) return;
    root.setAttribute("aria-busy", "true");
    model.set("form", chooser.value);
    model.save_changes();
  } });
  const receipt = make("p", { class: "receipt" });
  const problem = make("p", { class: "problem", role: "alert" });
  const tabs = make("div", { class: "tabs", role: "group", "aria-label": "Page shown" });
  const paper = make("div", { class: "paper" });
  const list = make("ol", { onkeydown: pressed });
  const sums = make("div", { class: "sums" });
  const said = make("p", { class: "said", role: "status" });
  const root = make("section", { class: "form-review jupyter-widgets", "aria-label": "Tax-form assistant" },
    make("label", {}, "Form ", chooser), problem,
    make("div", { class: "both" },
      make("div", { class: "left" }, tabs, paper, sums),
      make("div", { class: "right" },
        make("p", { class: "keys" }, make("b", {}, "Corrections. "), "Keys: ", ...["↑", "↓"].map(k => make("kbd", {}, k)), " move, ",
          make("kbd", {}, "a"), " accept, ", make("kbd", {}, "r"), " reject; again to undo."),
        list, said)),
    make("p", { class: "small" }, "It may find mistakes; it does not replace professional judgement."), receipt);
  el.replaceChildren(root);

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !cards.length) return;
    const to = { ArrowDown: current + 1, ArrowUp: current - 1, Home: 0, End: cards.length - 1 }[event.key];
    const decision = { a: "accepted", r: "rejected" }[event.key.toLowerCase()];
    if (to === undefined && !decision) return;
    event.preventDefault();
    if (decision) decide(items()[current], decision);
    else select(Math.min(Math.max(to, 0), cards.length - 1), true);
  }

  function decide(item, decision) {
    if (item.doubt) return;
    const { [item.number]: before, ...others } = model.get("decisions");
    model.set("decisions", before === decision ? others : { ...others, [item.number]: decision });
    model.save_changes();
    const word = before === decision ? "undecided again" : decision;
    said.textContent = `Correction ${item.number}, line ${item.line}: ${word}.`;
  }

  function select(index, focus = false) {
    current = index;
    cards.forEach((card, i) => {
      card.classList.toggle("current", i === index);
      for (const e of [card, ...card.querySelectorAll("button")]) e.tabIndex = i === index ? 0 : -1;
    });
    if (focus) cards[index].focus();
    turn(items()[index].page || page);
  }

  function turn(to) {
    page = to;
    [...tabs.children].forEach((tab, i) => tab.setAttribute("aria-pressed", i + 1 === page));
    drawPage();
  }

  function drawPage() {
    const { url, size: [width, height] } = model.get("content").pages[page - 1];
    const { marks, labels } = model.get("drawn");
    paper.innerHTML = `<svg role="img" viewBox="0 0 ${width} ${height}"><image width="${width}" height="${height}"/>${marks?.[page - 1] || ""}</svg>`;
    paper.firstChild.setAttribute("aria-label", labels?.[page - 1] || `Page ${page} of the form.`);
    paper.querySelector("image").setAttribute("href", url);
    for (const mark of paper.querySelectorAll(".mark")) {
      const index = items().findIndex(i => i.number === Number(mark.dataset.number));
      mark.classList.toggle("current", index === current);
      mark.addEventListener("click", () => select(index, true));
    }
  }

  function cardOf(item, index) {
    const where = item.line ? `Line ${item.line}, page ${item.page}` : `"${item.location}"`;
    const card = make("div", { ...OURS, class: "card", role: "group" },
      make("p", {}, make("span", { class: "number" }, item.number), make("b", {}, ` ${where}: `),
        make("del", {}, item.old), " → ", make("ins", {}, item.new)),
      make("p", {}, item.reason));
    if (item.doubt) card.append(make("p", { class: "doubt" }, `⚠ Not marked on the page: ${item.doubt}.`));
    else card.append(make("p", {}, ...[["Accept", "accepted"], ["Reject", "rejected"]].map(([word, decision]) =>
      make("button", { ...OURS, type: "button", "data-decision": decision, "aria-label": `${word} correction ${item.number}`, onclick: () => decide(item, decision) }, word)),
      make("span", { class: "state" })));
    card.addEventListener("focusin", () => current !== index && select(index));
    card.addEventListener("click", () => current !== index && select(index));
    return card;
  }

  function showContent() {
    laidOut = model.get("content");
    root.removeAttribute("aria-busy");
    chooser.replaceChildren(...Object.entries(model.get("names")).map(([value, words]) => make("option", { value }, words)));
    chooser.value = model.get("form");
    problem.textContent = model.get("problem");
    receipt.textContent = model.get("content").receipt;
    const count = n => items().filter(i => i.page === n && !i.doubt).length;
    tabs.replaceChildren(...[1, 2, 3, 4].map(n => {
      const marks = count(n) ? ` · ${count(n)} mark${count(n) > 1 ? "s" : ""}` : "";
      return make("button", { ...OURS, type: "button", onclick: () => turn(n) }, `Page ${n}${marks}`);
    }));
    cards = items().map(cardOf);
    list.replaceChildren(...cards.map(card => make("li", {}, card)));
    const found = cards.length ? `${cards.length} correction${cards.length > 1 ? "s" : ""} to decide on.`
      : "No mistakes found. That is no proof that there are none: only what is on these pages was looked at.";
    said.textContent = model.get("problem") ? "" : found;
    showDrawn();
    if (cards.length) select(0);
    else turn(1);
  }

  function showDrawn() {
    const { rows = [], misfits = [] } = model.get("drawn");
    items().forEach((item, i) => {
      const state = stateOf(item);
      cards[i].dataset.state = state;
      if (!item.doubt) cards[i].querySelector(".state").textContent = { accepted: "✓ accepted", rejected: "✗ rejected" }[state] || state;
      cards[i].setAttribute("aria-label", `Correction ${item.number} of ${cards.length}, ${item.location}: ${item.old} becomes ${item.new}. ${item.reason} ${state}.`);
      for (const button of cards[i].querySelectorAll("button")) button.setAttribute("aria-pressed", button.dataset.decision === state);
    });
    sums.replaceChildren();
    if (rows.length) {
      const head = ["amount", "as filed", "corrected form", "worked out by Python"].map(words => make("th", { scope: "col" }, words));
      sums.append(
        make("table", {}, make("thead", {}, make("tr", {}, ...head)),
          make("tbody", {}, ...rows.map(([name, ...amounts]) => make("tr", {}, make("th", { scope: "row" }, name), ...amounts.map(a => make("td", {}, a)))))),
        ...(misfits.length ? misfits : ["✓ Lines 11, 14, 15 and 16 follow from the lines they depend on."]).map(words => make("p", {}, words)));
    }
    drawPage();
  }

  // what a screen reader hears after a decision: the new sums, once Python has reckoned them
  function sayTax() {
    const rows = model.get("drawn").rows;
    if (rows) said.textContent = said.textContent.replace(/ Worked out:.*$/, "") + ` Worked out: taxable income ${rows[0][3]}, tax ${rows[1][3]}.`;
  }

  // a new form brings both, in an order of its own: lay out what is new before drawing on it
  function follow() {
    if (model.get("content") !== laidOut) return showContent();
    showDrawn();
    sayTax();
  }

  const events = ["change:content", "change:drawn"];
  for (const event of events) model.on(event, follow);
  showContent();
  return () => { for (const event of events) model.off(event, follow); };
}

export default { render };
