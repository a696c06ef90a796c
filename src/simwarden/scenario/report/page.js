"use strict";
// What came over a wire is data: it becomes text nodes only (`make`), never markup.
(() => {
  const index = JSON.parse(document.getElementById("index").textContent);
  const scenarios = index.scenarios;
  const $ = (id) => document.getElementById(id);
  const [side, list, main, article, panel, search] = ["side", "list", "main", "scenario", "panel", "search"].map($);
  const MARKS = { passed: "✓", failed: "✗", error: "!", inconclusive: "?" };
  const VERDICTS = ["failed", "error", "inconclusive", "passed"];
  const ladders = new Map();
  const show = { states: false, full: false };
  const unfolded = new Set();
  let shown = scenarios, verdict = "", current = -1, rows = [], selected = null, drawing = 0;

  function make(tag, props, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(props || {})) {
      if (value === undefined || value === false) continue;
      if (name.startsWith("--")) element.style.setProperty(name, value);
      else if (name === "onclick") element.addEventListener("click", value);
      else element.setAttribute(name === "cls" ? "class" : name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
    return element;
  }

  // -- time and text

  function clock(seconds) {
    if (seconds < 86400) return seconds.toFixed(3);
    const minutes = Math.floor((seconds % 86400) / 60);
    const two = (n) => String(n).padStart(2, "0");
    return `${Math.floor(seconds / 86400)}d${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  }
  const lasted = (seconds) => (seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(2)} s`);
  const span = (seconds) => (seconds < 86400 ? `${clock(seconds)} s` : clock(seconds)) + " of network time";
  const counted = (number) => `${number} message${number === 1 ? "" : "s"}`;
  const words = (name) => name.replaceAll("-", " ").replaceAll("_", " ");

  // -- the list

  function texts(each) {
    const proofs = each.proves.map((proof) => `${proof.id} ${proof.clause || ""}`);
    return [each.title, each.name, each.path, ...proofs, ...each.tags, ...each.blocked].join(" ").toLowerCase();
  }
  scenarios.forEach((each, number) => { each.number = number; each.texts = texts(each); });

  function filter() {
    const terms = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = scenarios.filter((each) => (!verdict || each.verdict === verdict) && terms.every((term) => each.texts.includes(term)));
    list.replaceChildren(...shown.map(entry));
    $("empty").hidden = current >= 0 || shown.length > 0;
  }

  function entry(each) {
    const about = [each.path, counted(each.messages), lasted(each.seconds)].join(" · ");
    const link = make("a", { href: `#${encodeURIComponent(each.name)}`, cls: each.verdict, "aria-current": each.number === current && "true" },
      make("span", { cls: "mark", title: each.verdict }, MARKS[each.verdict]), make("span", {}, each.title), make("small", {}, about),
      ...each.blocked.map((control) => make("small", { cls: "block" }, `✗ ${control}`)));
    return make("li", {}, link);
  }

  function heads() {
    const count = Object.fromEntries(VERDICTS.map((each) => [each, scenarios.filter((one) => one.verdict === each).length]));
    const seconds = scenarios.reduce((sum, each) => sum + each.seconds, 0);
    const parts = VERDICTS.filter((each) => count[each]).map((each) => `${count[each]} ${each}`);
    $("summary").textContent = `${scenarios.length} scenario${scenarios.length === 1 ? "" : "s"}: ${parts.join(", ") || "none run"} in ${seconds.toFixed(2)} s`;
    $("bar").append(...VERDICTS.filter((each) => count[each]).map((each) => {
      const piece = make("i", { cls: each });
      piece.style.flexGrow = count[each];
      return piece;
    }));
    const chip = (name, label) => make("button", { type: "button", cls: `chip ${name || "all"}`, "aria-pressed": String(verdict === name),
      onclick: () => { verdict = name; chips(); filter(); } }, label);
    const chips = () => $("chips").replaceChildren(chip("", "all"), ...VERDICTS.filter((each) => count[each]).map((each) => chip(each, `${each} ${count[each]}`)));
    chips();
  }

  // -- a scenario

  async function unpack(number) {
    if (!ladders.has(number)) {
      const packed = $(`ladder-${number}`).textContent;
      let found = [];
      if (packed) {
        const octets = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
        const stream = new Blob([octets]).stream().pipeThrough(new DecompressionStream("deflate"));
        found = JSON.parse(await new Response(stream).text());
      }
      ladders.set(number, found);
    }
    return ladders.get(number);
  }

  async function open(number, wanted) {
    const ticket = ++drawing;
    const changed = number !== current;
    current = number;
    document.body.classList.toggle("open", number >= 0);
    for (const link of list.querySelectorAll("a")) link.removeAttribute("aria-current");
    if (number < 0) { article.hidden = true; close(false); filter(); return; }
    const each = scenarios[number];
    const link = list.querySelector(`a[href="#${CSS.escape(encodeURIComponent(each.name))}"]`);
    if (link) { link.setAttribute("aria-current", "true"); link.scrollIntoView({ block: "nearest" }); }
    document.title = `${each.title} · simwarden report`;
    if (changed) {
      let all;
      try { all = await unpack(number); } catch (error) { all = []; each.broken = String(error); }
      if (ticket !== drawing) return;
      rows = all; unfolded.clear(); close(false);
      draw();
      if (!wanted) scrollTo(0, 0);
    }
    if (wanted) {
      const row = rows.find((one) => one.n === wanted);
      if (row) { reveal(row); select(row, true); }
    }
  }

  function draw() {
    const each = scenarios[current];
    article.replaceChildren(header(each), ...(each.failure ? [failure(each)] : []), ...(rows.length ? [tools(each), ladder(each)] : [make("p", { cls: "empty" },
      each.broken ? `The ladder could not be unpacked: ${each.broken}` : "No trace of this scenario was kept (see --trace).")]));
    article.hidden = false;
    $("empty").hidden = true;
    if (selected) mark();
  }

  function header(each) {
    const proofs = each.proves.map((proof) => make("button", { type: "button", cls: "tag", title: `${proof.clause || ""} ${proof.rule || ""}`.trim(),
      onclick: () => { search.value = proof.id; verdict = ""; filter(); if (matchMedia("(max-width: 760px)").matches) go(""); } }, proof.clause ? `${proof.id} · ${proof.clause}` : proof.id));
    const twin = each.twin && make("span", {}, "twin ", each.twin_name ? make("a", { href: `#${encodeURIComponent(each.twin_name)}` }, each.twin) : each.twin);
    return make("header", {},
      make("button", { type: "button", cls: "back", onclick: () => go("") }, "‹ All scenarios"),
      make("div", {}, make("span", { cls: `verdict ${each.verdict}` }, each.verdict)),
      make("h2", {}, each.title),
      make("p", { cls: "meta" }, make("code", {}, each.path), make("span", {}, `${lasted(each.seconds)} for ${span(each.virtual)}`), make("span", {}, each.run), twin,
        each.capture && make("a", { href: encodeURI(each.capture), download: true }, "capture (pcapng)")),
      each.about && make("p", { cls: "about" }, each.about),
      make("div", {}, ...proofs, ...each.tags.map((tag) => make("span", { cls: "tag" }, `#${tag}`))));
  }

  function failure(each) {
    const record = each.failure;
    const place = [record.place.file, record.place.line, record.place.column].filter(Boolean).join(":");
    const diffs = record.mismatches.map((one) => {
      const jump = one.event ? make("a", { href: `#${encodeURIComponent(each.name)}/${one.event}` }, " see it") : "";
      return make("div", { cls: "diff" }, make("b", {}, `${one.subject}${one.place.line ? ` (line ${one.place.line})` : ""}`), jump,
        make("del", {}, `- want  ${one.want}`), make("ins", {}, `+ got   ${one.got}`));
    });
    const kept = record.kept ? ` (kept from before: decided at ${record.kept})` : "";
    const by = record.control ? make("p", {}, `Decided by ${record.element}, control `, make("code", {}, record.control), record.clause ? `, clause ${record.clause}: ` : ": ", record.reason, kept)
      : record.element && make("p", {}, `Demanded of ${record.element} by ${record.clause}, no control decided: ${record.reason}`);
    const beside = [...record.links.map((link) => `No link: ${link}`), ...record.ignored].map((text) => make("p", {}, text));
    return make("section", { cls: `failure ${each.verdict}` }, make("h3", {}, record.summary), make("p", {}, make("code", {}, place), ` ${record.step}`), ...diffs, by, ...beside,
      record.detail && make("pre", {}, record.detail), record.rerun && make("p", {}, "Run it alone: ", make("code", {}, record.rerun)));
  }

  function tools(each) {
    const blocks = refusals().length;
    const box = (name, label) => {
      const input = make("input", { type: "checkbox" });
      input.checked = show[name];
      input.addEventListener("change", () => { show[name] = input.checked; draw(); });
      return make("label", {}, input, label);
    };
    return make("div", { cls: "tools" }, make("span", {}, `${counted(each.messages)}, ${each.steps[0]} of ${each.steps[1]} steps`), make("span", { cls: "grow" }),
      box("full", "unfold all"), box("states", "states"), make("button", { type: "button", cls: "link", id: "copy", onclick: copy }, "copy as text ( c )"),
      blocks ? make("button", { type: "button", cls: "link", onclick: () => jump(1) }, `next of ${blocks} refused ( x )`) : "");
  }

  function plain() {
    const each = scenarios[current];
    const name = (lane, row) => (lane >= 0 ? each.lanes[lane].name : row.e || "");
    const wide = Math.max(0, ...each.lanes.map((lane) => lane.name.length));
    const said = (row) => {
      const time = clock(row.t).padStart(10);
      if (row.k === "step") return `${(row.f || {}).step}  ${row.x}`;
      if (row.k === "message") return `${time}  ${name(row.s, row).padStart(wide)} -> ${name(row.d, row).padEnd(wide)}  ${row.i.padEnd(7)}  ${row.x}`;
      if (row.k !== "decision") return `${time}  ${name(row.s, row).padStart(wide)}: ${row.x}`;
      return `${time}  ${name(row.s, row).padStart(wide)}: ${row.v === "refuse" ? "REFUSED" : "admitted"} ${row.o}${row.u ? ` (${row.u})` : ""}: ${row.x}`;
    };
    return [`${each.title} (${each.path}): ${each.verdict}`, ...rows.filter(isShown).filter((row) => !isQuiet(row)).map(said), ""].join("\n");
  }

  async function copy() {
    const text = plain();
    try { await navigator.clipboard.writeText(text); } catch {
      const area = make("textarea", {}); // browsers that refuse the clipboard to a file's page
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const button = $("copy");
    if (button) { button.textContent = "copied"; setTimeout(() => { button.textContent = "copy as text ( c )"; }, 1500); }
  }

  // -- the ladder

  const isBlock = (row) => row.v === "refuse" || Boolean(row.c);
  const refusals = () => {
    const decided = rows.filter((row) => row.k === "decision" && row.v === "refuse");
    return decided.length ? decided : rows.filter(isBlock).filter(isShown);
  };
  const isQuiet = (row) => row.q && !show.full;
  const isShown = (row) => (row.k !== "state" || show.states) && !(row.k === "note" && isQuiet(row));

  function groups() {
    const found = [];
    let run = null;
    for (const row of rows.filter(isShown)) {
      if (!isQuiet(row)) { run = null; found.push([row]); continue; }
      if (run) run.push(row); else found.push(run = [row]);
    }
    return found;
  }

  function ladder(each) {
    const box = make("div", { cls: "ladder", role: "list", "aria-label": "Ladder", "--n": each.lanes.length });
    const names = each.lanes.map((lane) => make("span", { title: `${lane.name}${lane.title ? `: ${lane.title}` : ""}`, cls: lane.external && "external" }, lane.name));
    box.append(make("div", { cls: "heads" }, make("span", {}), make("div", { cls: "lanes" }, ...names)));
    let time = "";
    for (const group of groups()) {
      const fold = isQuiet(group[0]);
      if (fold) box.append(folded(group, each));
      if (fold && !unfolded.has(group[0].n)) continue;
      for (const row of group) {
        const stamp = clock(row.t);
        box.append(line(row, stamp === time ? "" : stamp, each));
        time = row.k === "step" ? "" : stamp;
      }
    }
    box.addEventListener("click", clicked);
    return box;
  }

  function folded(group, each) {
    const messages = group.filter((row) => row.k === "message");
    const lanes = messages.flatMap((row) => [row.s, row.d]).filter((lane) => lane >= 0);
    const names = [...new Set(messages.map((row) => row.i))].join(", ");
    const open = unfolded.has(group[0].n);
    const cells = make("div", { cls: "cells" }, label(Math.min(...lanes), Math.max(...lanes), each, make("span", {}, `${open ? "▾" : "▸"} ${counted(messages.length)} on ${names}`)));
    return make("div", { cls: "row fold", role: "listitem", tabindex: -1, "data-fold": group[0].n, "aria-expanded": String(open) }, make("time", {}), cells);
  }

  function label(low, high, each, ...parts) {
    const far = low + high + 1 > each.lanes.length;
    return make("div", { cls: `label${far ? " far" : ""}`, "--from": low + 0.5, "--to": high + 0.5, "--at": low }, ...parts);
  }

  function line(row, time, each) {
    const common = { role: "listitem", tabindex: -1, "data-n": row.n };
    if (row.k === "step") {
      return make("div", { ...common, cls: "step" }, row.l ? make("small", {}, `line ${row.l}`) : "", make("i", {}, String((row.f || {}).step || "")), row.x);
    }
    const classes = `row ${row.k} ${row.v || ""} ${row.c ? "cause" : ""} ${row.k === "message" ? "" : "dot"}`;
    return make("div", { ...common, cls: classes, "aria-label": spoken(row, each) }, make("time", {}, time), row.k === "message" ? arrow(row, each) : dot(row, each));
  }

  function spoken(row, each) {
    const name = (lane) => (lane >= 0 ? each.lanes[lane].name : row.e || "");
    return row.k === "message" ? `${name(row.s)} to ${name(row.d)}, ${row.i}: ${row.x}` : `${name(row.s)}: ${row.v || ""} ${row.o || ""} ${row.x}`;
  }

  function arrow(row, each) {
    const [low, high] = [Math.min(row.s, row.d), Math.max(row.s, row.d)];
    const text = label(low, high, each, make("span", { cls: "if" }, row.i), make("span", { cls: "tx", title: row.x }, row.x));
    const shaft = make("div", { cls: `arrow ${row.d > row.s ? "right" : "left"}`, "--from": low + 0.5, "--to": high + 0.5 });
    return make("div", { cls: "cells" }, text, low < 0 || low === high ? "" : shaft);
  }

  function dot(row, each) {
    const at = Math.max(row.s, 0);
    const signs = { decision: row.v === "refuse" ? "✗" : "✓", fault: "✗", "peer-fault": "✗" };
    const who = row.s >= 0 ? each.lanes[row.s].name : row.e || "";
    const said = [];
    if (row.k === "decision" && row.v === "refuse") {
      const subject = (row.f || {}).subject;
      said.push(make("b", {}, `Refused by ${who}: ${row.o}`), make("em", {}, row.x), row.u || subject ? make("small", {}, [row.u && `clause ${row.u}`, subject && `subject ${subject}`].filter(Boolean).join(" · ")) : "");
    } else if (row.k === "decision") said.push(`${row.o}: ${row.x}`);
    else said.push(`${who}: ${row.x}`);
    return make("div", { cls: "cells" }, make("span", { cls: "spot", "--at": at }, signs[row.k] || ""), label(at, at, each, make("span", {}, ...said)));
  }

  // -- selection and the panel

  const lines = () => [...article.querySelectorAll(".row, .step")];
  const elementOf = (row) => article.querySelector(`[data-n="${row.n}"]`);

  function clicked(event) {
    const element = event.target.closest(".row");
    if (!element) return;
    if (element.dataset.fold) toggle(Number(element.dataset.fold));
    else select(rows.find((row) => row.n === Number(element.dataset.n)), true);
  }

  function toggle(number) {
    if (!unfolded.delete(number)) unfolded.add(number);
    draw();
    focusOn(article.querySelector(`[data-fold="${number}"]`));
  }

  function reveal(row) {
    if (row.k === "state" && !show.states) show.states = true;
    const group = groups().find((one) => one.includes(row));
    if (group && isQuiet(group[0])) unfolded.add(group[0].n);
    if (!elementOf(row)) draw();
  }

  function focusOn(element) {
    for (const old of article.querySelectorAll("[aria-selected]")) old.removeAttribute("aria-selected");
    if (!element) return;
    element.setAttribute("aria-selected", "true");
    element.focus({ preventScroll: true });
    const box = element.getBoundingClientRect();
    const floor = innerHeight - (panel.hidden || getComputedStyle(panel).position !== "fixed" || innerWidth > 760 ? 40 : panel.offsetHeight + 10);
    if (box.top < 90 || box.bottom > floor) scrollBy(0, box.top - Math.min(innerHeight / 3, Math.max(100, floor / 2)));
  }

  const mark = () => { const element = elementOf(selected); if (element) element.setAttribute("aria-selected", "true"); };

  function select(row, opens) {
    if (!row) return;
    selected = row;
    if (opens || !panel.hidden) fill(row);
    focusOn(elementOf(row));
    const address = `#${encodeURIComponent(scenarios[current].name)}/${row.n}`;
    if (location.hash !== address) history.replaceState(null, "", address);
  }

  function close(keeps) {
    panel.hidden = true;
    document.body.classList.remove("panel");
    if (!keeps) selected = null;
  }

  function fill(row) {
    const each = scenarios[current];
    const name = (lane) => (lane >= 0 ? each.lanes[lane].name : row.e || "");
    const path = row.k === "message" ? `${name(row.s)} → ${name(row.d)} on ${row.i}` : name(row.s);
    const titles = { message: words(row.m || ""), decision: `${row.o}`, step: "step" };
    const why = row.k === "decision" ? [`${row.v === "refuse" ? "Refused" : "Admitted"}${row.u ? ` by clause ${row.u}` : ""}: ${row.x}`] : row.c ? [row.c] : [];
    const fields = Object.entries(row.f || {});
    panel.replaceChildren(
      make("header", {}, make("h3", {}, titles[row.k] || row.k), make("button", { type: "button", cls: "close", "aria-label": "Close", onclick: () => { close(true); focusOn(elementOf(row)); } }, "×")),
      make("p", { cls: "sub" }, `${path} · ${clock(row.t)} s · event ${row.n}`),
      ...why.map((text) => make("p", { cls: `why ${row.v === "admit" ? "good" : ""}` }, text)),
      row.k !== "decision" ? make("p", { cls: "sub" }, row.x) : "",
      ...(fields.length ? [make("h4", {}, "Fields"), make("div", { cls: "fields" }, ...fields.map(field))] : []),
      ...(row.b ? [make("h4", {}, `Octets (${row.b.length / 2}), keys zeroed`), make("pre", {}, dump(row.b))] : []));
    panel.hidden = false;
    panel.scrollTop = 0;
    document.body.classList.add("panel");
  }

  function field([name, value]) {
    if (value !== null && typeof value === "object") {
      const inside = Object.entries(value);
      if (!inside.length) return make("div", { cls: "f" }, make("span", {}, name), make("span", {}, Array.isArray(value) ? "[]" : "{}"));
      return make("details", { open: true }, make("summary", {}, Array.isArray(value) ? `${name} [${inside.length}]` : name), make("div", {}, ...inside.map(field)));
    }
    const text = typeof value === "string" && value.includes("\n") ? make("pre", {}, value) : make("span", {}, String(value));
    return make("div", { cls: "f" }, make("span", {}, name), text);
  }

  function dump(hex) {
    const found = [];
    for (let at = 0; at < hex.length; at += 16) {
      const pairs = hex.slice(at, at + 16).match(/../g);
      const ascii = pairs.map((pair) => { const code = parseInt(pair, 16); return code > 31 && code < 127 ? String.fromCharCode(code) : "·"; }).join("");
      found.push(`${(at / 2).toString(16).padStart(4, "0")}  ${pairs.join(" ").padEnd(23)}  ${ascii}`);
    }
    return found.join("\n");
  }

  // -- keys and addresses

  function step(by) {
    const all = lines().filter((element) => element.classList.contains("row"));
    const at = all.findIndex((element) => element.getAttribute("aria-selected") === "true");
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
    if (!next) return;
    if (next.dataset.fold) { selected = null; focusOn(next); } else select(rows.find((row) => row.n === Number(next.dataset.n)), false);
  }

  function jump(by) {
    const blocks = refusals();
    const at = selected ? selected.n : by > 0 ? -1 : Infinity;
    const next = by > 0 ? blocks.find((row) => row.n > at) || blocks[0] : blocks.findLast((row) => row.n < at) || blocks.at(-1);
    if (next) { reveal(next); select(next, !panel.hidden); }
  }

  function other(by) {
    const at = shown.findIndex((each) => each.number === current);
    const next = shown[Math.min(shown.length - 1, Math.max(0, at + by))];
    if (next) go(next.name);
  }

  function go(name) {
    if (name) { location.hash = `#${encodeURIComponent(name)}`; return; }
    history.pushState(null, "", location.pathname + location.search);
    open(-1);
  }

  function entered() {
    const element = article.querySelector('[aria-selected="true"]');
    if (element && element.dataset.fold) toggle(Number(element.dataset.fold));
    else if (selected) select(selected, true);
  }

  function escaped() {
    if (!panel.hidden) { close(true); if (selected) focusOn(elementOf(selected)); } else if (document.activeElement === search && search.value) { search.value = ""; filter(); } else if (current >= 0) go("");
  }

  const flip = (name) => { show[name] = !show[name]; if (current >= 0) draw(); };
  const KEYS = {
    j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1), Enter: entered, Escape: escaped, x: () => jump(1), X: () => jump(-1),
    n: () => other(1), p: () => other(-1), f: () => flip("full"), s: () => flip("states"), c: () => { if (current >= 0 && rows.length) copy(); }, "/": () => { if (innerWidth <= 760) go(""); search.focus(); search.select(); }, "?": () => $("help").showModal(),
  };

  document.addEventListener("keydown", (event) => {
    const typing = event.target === search;
    if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
    if (typing && event.key === "Enter") { search.blur(); if (shown.length) go(shown[0].name); event.preventDefault(); return; }
    if (typing && event.key !== "Escape") return;
    if (event.key === "Enter" && event.target.closest("a, button, summary, input")) return;
    const action = KEYS[event.key];
    if (!action || (event.key.startsWith("Arrow") && current < 0)) return;
    event.preventDefault();
    if (typing) search.blur();
    action();
  });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-do=help]")) $("help").showModal(); });
  search.addEventListener("input", filter);

  function follow() {
    let address = "";
    try { address = location.hash.slice(1).split("/").map(decodeURIComponent); } catch { address = [""]; }
    const [name, number] = address;
    const found = scenarios.findIndex((each) => each.name === name);
    if (found >= 0) open(found, Number(number) || 0);
    else if (innerWidth > 760 && scenarios.length) open(Math.max(0, scenarios.findIndex((each) => each.verdict !== "passed")), 0);
    else open(-1);
  }
  addEventListener("hashchange", follow);
  addEventListener("popstate", () => { if (!location.hash) open(-1); });
  heads();
  filter();
  follow();
})();
