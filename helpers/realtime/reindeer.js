// The reindeer: plays its sound, and sets its mouth by the sound's own clock.

const HEAD = `
<g fill="none" stroke="#8a5a2b" stroke-width="7" stroke-linecap="round" stroke-linejoin="round">
  <path d="M92 66 C80 44 66 40 60 14 M76 45 C62 46 52 40 44 26 M66 30 C70 22 78 18 80 10"/>
  <path d="M148 66 C160 44 174 40 180 14 M164 45 C178 46 188 40 196 26 M174 30 C170 22 162 18 160 10"/>
</g>
<g stroke="#4a2c12" stroke-width="2.5">
  <path d="M72 96 C44 84 34 92 30 106 C46 118 62 116 76 110 Z" fill="#a9713c"/>
  <path d="M168 96 C196 84 206 92 210 106 C194 118 178 116 164 110 Z" fill="#a9713c"/>
  <path d="M120 58 C84 58 68 84 70 116 C72 146 84 158 88 176 L152 176 C156 158 168 146 170 116 C172 84 156 58 120 58 Z" fill="#a9713c"/>
</g>
<g class="jaw" stroke-linejoin="round">
  <path d="M100 158 H140 L148 172 V186 C146 198 134 204 120 204 C106 204 94 198 92 186 V172 Z" fill="#3a0d12"/>
  <ellipse cx="120" cy="200" rx="15" ry="9" fill="#d9788a"/>
  <path d="M87 170 L88 190 C92 214 106 222 120 222 C134 222 148 214 152 190 L153 170 L147 170 L147 184 C145 198 134 202 120 202 C106 202 95 198 93 184 L93 170 Z" fill="#c99a66" stroke="#4a2c12" stroke-width="2.5"/>
</g>
<path d="M120 136 C94 136 82 152 84 170 C86 186 104 190 120 186 C136 190 154 186 156 170 C158 152 146 136 120 136 Z" fill="#dcb688" stroke="#4a2c12" stroke-width="2.5"/>
<ellipse cx="120" cy="150" rx="17" ry="13" fill="#c8202f" stroke="#4a2c12" stroke-width="2.5"/>
<ellipse cx="114" cy="145" rx="5" ry="3" fill="#fff" opacity=".7"/>
<g fill="#fff" stroke="#4a2c12" stroke-width="2"><ellipse cx="98" cy="108" rx="11" ry="13"/><ellipse cx="142" cy="108" rx="11" ry="13"/></g>
<g fill="#20120a"><circle cx="100" cy="111" r="6"/><circle cx="140" cy="111" r="6"/></g>`;
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
  paper.innerHTML = `<svg viewBox="20 0 200 252" role="img" aria-label="A reindeer, seen from the front. Its mouth follows the sound.">${HEAD}</svg>`;
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
