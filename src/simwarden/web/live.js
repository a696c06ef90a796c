// The live page: what happens comes as events, each with the ladder of an action; the page plays it in its own time.

const WORDS = {
  tour: ["Tour", "演示"], play: ["Play", "播放"], stop: ["Stop", "停止"], next: ["Next", "下一步"], begin: ["Begin anew", "重新开始"], fleet: ["with a fleet of", "加入一批卡："], save: ["Save", "保存"],
  story: ["as a scenario", "存为场景"], capture: ["capture (pcapng)", "抓包 (pcapng)"], report: ["report", "报告"], recorded: ["this page, recorded", "录制的页面"],
  pause: ["Pause", "暂停"], go_on: ["Go on", "继续"], step: ["Step", "单步"], jump: ["To the refusal", "跳到拒绝处"], end: ["To the end", "到结尾"], speed: ["Speed", "速度"],
  go: ["Do it", "执行"], leave: ["Leave it", "取消"], own: ["Any step of a scenario", "场景中的任一步骤"], into: ["Put it into", "插入"],
  refused: ["REFUSED", "拒绝"], by: ["by", "拒绝方："], cause: ["The device is told", "设备收到的原因"], answer: ["The answer is", "答复"], clause: ["Clause", "条款"], screen: ["Its own screen", "设备屏幕"],
  guideline: ["MIIT guideline 1173 of 2020", "工网安函〔2020〕1173号"],
  then: ["What happens next", "接下来"], stays: ["the device stays registered, and may try again", "设备保持注册，可以再试"], left: ["the device is detached, and has to attach again", "设备已去附着，须重新附着"], without: ["Switch this control off, and try again", "关闭这项控制，再试一次"], again: ["Try again", "再试一次"],
  off: ["Switched off, in this page's network alone:", "已关闭（仅限本页面的网络）："], on: ["Switch it on", "重新打开"], turn_off: ["Switch off", "关闭"], turn_on: ["Switch on", "打开"], all_on: ["All controls are on.", "所有控制均已打开。"],
  stolen: ["Stolen", "被盗用"], packets: ["packets", "个数据包"], messages: ["messages", "条短信"], minutes: ["minutes", "分钟"],
  drag: ["Drag a card into a device, click on anything, or play the tour.", "把卡拖进设备，点击任何图形，或播放演示。"], many: ["rows that say the same are told once", "相同的行只显示一次"],
  recording: ["A recording: play it, or click on an action or an arrow.", "录制的页面：点“播放”，或点击任一操作、任一箭头。"],
  lost: ["The connection to simwarden is lost; it is tried again.", "与 simwarden 的连接已断开，正在重试。"], place: ["row {0} of {1}", "第 {0} 行，共 {1} 行"], begins: ["The network starts …", "网络正在启动…"], works: ["The network is busy: {0} events so far …", "网络正忙：已有 {0} 个事件…"],
};
const $ = (id) => document.getElementById(id);
const svg = (tag, props, ...children) => {
  const element = document.createElementNS($("net").namespaceURI, tag);
  for (const [name, value] of Object.entries(props || {})) element.setAttribute(name, value);
  element.append(...children.filter((each) => each !== "" && each !== undefined));
  return element;
};
const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
let language = kept("language") === "1" ? 1 : 0;
const say = (word) => WORDS[word][language];
// What elements say of themselves, where it is known in the chosen language; a * (or *2) stands for what differs.
function local(text) {
  for (const [en, zh] of language ? Object.entries(stage.zh || {}) : []) {
    const found = new RegExp(`^${en.replace(/[.?+^$()[\]{}|\\]/g, "\\$&").replaceAll("*", "(.+)")}$`).exec(text);
    let place = 0;
    if (found) return zh.replace(/\*(\d?)/g, (_, number) => found[number || ++place]);
  }
  return text;
}
const localNext = (text) => (language ? text.replace(/^the \w+ /, "").split("; ").map(local).join("；") : text);
const told = (each) => (language ? each.zh : each.en) || each.en || "";
// The sentence above the network, in both languages.
let saying = WORDS.begins;
function narrate(pair) { saying = pair; $("said").textContent = pair[language] || pair[0]; }
const isRecorded = Boolean($("recorded-story").textContent);

// What there is, what has happened, and what of it is shown: `shown` has what elements show where the playback is.
let stage = { nodes: [], menu: [], tour: [] }, batches = [], shown = {}, standing = { off: [], stolen: {} }, places = {};
// The playback: of a batch, up to the row `at`; `waiting` are moments of use that came meanwhile.
let current = null, played = null, at = 0, timer = 0, paused = false, waiting = [], tour = null, following = true, busy = 0;

// -- playback

