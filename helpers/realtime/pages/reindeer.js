// The head on the lawn: its mouth follows what the loudspeaker plays. `metered` is that of page.js.
import {metered} from "./page.js";

const [SHUT, WIDE] = [-18, 24];  // units of the drawing by which the jaw is lowered
const [LOUD, CLOSES] = [0.12, 0.25];  // the amplitude that opens it wholly; the most that it closes in 50 ms
const lawn = document.getElementById("lawn"), player = document.getElementById("player");
lawn.innerHTML = await (await fetch("reindeer.svg")).text();
const head = lawn.firstElementChild, jaw = head.querySelector(".jaw");
let share = 0, end = null;

function open(loud) {
  share = Math.max(Math.min(loud / LOUD, 1), share - CLOSES, 0);
  head.dataset.mouth = share.toFixed(2);
  jaw.setAttribute("transform", `translate(0 ${SHUT + (WIDE - SHUT) * share})`);
}

open(0);
player.addEventListener("playing", () => {  // each call has a stream of its own
  end?.();
  end = metered(player.srcObject, open);
});
