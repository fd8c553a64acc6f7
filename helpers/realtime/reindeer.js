// The reindeer: plays its sound, and sets its mouth by the sound's own clock.

const [SHUT, WIDE] = [-18, 24]; // units of the drawing by which the jaw is lowered

function make(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  e.append(...children);
  return e;
}

function render({ model, el }) {
  const mouth = model.get("mouth");
  const address = URL.createObjectURL(new Blob([model.get("wav")], { type: "audio/wav" }));
  const sound = make("audio", { src: address, preload: "auto" });
  const paper = make("div", { class: "paper" });
  paper.innerHTML = model.get("head");
  const drawn = paper.firstElementChild, jaw = drawn.querySelector(".jaw");
  // on what takes the focus: or JupyterLab takes its keys
  const button = make("button", { type: "button", "data-lm-suppress-shortcuts": "true" });
  const trouble = make("p", { class: "trouble", role: "alert" });
  const note = make("p", { class: "note" }, model.get("note"));
  el.replaceChildren(make("div", { class: "day9-reindeer", role: "group", "aria-label": "Talking reindeer" },
    paper, make("div", { class: "beside" }, button, make("p", { class: "words" }, model.get("words")), note, trouble), sound));
  let next = 0;

  function open(share) {
    drawn.dataset.mouth = share;
    jaw.setAttribute("transform", `translate(0 ${SHUT + (WIDE - SHUT) * share})`);
  }

  function follow() {
    open(sound.paused ? 0 : mouth[Math.floor(sound.currentTime * 50)] ?? 0);
    if (!sound.paused) next = requestAnimationFrame(follow);
  }

  function stop() {
    sound.pause();
    sound.currentTime = 0;
  }

  function show() {
    const seconds = (mouth.length / 50).toFixed(1);
    button.textContent = sound.paused ? "▶ Play" : "■ Stop";
    button.setAttribute("aria-label", sound.paused ? `Play what the reindeer says, ${seconds} seconds` : "Stop the reindeer");
    cancelAnimationFrame(next);
    follow();
  }

  button.addEventListener("click", () => {
    trouble.textContent = "";
    if (sound.paused) sound.play().catch(e => { if (e.name !== "AbortError") trouble.textContent = `No sound: ${e.message}`; });
    else stop();
  });
  for (const kind of ["play", "pause", "ended"]) sound.addEventListener(kind, show);
  show();
  return () => {
    sound.pause();
    cancelAnimationFrame(next);
    URL.revokeObjectURL(address);
  };
}

export default { render };