const isVisible = (row) => row.k !== "state" && row.k !== "step" && !row.q;
const nameOf = (batch, lane) => (lane >= 0 ? batch.lanes[lane].name : "");
const speed = () => Number($("speed").value);

function take(batch, row) {
  const name = nameOf(batch, row.s) || row.e;
  if (row.k === "state" && row.f) shown[name] = { ...shown[name], ...row.f };
}

function takeAll(batch, from = 0) {
  for (const row of batch.rows.slice(from)) take(batch, row);
  if (batch.sums) for (const [name, sums] of Object.entries(batch.sums)) shown[name] = { ...shown[name], sums: { ...(shown[name] || {}).sums, ...sums } };
}

function restore(until) {
  shown = {};
  for (const batch of batches.slice(0, until)) takeAll(batch);
}

function play(batch) {
  finish();
  current = played = batch; at = 0;
  if (isRecorded) { standing = batch; banner(); }
  $("refused").hidden = true;
  $("said").scrollIntoView({ block: "nearest" });
  const ladder = make("div", { cls: "ladder", "--n": Math.max(1, batch.lanes.length), role: "group", "aria-label": batch.text },
    make("div", { cls: "heads" }, make("span", {}), make("div", { cls: "lanes" }, ...batch.lanes.map((lane) => make("span", { title: lane.title }, lane.name)))));
  $("ladder").replaceChildren(make("h2", {}, titleOf(batch), batch.outcome && make("small", {}, ` → ${batch.outcome}`)), batch.sums ? make("p", {}, say("many")) : "", ladder);
  listed();
  if (!paused) beat();
}

function pace() {
  const number = current.rows.filter(isVisible).length || 1;
  return Math.min(350, Math.max(12, 3200 / number)) / speed();
}

// Show rows up to the next one that is visible; null at the end. `quick`: many follow at once, and the picture comes after.
function forward(quick) {
  while (current && at < current.rows.length) {
    const row = current.rows[at++];
    take(current, row);
    if (isVisible(row)) { showRow(row, quick); if (!quick) { draw(); placed(); } return row; }
  }
  if (current) ended();
  return null;
}

function beat() {
  clearTimeout(timer);
  if (!current) return;
  const row = forward();
  if (row) timer = setTimeout(beat, row.v === "refuse" && row.k === "decision" ? Math.max(pace(), 500 / speed()) : pace());
}

function ended() {
  const batch = current;
  takeAll(batch, at);
  at = batch.rows.length;
  current = null;
  for (const each of waiting.splice(0)) takeAll(each);
  clearArrow();
  const box = $("ladder").querySelector(".ladder");
  box.scrollTop = box.scrollHeight;
  draw(); placed(); screen(batch);
  if (tour) clearTimeout(tour.timer);
  if (tour && tour.auto) tour.timer = setTimeout(advance, (batch.refused.length ? 3500 : 1400) / speed());
  else if (isRecorded && following && !paused) playNext(batch);
}

function finish() {
  clearTimeout(timer);
  while (current && forward(true));
}

function playNext(batch) {
  const next = batches.slice(batches.indexOf(batch) + 1).find((each) => !each.use);
  if (next) timer = setTimeout(() => { restore(batches.indexOf(next)); play(next); }, 1200 / speed());
}

function replay(batch) {
  following = isRecorded;
  paused = false; buttons();
  current = null; clearTimeout(timer);
  restore(batches.indexOf(batch));
  play(batch);
}

function jump() {
  const batch = [current, played, ...[...batches].reverse()].find((each) => each && each.refused.length);
  if (!batch) return;
  paused = true; buttons();
  if (batch !== current || at > refusalAt(batch)) { current = null; clearTimeout(timer); restore(batches.indexOf(batch)); play(batch); }
  clearTimeout(timer);
  while (current && at < refusalAt(batch) && forward(true));
  if (current && at <= refusalAt(batch)) forward();
}
const refusalAt = (batch) => batch.rows.findIndex((row) => row.k === "decision" && row.v === "refuse");

function toEnd() {
  paused = false; following = true; buttons();
  finish();
  restore(batches.length);
  draw();
}

function placed() {
  const batch = played;
  $("place").textContent = batch && batch.rows ? say("place").replace("{0}", batch.rows.slice(0, at).filter(isVisible).length).replace("{1}", batch.rows.filter(isVisible).length) : "";
}

// -- the ladder, the history, and what was refused

