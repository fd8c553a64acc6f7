// What a page has only where JavaScript runs: the search, and figures that answer the pointer.
const UP = document.documentElement.dataset.up;

const loaded = {};
function load(name) {
  loaded[name] ??= new Promise((done, failed) => {
    const script = Object.assign(document.createElement("script"), { src: UP + name, onload: done, onerror: failed });
    document.head.append(script);
  });
  return loaded[name];
}

const box = document.querySelector("search");
const [field, told, list] = ["input", "p", "ol"].map((tag) => box.querySelector(tag));
const MOST = 20, AROUND = 60; // results; characters on each side of a word that was found
box.hidden = false;

async function find() {
  const asked = field.value;
  const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length) await load("index.js");
  if (asked !== field.value) return; // typed on while the index came
  const has = (text) => words.every((word) => text.toLowerCase().includes(word));
  const found = words.length ? INDEX.filter(([, , page, section, text]) => has(`${page} ${section} ${text}`)) : [];
  found.sort((one, other) => has(other[3]) - has(one[3])); // a heading that says it comes first
  told.textContent = !words.length ? "" : `${found.length} found${found.length > MOST ? `, the first ${MOST} here` : ""}`;
  list.replaceChildren(...found.slice(0, MOST).map(([href, id, page, section, text]) => {
    const item = document.createElement("li"), link = document.createElement("a"), around = document.createElement("span");
    link.href = `${UP}${href}${id && "#" + id}`;
    link.textContent = section && section !== page ? `${page}: ${section}` : page;
    const at = Math.max(0, text.toLowerCase().indexOf(words[0]));
    around.textContent = text.slice(Math.max(0, at - AROUND), at + AROUND);
    item.append(link, around);
    return item;
  }));
}
field.addEventListener("input", find);

// plotly.js is megabytes: it comes when a figure comes near, and the page is read meanwhile.
const near = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    load("plotly.min.js").then(() => draw(target));
  }
}, { rootMargin: "300px" });

async function draw(figure) {
  const still = figure.querySelector("img");
  const { data, layout, config } = JSON.parse(figure.querySelector("script").textContent);
  const live = document.createElement("div");
  live.setAttribute("role", "group");
  live.setAttribute("aria-label", still.alt);
  still.replaceWith(live);
  try {
    await Plotly.newPlot(live, data, layout, { ...config, responsive: true });
  } catch (error) {
    live.replaceWith(still); // the still says the same
    throw error;
  }
}
document.querySelectorAll(".plot").forEach((figure) => near.observe(figure));

// A table that is wider than the window is scrolled with the keyboard, too.
for (const wide of document.querySelectorAll(".wide, .plot")) {
  if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
}
