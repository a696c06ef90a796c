// Lines of a ladder, and what is told of one: the same on every page. `each` is a story with its `lanes`.

function label(low, high, each, ...parts) {
  const far = low + high + 1 > each.lanes.length;
  return make("div", { cls: `label${far ? " far" : ""}`, "--from": low + 0.5, "--to": high + 0.5, "--at": low }, ...parts);
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

// What the panel shows of a row: who said it to whom, the fields, and the octets; a field marks the octets that hold it.
function details(row, each, closed) {
  const name = (lane) => (lane >= 0 ? each.lanes[lane].name : row.e || "");
  const path = row.k === "message" ? `${name(row.s)} → ${name(row.d)} on ${row.i}` : name(row.s);
  const titles = { message: words(row.m || ""), decision: `${row.o}`, step: "step" };
  const why = row.k === "decision" ? [`${row.v === "refuse" ? "Refused" : "Admitted"}${row.u ? ` by clause ${row.u}` : ""}: ${row.x}`] : row.c ? [row.c] : [];
  const fields = Object.entries(row.f || {});
  const octets = make("div", {}, row.b ? dump(row.b) : "");
  const mark_ = (name, value, element) => {
    const place = placeOf(row.b, name, value);
    for (const old of element.closest(".fields").querySelectorAll(".f.held")) old.classList.remove("held");
    element.classList.add("held");
    octets.replaceChildren(dump(row.b, place), place ? "" : make("p", { cls: "sub" }, `Which octets hold ${name} cannot be told: they are ciphered, or more than one place may be it.`));
  };
  const field = fielder(row.b && mark_);
  return [
    make("header", {}, make("h3", {}, titles[row.k] || row.k), make("button", { type: "button", cls: "close", "aria-label": "Close", onclick: closed }, "×")),
    make("p", { cls: "sub" }, `${path} · ${clock(row.t)} s · event ${row.n}`),
    ...why.map((text) => make("p", { cls: `why ${row.v === "admit" ? "good" : ""}` }, text)),
    row.k !== "decision" ? make("p", { cls: "sub" }, row.x) : "",
    ...(fields.length ? [make("h4", {}, "Fields"), make("div", { cls: "fields" }, ...fields.map(field))] : []),
    ...(row.b ? [make("h4", {}, `Octets (${row.b.length / 2}), keys zeroed`), octets] : [])];
}

const fielder = (marks) => function field([name, value]) {
  if (value !== null && typeof value === "object") {
    const inside = Object.entries(value);
    if (!inside.length) return make("div", { cls: "f" }, make("span", {}, name), make("span", {}, Array.isArray(value) ? "[]" : "{}"));
    return make("details", { open: true }, make("summary", {}, Array.isArray(value) ? `${name} [${inside.length}]` : name), make("div", {}, ...inside.map(field)));
  }
  const text = typeof value === "string" && value.includes("\n") ? make("pre", { tabindex: 0 }, value) : make("span", {}, String(value));
  const box = make("div", { cls: "f" }, make("span", {}, name), text);
  if (marks) {
    box.replaceChildren(make("button", { type: "button", cls: "name", title: "mark its octets", onclick: () => marks(name, value, box) }, name), text);
  }
  return box;
};