function showRow(row, quick) {
  const batch = current;
  const box = $("ladder").querySelector(".ladder");
  const classes = `row ${row.k} ${row.v || ""} ${row.c ? "cause" : ""} ${row.k === "message" ? "" : "dot"}`;
  const many = row.times ? { ...row, x: `${row.times.toLocaleString("en")} × ${row.x}` } : row;
  const line = make("div", { cls: classes, role: "button", tabindex: 0, "aria-label": spoken(many, batch), onclick: () => open(row, batch) }, make("time", {}, clock(row.t)), row.k === "message" ? arrow(many, batch) : dot(many, batch));
  box.lastElementChild.removeAttribute("aria-current");
  line.setAttribute("aria-current", "true");
  box.append(line);
  if (!quick) { box.scrollTop = box.scrollHeight; picture(row, batch); }
  const refused = row.k === "decision" && row.v === "refuse" && batch.refused.find((each) => each.event === row.n || (each.control === row.o && each.element === nameOf(batch, row.s)));
  if (refused) refusal(batch, refused);
  if (performance.getEntriesByName("acted").length) { performance.measure("picture", "acted"); performance.clearMarks("acted"); }
}

function open(row, batch) {
  $("panel").replaceChildren(...details(row, batch, () => { $("panel").hidden = true; document.body.classList.remove("panel"); }).filter(Boolean));
  $("panel").hidden = false;
  document.body.classList.add("panel");
  $("panel").focus();
}

function listed() {
  const acts = batches.filter((each) => each.rows && !each.use).slice(-40);
  $("history").replaceChildren(...acts.map((batch) => make("li", {}, make("button", { type: "button", cls: batch.refused.length ? "no" : "", "aria-pressed": String(batch === played), onclick: () => replay(batch) },
    `${batch.refused.length ? "✗ " : ""}${titleOf(batch)}`, batch.outcome && make("small", {}, ` → ${batch.outcome}`)))));
  const list = $("history"), now = list.querySelector("[aria-pressed=true]");
  if (now) list.scrollLeft = now.offsetLeft - list.offsetLeft - 40;
}
// A step stands as it does in a file; what is no step is said in words.
const titleOf = (batch) => (Object.keys(batch.facts || {}).length ? batch.text : local(batch.text));

function refusal(batch, refused) {
  const element = stage.nodes.find((each) => each.name === refused.element);
  const device = deviceOf(batch);
  const line = (word, ...text) => make("p", {}, make("b", {}, say(word)), " ", ...text);
  const causes = causesOf(batch, device, refused.event);
  const answer = refused.message ? undefined : batch.rows.findLast((row) => row.k === "message" && row.c && row.n > refused.event);
  const button = (id, word, work) => make("button", { type: "button", id, onclick: work }, say(word));
  $("refused").replaceChildren(
    make("h2", {}, say("refused")),
    make("p", { cls: "who" }, `${say("by")} ${refused.element}${element ? ` (${local(element.title)})` : ""}: ${local(refused.reason)}`),
    line("clause", `${refused.clause} · ${told({ en: refused.title, zh: refused.title_zh })} `, make("small", {}, `(${say("guideline")})`)),
    make("p", { cls: "rule" }, `${told({ en: refused.rule, zh: refused.rule_zh })} `, make("code", {}, refused.control)),
    line(causes.length ? "cause" : "answer", causes.join("; ") || (answer && answer.c) || local(refused.told) || "—"),
    device ? line("screen", make("code", { id: "screen" }, "")) : "",
    line("then", make("span", { id: "then" }, localNext(refused.next))),
    isRecorded ? "" : make("div", {}, button("without", "without", () => without(batch, refused)), button("again", "again", () => again(batch))));
  $("refused").hidden = false;
  $("refused").dataset.by = refused.element;
  screen(batch);
  $("refused").scrollIntoView({ block: "nearest" });
}

function screen(batch) {
  const device = deviceOf(batch);
  if ($("refused").hidden) return;
  if (device) $("screen").textContent = lines(device).join(" · ");
  // Where no element declares what a cause leads to, it is what the device shows.
  const seen = { accepted: "stays", detached: "left" }[device && lines(device)[0]];
  const refused = batch.refused.find((each) => each.element === $("refused").dataset.by);
  if (refused && !refused.next) $("then").textContent = seen ? say(seen) : "";
  $("then").parentElement.hidden = !$("then").textContent;
}

