(() => {
  const index = JSON.parse(document.getElementById("index").textContent);
  const scenarios = index.scenarios;
  const $ = (id) => document.getElementById(id);
  const [side, list, main, article, panel, search, first, file] = ["side", "list", "main", "scenario", "panel", "search", "overview", "file"].map($);
  const MARKS = { passed: "✓", failed: "✗", error: "!", inconclusive: "?" };
  const VERDICTS = ["failed", "error", "inconclusive", "passed"];
  const ladders = new Map();
  const show = { states: false, full: false, delta: false };
  const only = { interface: "", lane: -1 };
  const unfolded = new Set();
  let shown = scenarios, verdict = "", current = -1, rows = [], selected = null, drawing = 0, seeking = 0, hits = new Map(), differs = null;

  const span = (seconds) => (seconds < 86400 ? `${clock(seconds)} s` : clock(seconds)) + " of network time";

  // -- the list

  function texts(each) {
    const proofs = each.proves.map((proof) => `${proof.id} ${proof.clause || ""}`);
    return [each.title, each.name, each.path, ...proofs, ...each.tags, ...each.blocked].join(" ").toLowerCase();
  }
  scenarios.forEach((each, number) => { each.number = number; each.texts = texts(each); });

  const terms = () => search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const seek = finder(scenarios, unpack);

  function filter() {
    const wanted = terms();
    const ticket = ++seeking;
    hits = new Map();
    list_(wanted);
    if (wanted.join("").length < 2) return;
    $("found").textContent = "Looking into messages and fields …";
    setTimeout(async () => {
      if (ticket !== seeking) return;
      const found = await seek(wanted, () => ticket !== seeking);
      if (found) { hits = found; list_(wanted); told(wanted); }
    }, 150);
  }

  function list_(wanted) {
    shown = scenarios.filter((each) => (!verdict || each.verdict === verdict) && (wanted.every((term) => each.texts.includes(term)) || hits.has(each.number)));
    list.replaceChildren(...shown.flatMap((each, position) => [folder(each, shown[position - 1]), entry(each)].filter(Boolean)));
    $("found").textContent = "";
    if (!shown.length && wanted.join("").length < 2) told(wanted);
  }

  function told(wanted) {
    const messages = shown.reduce((sum, each) => sum + (hits.get(each.number) || []).length, 0);
    const among = verdict ? `${verdict} scenarios` : some(scenarios.length, "scenario");
    $("found").textContent = shown.length ? `${some(shown.length, "scenario")}, ${some(messages, "place")} in ladders`
      : `Nothing found: in ${among} no title, file, clause, control, tag, message or field has “${wanted.join(" ")}”.`;
  }

  function folder(each, previous) {
    if (each.folder === (previous ? previous.folder : "")) return null;
    return make("li", { cls: "folder" }, each.folder || "/", make("small", {}, some(shown.filter((one) => one.folder === each.folder).length, "scenario")));
  }

  function entry(each) {
    const about = [each.path, counted(each.messages), lasted(each.seconds)].join(" · ");
    const link = make("a", { href: `#${encodeURIComponent(each.name)}`, cls: each.verdict, "aria-current": each.number === current && "true" },
      make("span", { cls: "mark", title: each.verdict }, MARKS[each.verdict]), make("span", {}, each.title), make("small", {}, about),
      ...(each.stopped.length ? each.stopped.map((one) => make("small", { cls: "block" }, `✗ ${one.element}: ${one.control}${one.told ? ` · ${one.told}` : ""}`)) : each.blocked.map((control) => make("small", { cls: "block" }, `✗ ${control}`))));
    const found = hits.get(each.number) || [];
    const places = found.slice(0, 3).map((hit) => make("a", { cls: "hit", href: addressOf(each.name, hit.number) }, hit.said));
    return make("li", {}, link, ...places, found.length > 3 ? make("small", { cls: "hit" }, `and ${found.length - 3} more`) : "");
  }

  function heads() {
    const count = Object.fromEntries(VERDICTS.map((each) => [each, scenarios.filter((one) => one.verdict === each).length]));
    const parts = VERDICTS.filter((each) => count[each]).map((each) => `${count[each]} ${each}`);
    $("summary").textContent = `${scenarios.length} scenario${scenarios.length === 1 ? "" : "s"}: ${parts.join(", ") || "none run"} in ${index.seconds.toFixed(2)} s`;
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
    if (!ladders.has(number)) ladders.set(number, JSON.parse((await unpacked(`ladder-${number}`)) || "[]"));
    return ladders.get(number);
  }

  async function open(number, wanted) {
    const ticket = ++drawing;
    const changed = number !== current;
    current = number;
    document.body.classList.toggle("open", number >= 0);
    for (const link of list.querySelectorAll("a")) link.removeAttribute("aria-current");
    first.hidden = number >= 0;
    if (number < 0) { article.hidden = true; close(false); document.title = "simwarden report"; return; }
    const each = scenarios[number];
    const link = list.querySelector(`a[href="#${CSS.escape(encodeURIComponent(each.name))}"]`);
    if (link) { link.setAttribute("aria-current", "true"); link.scrollIntoView({ block: "nearest" }); }
    document.title = `${each.title} · simwarden report`;
    if (changed) {
      let all;
      try { all = await unpack(number); } catch (error) { all = []; each.broken = String(error); }
      if (ticket !== drawing) return;
      rows = all; unfolded.clear(); close(false);
      Object.assign(only, { interface: "", lane: -1 }); differs = null;
      draw();
      compare(each, ticket);
      if (!wanted) scrollTo(0, 0);
    }
    if (wanted) {
      const row = rows.find((one) => one.n === wanted);
      if (row) { reveal(row); select(row, true); } else warn(`This scenario has no event ${wanted}.`);
    }
  }

  function warn(text) {
    (current < 0 ? first : article).prepend(make("p", { cls: "warning", role: "alert" }, text));
  }

  async function compare(each, ticket) {
    const other = scenarios.find((one) => one.name === (each.twin_name || each.twin_of));
    if (!other || !rows.length) return;
    let others;
    try { others = await unpack(other.number); } catch { return; }
    const found = others.length ? firstDifference(each, rows, other, others) : null;
    if (ticket !== drawing || !found) return;
    differs = { here: found[0], there: found[1], other };
    draw();
  }

  function draw() {
    const each = scenarios[current];
    const warning = article.querySelector(".warning");
    article.replaceChildren(...(warning ? [warning] : []), header(each), ...(each.failure ? [failure(each)] : []), ...(rows.length ? [tools(each), ladder(each)] : [make("p", { cls: "empty" },
      each.broken ? `The ladder could not be unpacked: ${each.broken}` : "No trace of this scenario was kept (see --trace).")]));
    article.hidden = false;
    if (selected) mark();
  }

  function header(each) {
    const proofs = each.proves.map((proof) => make("button", { type: "button", cls: "tag", title: `${proof.clause || ""} ${proof.rule || ""}`.trim(),
      onclick: () => { search.value = proof.id; verdict = ""; filter(); if (matchMedia("(max-width: 760px)").matches) go(""); } }, proof.clause ? `${proof.id} · ${proof.clause}` : proof.id));
    const partner = each.twin_name || each.twin_of;
    const twin = (each.twin || partner) && make("span", {}, each.twin ? "twin " : "twin of ", partner ? make("a", { href: addressOf(partner) }, each.twin || partner) : each.twin,
      differs ? make("span", {}, " · ", make("a", { cls: "difference", href: addressOf(each.name, differs.here) }, "first difference here"), ", ", make("a", { href: addressOf(differs.other.name, differs.there) }, "there")) : "");
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
    const beside = [...record.links.map((link) => `No link: ${link}`), ...record.ignored, ...record.outside].map((text) => make("p", {}, text));
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
    const choice = (name, label, all, options) => {
      const input = make("select", { "aria-label": label, id: `only-${name}` }, make("option", { value: all }, `all ${label}s`), ...options.map(([value, text]) => make("option", { value }, text)));
      input.value = String(only[name]);
      input.addEventListener("change", () => { only[name] = name === "lane" ? Number(input.value) : input.value; draw(); });
      return input;
    };
    const names = [...new Set(rows.filter((row) => row.i && row.k === "message").map((row) => row.i))].sort();
    const button = (id, text, work) => make("button", { type: "button", cls: "link", id, onclick: work }, text);
    return make("div", { cls: "tools" }, make("span", {}, `${counted(each.messages)}, ${each.steps[0]} of ${each.steps[1]} steps`), make("span", { cls: "grow" }),
      choice("interface", "interface", "", names.map((name) => [name, name])), choice("lane", "lane", -1, each.lanes.map((lane, number) => [number, lane.name])),
      box("full", "unfold all"), box("states", "states"), box("delta", "delta times"), each.source && button("yaml", "the file ( y )", () => source(0)),
      button("copy", "copy as text ( c )", () => copy("copy", asText)), button("copy-svg", "as SVG", () => copy("copy-svg", asSvg)),
      blocks ? make("button", { type: "button", cls: "link", onclick: () => jump(1) }, `next of ${blocks} refused ( x )`) : "");
  }

  async function copy(id, form) {
    await clip(form(scenarios[current], rows.filter(isShown).filter((row) => !isQuiet(row))));
    const button = $(id);
    if (!button) return;
    const before = button.textContent;
    button.textContent = "copied";
    setTimeout(() => { button.textContent = before; }, 1500);
  }

  // -- the file beside the ladder

  async function source(line) {
    const text = await unpacked(`file-${current}`);
    const shownLines = text.replace(/\n$/, "").split("\n").map((each, index) => make("span", { cls: index + 1 === line && "here", "data-line": index + 1 }, `${each}\n`));
    file.replaceChildren(make("header", {}, make("h3", {}, scenarios[current].path), make("button", { type: "button", cls: "close", "aria-label": "Close", onclick: () => close(true) }, "×")),
      make("pre", { tabindex: 0, "aria-label": "The scenario's file" }, ...shownLines));
    panel.hidden = true;
    file.hidden = false;
    document.body.classList.add("panel");
    const here = file.querySelector(".here");
    if (here) here.scrollIntoView({ block: "center" });
  }

  // -- the ladder

  const isBlock = (row) => row.v === "refuse" || Boolean(row.c);
  const refusals = () => {
    const decided = rows.filter((row) => row.k === "decision" && row.v === "refuse");
    return decided.length ? decided : rows.filter(isBlock).filter(isShown);
  };
  const isQuiet = (row) => row.q && !show.full;
  const isChosen = (row) => row.k === "step" || ((!only.interface || row.i === only.interface || row.k === "decision") && (only.lane < 0 || row.s === only.lane || row.d === only.lane));
  const isShown = (row) => (row.k !== "state" || show.states) && !(row.k === "note" && isQuiet(row)) && isChosen(row);

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
    const box = make("div", { cls: "ladder", role: "group", "aria-label": "Ladder", "--n": each.lanes.length });
    const names = each.lanes.map((lane) => make("span", { title: `${lane.name}${lane.title ? `: ${lane.title}` : ""}`, cls: lane.external && "external" }, lane.name));
    box.append(make("div", { cls: "heads" }, make("span", {}), make("div", { cls: "lanes" }, ...names)));
    let time = "", before = 0, step = -1;
    for (const group of groups()) {
      if (group[0].k === "step") { box.append(...expected(each, step)); step = ((group[0].f || {}).step || 0) - 1; }
      const fold = isQuiet(group[0]);
      if (fold) box.append(folded(group, each));
      if (fold && !unfolded.has(group[0].n)) continue;
      for (const row of group) {
        const stamp = show.delta ? `+${clock(row.t - before)}` : clock(row.t);
        box.append(line(row, stamp === time ? "" : stamp, each));
        time = row.k === "step" || show.delta ? "" : stamp;
        before = row.t;
      }
    }
    box.append(...expected(each, step));
    box.addEventListener("click", clicked);
    return box;
  }

  function expected(each, step) {
    const steps = rows.filter((row) => row.k === "step");
    const [from, to] = [(steps[step] || {}).l || 0, (steps[step + 1] || {}).l || Infinity];
    const missed = each.failure ? each.failure.mismatches.filter((one) => step >= 0 && one.place.line >= from && one.place.line < to && one.place.file === each.path) : [];
    const row = (one, good) => make("div", { cls: `expect ${good ? "good" : "bad"}` }, make("span", { cls: "sign", title: good ? "met" : "not met" }, good ? "✓" : "✗"), make("b", {}, one.subject), make("code", {}, one.want),
      good ? one.got !== one.want && make("span", {}, make("i", {}, "met by "), one.got) : make("span", {}, make("i", {}, "got "), one.got),
      one.event ? make("a", { href: addressOf(each.name, one.event) }, "see it") : "");
    return [...each.met.filter((one) => one.step === step).map((one) => row(one, true)), ...missed.map((one) => row(one, false))];
  }

  function folded(group, each) {
    const messages = group.filter((row) => row.k === "message");
    const lanes = messages.flatMap((row) => [row.s, row.d]).filter((lane) => lane >= 0);
    const names = [...new Set(messages.map((row) => row.i))].join(", ");
    const open = unfolded.has(group[0].n);
    const cells = make("div", { cls: "cells" }, label(Math.min(...lanes), Math.max(...lanes), each, make("span", {}, `${open ? "▾" : "▸"} ${counted(messages.length)} on ${names}`)));
    return make("div", { cls: "row fold", role: "button", tabindex: -1, "data-fold": group[0].n, "aria-expanded": String(open) }, make("time", {}), cells);
  }

  function line(row, time, each) {
    const common = { role: "button", tabindex: -1, "data-n": row.n };
    if (row.k === "step") {
      const where = row.l && make(each.source ? "button" : "small", each.source ? { type: "button", cls: "link", onclick: () => source(row.l) } : {}, `line ${row.l}`);
      return make("div", { cls: "step", "data-n": row.n, tabindex: -1 }, where, make("i", {}, String((row.f || {}).step || "")), row.x);
    }
    const classes = `row ${row.k} ${row.v || ""} ${row.c ? "cause" : ""} ${row.k === "message" ? "" : "dot"} ${differs && differs.here === row.n ? "differs" : ""}`;
    return make("div", { ...common, cls: classes, "aria-label": spoken(row, each) }, make("time", {}, time), row.k === "message" ? arrow(row, each) : dot(row, each));
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
    if (!isChosen(row)) Object.assign(only, { interface: "", lane: -1 });
    const group = groups().find((one) => one.includes(row));
    if (group && isQuiet(group[0])) unfolded.add(group[0].n);
    if (!elementOf(row)) draw();
  }

  function focusOn(element) {
    for (const old of article.querySelectorAll("[aria-current]")) old.removeAttribute("aria-current");
    if (!element) return;
    element.setAttribute("aria-current", "true");
    element.focus({ preventScroll: true });
    const box = element.getBoundingClientRect();
    const floor = innerHeight - (panel.hidden || getComputedStyle(panel).position !== "fixed" || innerWidth > 760 ? 40 : panel.offsetHeight + 10);
    if (box.top < 90 || box.bottom > floor) scrollBy(0, box.top - Math.min(innerHeight / 3, Math.max(100, floor / 2)));
  }

  const mark = () => { const element = elementOf(selected); if (element) element.setAttribute("aria-current", "true"); };

  function select(row, opens) {
    if (!row) return;
    selected = row;
    if (opens || !panel.hidden) fill(row);
    focusOn(elementOf(row));
    const address = `#${encodeURIComponent(scenarios[current].name)}/${row.n}`;
    if (location.hash !== address) history.replaceState(null, "", address);
  }

  function close(keeps) {
    panel.hidden = file.hidden = true;
    document.body.classList.remove("panel");
    if (!keeps) selected = null;
  }

  function fill(row) {
    panel.replaceChildren(...details(row, scenarios[current], () => { close(true); focusOn(elementOf(row)); }));
    panel.hidden = false;
    file.hidden = true;
    panel.scrollTop = 0;
    document.body.classList.add("panel");
  }

  // -- keys and addresses

  function step(by) {
    const all = lines().filter((element) => element.classList.contains("row"));
    const at = all.findIndex((element) => element.getAttribute("aria-current") === "true");
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
    const element = article.querySelector('[aria-current="true"]');
    if (element && element.dataset.fold) toggle(Number(element.dataset.fold));
    else if (selected) select(selected, true);
  }

  function escaped() {
    if (!panel.hidden || !file.hidden) { close(true); if (selected) focusOn(elementOf(selected)); } else if (document.activeElement === search && search.value) { search.value = ""; filter(); } else if (current >= 0) go("");
  }

  const flip = (name) => { show[name] = !show[name]; if (current >= 0) draw(); };
  const KEYS = {
    j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1), Enter: entered, Escape: escaped, x: () => jump(1), X: () => jump(-1),
    n: () => other(1), p: () => other(-1), f: () => flip("full"), s: () => flip("states"), c: () => { if (current >= 0 && rows.length) copy("copy", asText); }, d: () => flip("delta"), y: () => { if (current >= 0 && scenarios[current].source) { if (file.hidden) source(0); else close(true); } }, "/": () => { if (innerWidth <= 760) go(""); search.focus(); search.select(); }, "?": () => $("help").showModal(),
  };

  document.addEventListener("keydown", (event) => {
    const typing = event.target === search;
    if (event.target.tagName === "SELECT") return;
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
    for (const old of document.querySelectorAll(".warning")) old.remove();
    open(found, Number(number) || 0);
    if (found < 0 && location.hash.length > 1) warn(`This report has no scenario “${name || location.hash.slice(1)}”.`);
  }
  addEventListener("hashchange", follow);
  addEventListener("popstate", () => { if (!location.hash) open(-1); });
  heads();
  first.append(...overview(index, (text) => { search.value = text; verdict = ""; filter(); search.focus(); }));
  filter();
  follow();
})();