// A text in lines that are no longer than so many characters, as far as it has places to break.
function wrapped(text, width) {
  const found = [""];
  for (const part of text.split(/(?<=[ _])/)) {
    if (found.at(-1) && (found.at(-1) + part).trimEnd().length > width) found.push("");
    found[found.length - 1] += part;
  }
  return found.map((each) => each.trimEnd());
}
const texts = (value) => (value !== null && typeof value === "object" ? Object.values(value).flatMap(texts) : [String(value)]);
const devices = () => stage.nodes.filter((each) => each.section === "devices");
function deviceOf(batch) {
  const named = texts(batch.facts || {});
  const found = devices().find((each) => named.includes(each.name)) || devices().find((each) => batch.rows.some((row) => row.k === "state" && nameOf(batch, row.s) === each.name));
  return found ? found.name : "";
}
// The first causes that a device shows after a refusal: a later one is of what it does next.
function causesOf(batch, device, after) {
  const found = {};
  for (const row of batch.rows) if (row.k === "state" && row.n > after && nameOf(batch, row.s) === device) for (const [name, value] of Object.entries(row.f || {})) if (name.endsWith("_cause") && value !== null) found[name] ||= `${name === "emm_cause" ? "" : `${words(name).replace(/^(esm|mm|rp|tp)\b/, (short) => short.toUpperCase()).replace(/^call\b/, "CC")} `}#${value}`;
  return Object.values(found);
}

// -- the network as it is drawn

// Devices and cards beside the network, or above it where the page is narrow: on a phone.
const narrow = matchMedia("(max-width: 600px)");
let wide = 1000;
function layout() {
  places = {};
  const [cards, terminals, others] = ["cards", "devices", ""].map((of) => stage.nodes.filter((each) => each.section === of));
  const beside = !narrow.matches;
  const rows = Math.ceil(others.length / 4);
  const above = 12 + Math.ceil(terminals.length / 2) * 148;
  const [tray, first] = beside ? [468, 20] : [above + 4, above + 60 + Math.floor((cards.length - 1) / 4) * 46];
  const step = beside ? 530 / rows : 98;
  terminals.forEach((each, number) => { places[each.name] = { x: 12 + (number % 2) * (beside ? 192 : 274), y: 12 + Math.floor(number / 2) * 148, w: beside ? 182 : 262, h: 136 }; });
  cards.forEach((each, number) => { places[each.name] = { x: 12 + (number % (beside ? 3 : 4)) * 124, y: tray + Math.floor(number / (beside ? 3 : 4)) * 46, w: 116, h: 38 }; });
  others.forEach((each, number) => { places[each.name] = { x: (beside ? 406 : 6) + Math.floor(number / rows) * (beside ? 148 : 138), y: first + (number % rows) * step, w: beside ? 140 : 134, h: Math.min(84, step - 14) }; });
  wide = beside ? 1000 : 560;
  $("net").setAttribute("viewBox", `0 0 ${wide} ${beside ? 560 : first + rows * step}`);
}
narrow.addEventListener("change", () => { layout(); draw(); });

function lines(name) {
  const state = shown[name] || {};
  if (state.sums) return Object.entries(state.sums.attach || {}).map(([word, number]) => `${number.toLocaleString("en")} ${word}`);
  if (!state.power || state.power === "off") return ["off"];
  const cell = stage.nodes.flatMap((each) => Object.entries(each.cells)).find(([, id]) => id === state.cell);
  // One that was switched off shows `attach: off` until it attaches; on 2G alone it does not.
  const said = [(state.attach !== "off" && state.attach) || state.location_update || "on", ...Object.keys(state).filter((each) => /^(emm|mm|rp|tp_failure)_cause$/.test(each) && state[each]).slice(-1).map((each) => `#${state[each]}`)];
  if (state.call) said.push(`call ${state.call}`);
  if (state.send_sms) said.push(`SMS ${state.send_sms}`);
  return [...said, cell ? cell[0] : ""].filter(Boolean);
}

function placeOfNode(name) {
  if (places[name]) {
    const where = (shown[name] || {}).terminal;
    const device = where && places[where];
    return device ? { x: device.x + 22, y: device.y + device.h - 42, w: 116, h: 36 } : places[name];
  }
  const group = stage.nodes.find((each) => each.count > 1 && name.startsWith(each.name));
  return group ? placeOfNode(group.name) : null;
}

function draw() {
  const net = $("net");
  const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.name : "";
  for (const node of stage.nodes) {
    let group = net.querySelector(`[data-name="${CSS.escape(node.name)}"]`);
    if (!group) {
      group = svg("g", { class: `node ${node.section || "network"}`, "data-name": node.name, tabindex: 0, role: "button", "aria-haspopup": "menu" });
      group.append(svg("title", {}, node.title), svg("rect", { rx: 9 }), svg("text", { class: "name" }));
      net.append(group);
    }
    const place = placeOfNode(node.name);
    const terminal = node.section === "devices";
    const label = node.count > 1 ? `${node.name} × ${node.count.toLocaleString("en")}` : node.name;
    const said = terminal ? lines(node.name) : node.section ? [] : [local(node.title)];
    const refuses = !$("refused").hidden && $("refused").dataset.by === node.name;
    const key = [place.x, place.y, place.w, place.h, label, standing.off, refuses, ...said].join("|");
    if (group.dataset.key === key) continue;
    group.dataset.key = key;
    group.setAttribute("transform", `translate(${place.x} ${place.y})`);
    group.setAttribute("aria-label", [words(label), ...said].join(", "));
    group.classList.toggle("bad", terminal && said.some((each) => /^(rejected|refused|call refused|SMS refused)/.test(each)));
    group.classList.toggle("good", terminal && /^(accepted|emergency)/.test(said[0] || ""));
    group.classList.toggle("refusing", refuses);
    group.classList.toggle("switched", standing.off.some((each) => each.startsWith(`${node.kind}/`)));
    const rect = group.querySelector("rect");
    rect.setAttribute("width", place.w); rect.setAttribute("height", place.h);
    const name = group.querySelector(".name");
    name.setAttribute("x", place.w / 2); name.setAttribute("y", terminal ? 20 : node.section ? place.h / 2 + 5 : 25);
    name.textContent = words(label);
    if (name.textContent.length > place.w / 9) { name.setAttribute("textLength", place.w - 10); name.setAttribute("lengthAdjust", "spacingAndGlyphs"); }
    for (const old of group.querySelectorAll(".said")) old.remove();
    const shownOf = said.flatMap((each) => wrapped(each, terminal ? 21 : 18)).slice(0, terminal ? 4 : 3);
    shownOf.forEach((each, number) => group.append(svg("text", { class: "said", x: place.w / 2, y: (terminal ? 38 : 44) + number * (terminal ? 16 : 15) }, each)));
  }
  for (const card of net.querySelectorAll(".cards")) if (card.nextElementSibling && !card.nextElementSibling.matches(".cards, #now")) net.append(card);
  if (focused && (!document.activeElement || document.activeElement === document.body)) net.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus();
}

function clearArrow() { $("now")?.remove(); }

// The arrow of a row, or the mark of a decision, in the network; it opens what the row holds.
function picture(row, batch) {
  clearArrow();
  const [from, to] = [placeOfNode(nameOf(batch, row.s) || row.e), placeOfNode(nameOf(batch, row.d))];
  if (!from) return;
  const middle = (place) => [place.x + place.w / 2, place.y + place.h / 2];
  const [x, y] = middle(from);
  const tone = row.v === "refuse" || row.c ? "bad" : row.v === "admit" ? "good" : "";
  const parts = [];
  let label = [x, from.y - 4];
  if (row.k === "message" && to) {
    const [u, v] = middle(to);
    const length = Math.max(1, Math.hypot(u - x, v - y));
    const [dx, dy] = [(u - x) / length, (v - y) / length];
    parts.push(svg("line", { x1: x, y1: y, x2: u - dx * 30, y2: v - dy * 22 }), svg("path", { d: "M0 0l-11 -6v12z", transform: `translate(${u - dx * 26} ${v - dy * 20}) rotate(${Math.atan2(dy, dx) * 180 / Math.PI})` }));
    label = [(x + u) / 2, (y + v) / 2 - 8];
  } else if (row.k === "decision") parts.push(svg("circle", { cx: from.x + from.w, cy: from.y, r: 13 }), svg("text", { class: "mark", x: from.x + from.w, y: from.y + 6 }, row.v === "refuse" ? "✗" : "✓"));
  const text = `${row.times ? `${row.times.toLocaleString("en")} × ` : ""}${row.k === "message" ? `${row.i} ${row.x}` : row.k === "decision" ? row.o : row.x}`;
  const short = text.length > 48 ? `${text.slice(0, 47)}…` : text;
  const long = short.length * 7.9 + 12;
  const left = Math.min(wide - long, Math.max(0, label[0] - long / 2));
  parts.push(svg("rect", { class: "tag", x: left, y: Math.max(0, label[1] - 14), width: long, height: 19, rx: 5 }), svg("text", { class: "caption", x: left + long / 2, y: Math.max(14, label[1]) }, short));
  const group = svg("g", { id: "now", class: tone, role: "button", tabindex: -1, "aria-label": text }, ...parts);
  group.addEventListener("click", () => open(row, batch));
  $("net").append(group);
}

// -- what a person does

async function post(body) {
  $("wrong").hidden = true;
  performance.clearMarks("acted");
  performance.mark("acted");
  busy += 1; document.body.classList.add("busy");
  try {
    const answer = await fetch("/act", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const said = answer.headers.get("content-type")?.startsWith("application/json") ? await answer.json() : { error: await answer.text() };
    if (said.error) { wrong(said.error); return null; }
    if (said.at) await new Promise((heard) => { awaited.push([said.at, heard]); caughtUp(); });
    return said;
  } catch { wrong(say("lost")); return null; } finally { busy -= 1; document.body.classList.toggle("busy", busy > 0); }
}
// What was done is over for a page when it has heard all of it: up to which network, and which event of that.
let awaited = [], heardOf = [0, 0];
function caughtUp() {
  const [network, place] = heardOf;
  for (const [at, heard] of awaited) if (network > at[0] || (network === at[0] && place >= at[1])) heard();
  awaited = awaited.filter(([at]) => network < at[0] || (network === at[0] && place < at[1]));
}
const act = (step) => { end(); paused = false; buttons(); return post({ step }); };
function wrong(text) { $("wrong").textContent = text; $("wrong").hidden = false; }

async function again(batch) {
  const [verb, value] = Object.entries(batch.facts || {})[0] || [];
  const device = deviceOf(batch);
  const anew = ["power_on", "insert", "move", "hot_swap"].includes(verb) || !verb;
  finish();
  // What was refused may have ended all that the device had: it registers first.
  if (device && (anew || (verb === "send" && (shown[device] || {}).attach !== "accepted")) && (await act({ power_off: device }))) await act({ power_on: device });
  if (!anew) await act({ [verb]: value });
}
async function without(batch, refused) { end(); if (await post({ control: refused.switch, off: true })) await again(batch); }

const filled = (value, name, asked) => JSON.parse(JSON.stringify(value), (_, each) => (typeof each === "string" ? each.replaceAll("{name}", name).replaceAll("{asked}", asked) : each));

function menu(node) {
  const entries = stage.menu.filter((each) => each.kind === node.kind).map((each) => [told(each), () => (each.ask === undefined ? act(filled(each.step, node.name, "")) : ask(each, node))]);
  if (node.section === "cards") entries.unshift(...devices().filter((each) => each.count === node.count).map((each) => [`${say("into")} ${words(each.name)}`, () => put(node.name, each.name)]));
  for (const [name, title] of Object.entries(node.controls)) {
    const control = `${node.kind}/${name}`, off = standing.off.includes(control);
    entries.push([`${say(off ? "turn_on" : "turn_off")} ${name}: ${title}`, () => { end(); post({ control, off: !off }); }]);
  }
  if (!entries.length || isRecorded) return;
  const box = $("menu");
  const shut = () => { box.hidden = true; $("net").querySelector(`[data-name="${CSS.escape(node.name)}"]`).focus(); };
  box.replaceChildren(...entries.map(([text, work]) => make("button", { type: "button", role: "menuitem", onclick: () => { shut(); work(); } }, text)));
  box.onkeydown = (event) => {
    const all = [...box.children], place = all.indexOf(document.activeElement);
    if (event.key === "Escape" || event.key === "Tab") shut();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") all[(place + (event.key === "ArrowDown" ? 1 : all.length - 1)) % all.length].focus(); else if (event.key !== "Escape") return;
    event.preventDefault();
  };
  const at_ = $("net").querySelector(`[data-name="${CSS.escape(node.name)}"]`).getBoundingClientRect();
  // Below it or above, where there is more room: all of the menu is in sight, and none of it under the finger.
  const below = innerHeight - at_.bottom - 8, above = at_.top - 8;
  box.hidden = false;
  box.style.left = "0";
  box.style.maxHeight = `${Math.max(below, above)}px`;
  box.style.left = `${Math.max(4, Math.min(innerWidth - box.offsetWidth - 4, at_.left + scrollX))}px`;
  box.style.top = `${scrollY + (below >= Math.min(above, box.offsetHeight) ? at_.bottom + 2 : at_.top - 2 - box.offsetHeight)}px`;
  box.firstElementChild.focus();
}

function ask(entry, node) {
  const form = $("ask"), input = form.querySelector("input");
  form.querySelector("span").textContent = `${words(node.name)}: ${told(entry)}`;
  input.value = entry.ask;
  form.hidden = false;
  input.focus(); input.select();
  form.onsubmit = (event) => { event.preventDefault(); form.hidden = true; act(filled(entry.step, node.name, input.value)); };
}

function put(card, device) {
  const where = (shown[card] || {}).terminal;
  return act(where && where !== "nowhere" ? { move: { card, to: device } } : { insert: { card, into: device } });
}

function drop(node, x, y) {
  const over = (each) => { const box = $("net").querySelector(`[data-name="${CSS.escape(each.name)}"]`).getBoundingClientRect(); return x >= box.left && x <= box.right && y >= box.top && y <= box.bottom; };
  if (node.section === "cards") { const device = devices().find(over); if (device && (shown[node.name] || {}).terminal !== device.name) put(node.name, device.name); }
  if (node.section === "devices") { const station = stage.nodes.find((each) => Object.keys(each.cells).length && over(each)); if (station) act({ goto: { device: node.name, cell: Object.keys(station.cells)[0] } }); }
}

$("net").addEventListener("pointerdown", (event) => {
  const group = event.target.closest(".node");
  const node = group && stage.nodes.find((each) => each.name === group.dataset.name);
  if (!node || event.button) return;
  const [x, y] = [event.clientX, event.clientY];
  const scale = wide / $("net").getBoundingClientRect().width;
  const drags = node.section && node.count === 1 && !isRecorded;
  let moved = false;
  const move = (each) => {
    moved = moved || Math.hypot(each.clientX - x, each.clientY - y) > 6;
    if (!moved || !drags) return;
    const place = placeOfNode(node.name);
    $("menu").hidden = true;
    group.classList.add("dragged");
    group.setAttribute("transform", `translate(${place.x + (each.clientX - x) * scale} ${place.y + (each.clientY - y) * scale})`);
  };
  const up = (each) => {
    removeEventListener("pointermove", move); removeEventListener("pointerup", up); removeEventListener("pointercancel", up);
    group.classList.remove("dragged");
    group.dataset.key = "";
    draw();
    if (each.type === "pointercancel") return;
    if (moved && drags) drop(node, each.clientX, each.clientY); else if (!moved) menu(node);
  };
  addEventListener("pointermove", move); addEventListener("pointerup", up); addEventListener("pointercancel", up);
});
// A finger that begins on what can be dragged does not scroll the page: touch-action is not heeded inside of SVG.
$("net").addEventListener("touchstart", (event) => { if (event.target.closest(".devices, .cards")) event.preventDefault(); }, { passive: false });
$("net").addEventListener("keydown", (event) => {
  const node = stage.nodes.find((each) => each.name === event.target.dataset?.name);
  if (node && (event.key === "Enter" || event.key === " ")) { event.preventDefault(); menu(node); }
});
addEventListener("pointerdown", (event) => { if (!event.target.closest("#menu, .node")) $("menu").hidden = true; });
$("ladder").addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.classList.contains("row")) event.target.click(); });
addEventListener("keydown", (event) => { if (event.key === "Escape" && !$("panel").hidden) $("panel").querySelector(".close").click(); });

// -- the tour: it plays by itself, or one act at a time for who presents

async function advance() {
  if (!tour) return;
  const story = stage.tour[tour.story];
  const next = story.acts[tour.at++];
  if (!next) {
    if (!tour.auto) return end();
    tour.story = (tour.story + 1) % stage.tour.length;
    $("story").value = String(tour.story);
    return begin();
  }
  if (next.en) narrate([next.en, next.zh]);
  const ticket = tour;
  const wait = (seconds) => { if (ticket === tour && tour.auto) tour.timer = setTimeout(advance, seconds * 1000); };
  if (next.use) return wait(Number(next.use));
  paused = false; buttons();
  const said = await post(next.do ? { step: next.do } : { control: next.off || next.on, off: Boolean(next.off) });
  if (!said || !said.told) wait(2); // else as soon as what was told has been played
}

async function begin() {
  clearTimeout(tour.timer);
  tour.at = 0;
  if (await post({ begin: 0 }) && tour) { narrate([stage.tour[tour.story].en, stage.tour[tour.story].zh]); if (tour.auto) tour.timer = setTimeout(advance, 1500); else await advance(); }
}

function end() { if (tour) clearTimeout(tour.timer); tour = null; buttons(); }

function buttons() {
  $("pause").textContent = say(paused ? "go_on" : "pause");
  $("tour").textContent = say(tour && tour.auto ? "stop" : "play");
  $("next").hidden = isRecorded;
}

$("tour").addEventListener("click", () => {
  if (isRecorded) { if (batches[0]) replay(batches[0]); return; }
  if (tour && tour.auto) return end();
  if (tour) { tour.auto = true; advance(); } else { tour = { story: Number($("story").value), at: 0, auto: true }; begin(); }
  buttons();
});
$("next").addEventListener("click", () => {
  finish();
  if (!tour) { tour = { story: Number($("story").value), at: 0, auto: false }; begin(); } else { clearTimeout(tour.timer); tour.auto = false; advance(); }
  buttons();
});
$("story").addEventListener("change", end);
$("begin").addEventListener("click", () => { end(); post({ begin: Number($("fleet").value) }); });
$("pause").addEventListener("click", () => { paused = !paused; buttons(); clearTimeout(timer); if (!paused) { if (current) beat(); else if (isRecorded && played) playNext(played); } });
$("step").addEventListener("click", () => { paused = true; buttons(); clearTimeout(timer); forward(); });
$("jump").addEventListener("click", jump);
$("end").addEventListener("click", toEnd);
$("ask").querySelector("[data-t=leave]").addEventListener("click", () => { $("ask").hidden = true; });
$("own").addEventListener("submit", async (event) => { event.preventDefault(); if ($("line").value.trim() && await act($("line").value)) $("line").value = ""; });
$("language").addEventListener("click", () => { language = 1 - language; try { localStorage.setItem("language", String(language)); } catch { /* not kept */ } speak(); });

// -- what is off, and what it cost

function banner() {
  const { off, stolen } = standing;
  const counted = [["packets", stolen.packets || 0], ["messages", stolen.messages || 0], ["minutes", ((stolen.seconds || 0) / 60).toFixed(1)]];
  const taken = Object.values(stolen).some(Boolean);
  const box = $("off");
  box.hidden = !off.length && !taken;
  box.classList.toggle("on", !off.length);
  box.replaceChildren(...(off.length ? [make("b", {}, say("off")), ...off.map((each) => make("span", {}, make("code", {}, each), " ", isRecorded ? "" : make("button", { type: "button", onclick: () => post({ control: each, off: false }) }, say("on"))))] : [make("b", {}, say("all_on"))]),
    make("span", { id: "stolen" }, `${say("stolen")}: ${counted.map(([word, number]) => `${number} ${say(word)}`).join(", ")}`));
}

// -- events

function hear(event, isPast) {
  standing = { off: event.off || [], stolen: event.stolen || {} };
  banner();
  if (event.begin) {
    clearTimeout(timer);
    Object.assign(stage, event.begin);
    document.body.dataset.network = (Number(document.body.dataset.network) || 0) + 1;
    batches = []; shown = {}; current = null; played = null; waiting = []; paused = false;
    for (const node of $("net").querySelectorAll(".node, #now")) node.remove();
    $("ladder").replaceChildren(); $("refused").hidden = true;
    layout(); draw(); listed(); stories(); buttons();
    narrate(isRecorded ? WORDS.recording : WORDS.drag);
    return;
  }
  draw();
  if (!event.rows) return;
  batches.push(event);
  for (const fault of event.faults || []) wrong(fault);
  if (isPast) { takeAll(event); return; }
  if (event.use) { if (current || paused || !following) waiting.push(event); else moment(event); return; }
  if (!following) { following = true; restore(batches.length - 1); }
  play(event);
}

// A moment of use that goes on: its packets are seen, and nothing else changes.
function moment(batch) {
  takeAll(batch);
  draw();
  const rows = batch.rows.filter((row) => isVisible(row) && row.k === "message");
  rows.forEach((row, number) => setTimeout(() => { if (!current) picture(row, batch); }, number * Math.min(90, 800 / rows.length)));
}

function stories() {
  const chosen = $("story").value || "0";
  $("story").replaceChildren(...stage.tour.map((each, number) => make("option", { value: number }, told(each))));
  $("story").value = chosen;
}

function speak() {
  document.documentElement.lang = language ? "zh" : "en";
  for (const each of document.querySelectorAll("[data-t]")) each.textContent = say(each.dataset.t);
  $("language").textContent = language ? "English" : "中文";
  $("language").lang = language ? "en" : "zh";
  buttons(); stories(); banner(); placed(); narrate(saying); listed(); draw();
  if (played) $("ladder").querySelector("h2").firstChild.textContent = titleOf(played);
  const refused = played && played.refused[0];
  if (refused && !$("refused").hidden) refusal(played, refused);
}

// Where a page begins that was not there before: at the end of what was done last.
function arrived() {
  const last = batches.findLast((each) => !each.use);
  if (last) { restore(batches.indexOf(last)); play(last); finish(); }
  restore(batches.length);
  draw(); listed();
}

function follow() {
  let isPast = true;
  const source = new EventSource("/events");
  source.onopen = () => { isPast = true; $("wrong").hidden = true; batches = []; for (const [, heard] of awaited.splice(0)) heard(); };
  source.onmessage = (message) => { hear(JSON.parse(message.data), isPast); heardOf = message.lastEventId.split(".").map(Number); caughtUp(); };
  source.addEventListener("now", (message) => {
    const done = Number(message.data);
    $("working").hidden = !done;
    $("working").textContent = say("works").replace("{0}", done.toLocaleString("en"));
    if (isPast && stage.nodes.length) { isPast = false; arrived(); }
  });
  source.onerror = () => { isPast = true; wrong(say("lost")); };
}

speak();
if (isRecorded) {
  document.body.classList.add("recorded");
  unpacked("recorded-story").then((text) => {
    for (const event of JSON.parse(text)) hear(event, true);
    if (batches[0]) replay(batches[0]);
  });
} else follow();
