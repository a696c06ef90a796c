"use strict";
// What the parts of the page share. What came over a wire is data: it becomes text nodes only (`make`), never markup.

function make(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === false) continue;
    if (name.startsWith("--")) element.style.setProperty(name, value);
    else if (name === "onclick") element.addEventListener("click", value);
    else element.setAttribute(name === "cls" ? "class" : name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null && child !== "" && child !== false));
  return element;
}

function clock(seconds) {
  if (seconds < 86400) return seconds.toFixed(3);
  const minutes = Math.floor((seconds % 86400) / 60);
  const two = (n) => String(n).padStart(2, "0");
  return `${Math.floor(seconds / 86400)}d${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
const lasted = (seconds) => (seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(2)} s`);
const some = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
const counted = (number) => some(number, "message");
const words = (name) => name.replaceAll("-", " ").replaceAll("_", " ");
const addressOf = (name, number) => `#${encodeURIComponent(name)}${number ? `/${number}` : ""}`;

async function unpacked(id) {
  const packed = document.getElementById(id).textContent;
  if (!packed) return "";
  const octets = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
  return new Response(new Blob([octets]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
}

// -- octets, and which of them hold a field

function swapped(digits) {
  return (digits.length % 2 ? `${digits}f` : digits).replace(/(.)(.)/g, "$2$1");
}

function codings(name, value) {
  const text = String(value);
  const found = [];
  const hex = (string) => [...new TextEncoder().encode(string)].map((octet) => octet.toString(16).padStart(2, "0")).join("");
  if (text.length > 1) found.push(hex(text));
  if (/^([0-9a-f]{2})+$/.test(text) && text.length > 2) found.push(text);
  if (/^\d{5,}$/.test(text)) found.push(swapped(text), swapped(text.slice(1))); // TBCD; a mobile identity begins half an octet later
  const number = /^\d+(?=$| )/.exec(text);
  if (number && Number(number[0]) > 255 && Number(number[0]) < 2 ** 32) for (const size of [8, 6, 4]) found.push(Number(number[0]).toString(16).padStart(size, "0"));
  if (number && Number(number[0]) < 256 && name.endsWith("result")) found.push(Number(number[0]).toString(16).padStart(8, "0"));
  return found;
}

// Where the octets of a field are, as [first, number]: only where one place alone can hold it.
function placeOf(octets, name, value) {
  const once = (wanted, skip) => {
    const at = [...octets.matchAll(new RegExp(`(?=${wanted})`, "g"))].map((each) => each.index).filter((each) => each % 2 === 0);
    return at.length === 1 && [at[0] / 2 + skip, 0];
  };
  const code = /^(\d+)(?=$| )/.exec(String(value));
  const cause = code && Number(code[0]) < 256 && Number(code[0]).toString(16).padStart(2, "0");
  const layouts = { emm_cause: [`07[0-9a-f]{2}${cause}`, 2], esm_cause: [`[0-9a-f]2[0-9a-f]{2}d[0-9a-f]${cause}`, 3] }; // TS 24.301 8.2, 8.3
  if (cause && layouts[name]) {
    const found = once(...layouts[name]);
    return found && [found[0], 1];
  }
  for (const each of codings(name, value)) {
    const found = each.length <= octets.length && once(each, 0);
    if (found) return [found[0], each.length / 2];
  }
  return null;
}

function dump(hex, place) {
  const box = make("pre", { tabindex: 0, "aria-label": "Octets" });
  const [first, last] = place ? [place[0], place[0] + place[1] - 1] : [-1, -1];
  for (let at = 0; at < hex.length / 2; at += 8) {
    const pairs = hex.slice(at * 2, at * 2 + 16).match(/../g);
    box.append(`${at.toString(16).padStart(4, "0")}  `);
    pairs.forEach((pair, index) => {
      const held = at + index >= first && at + index <= last;
      box.append(held ? make("mark", {}, pair) : pair, index < 7 ? " " : "");
    });
    const ascii = pairs.map((pair) => { const code = parseInt(pair, 16); return code > 31 && code < 127 ? String.fromCharCode(code) : "·"; }).join("");
    box.append(`${" ".repeat(Math.max(0, (8 - pairs.length) * 3 - 1))}  ${ascii}\n`);
  }
  return box;
}

// -- a ladder to take along

function asText(each, rows) {
  const name = (lane, row) => (lane >= 0 ? each.lanes[lane].name : row.e || "");
  const wide = Math.max(0, ...each.lanes.map((lane) => lane.name.length));
  const said = (row) => {
    const time = clock(row.t).padStart(10);
    if (row.k === "step") return `${(row.f || {}).step}  ${row.x}`;
    if (row.k === "message") return `${time}  ${name(row.s, row).padStart(wide)} -> ${name(row.d, row).padEnd(wide)}  ${row.i.padEnd(7)}  ${row.x}`;
    if (row.k !== "decision") return `${time}  ${name(row.s, row).padStart(wide)}: ${row.x}`;
    return `${time}  ${name(row.s, row).padStart(wide)}: ${row.v === "refuse" ? "REFUSED" : "admitted"} ${row.o}${row.u ? ` (${row.u})` : ""}: ${row.x}`;
  };
  return [`${each.title} (${each.path}): ${each.verdict}`, ...rows.map(said), ""].join("\n");
}

function asSvg(each, rows) {
  const safe = (text) => String(text).replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`).replace(/[\x00-\x08\x0b-\x1f]/g, "\ufffd");
  const [left, lane, high] = [80, 120, 26];
  const wide = left + Math.max(1, each.lanes.length) * lane + 420;
  const x = (number) => left + (Math.max(0, number) + 0.5) * lane;
  const text = (at, y, said, more) => `<text x="${at}" y="${y}" ${more || ""}>${safe(said)}</text>`;
  const parts = [text(10, 20, each.title, 'font-weight="bold" font-size="14"')];
  each.lanes.forEach((one, number) => parts.push(text(x(number), 46, one.name, 'text-anchor="middle" font-weight="bold"'),
    `<line x1="${x(number)}" x2="${x(number)}" y1="52" y2="${60 + rows.length * high}" stroke="#bbb"/>`));
  rows.forEach((row, index) => {
    const y = 70 + index * high;
    const tone = row.v === "refuse" || row.c ? "#c4262e" : row.v === "admit" ? "#18794e" : "#444";
    if (row.k === "step") { parts.push(`<rect x="0" y="${y - 14}" width="${wide}" height="20" fill="#eef0f3"/>`, text(10, y, `${(row.f || {}).step}  ${row.x}`)); return; }
    parts.push(text(10, y, clock(row.t), 'fill="#666" font-size="10"'));
    if (row.k === "message" && row.s >= 0 && row.d >= 0 && row.s !== row.d) {
      const [from, to, way] = [x(row.s), x(row.d), row.d > row.s ? -8 : 8];
      parts.push(`<line x1="${from}" x2="${to}" y1="${y}" y2="${y}" stroke="${tone}" stroke-width="1.6"/>`, `<path d="M${to} ${y}l${way} -4v8z" fill="${tone}"/>`);
    } else parts.push(text(x(row.s), y + 4, row.v === "refuse" || row.c ? "✗" : row.k === "decision" ? "✓" : "•", `text-anchor="middle" fill="${tone}" font-weight="bold"`));
    const said = row.k === "message" ? `${row.i}  ${row.x}` : row.k === "decision" ? `${row.v === "refuse" ? "refused" : "admitted"}: ${row.o}${row.u ? ` (${row.u})` : ""}: ${row.x}` : row.x;
    parts.push(text(left + each.lanes.length * lane + 6, y + 4, said.length > 90 ? `${said.slice(0, 89)}…` : said, `fill="${tone}"`));
  });
  const space = ["http:", "", "www.w3.org", "2000", "svg"].join("/"); // a name and no address: nothing is asked of a network
  return `<svg xmlns="${space}" width="${wide}" height="${80 + rows.length * high}" font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/>${parts.join("")}</svg>\n`;
}

async function clip(text) {
  try { await navigator.clipboard.writeText(text); } catch {
    const area = make("textarea", {}); // browsers that refuse the clipboard to a file's page
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

// -- the first difference of two stories, whichever terminal they are about: the first refusal that one of them has, with
// what stands there in the other; where neither has one, the first message or decision that differs

function firstDifference(one, rows, other, others) {
  const kindOf = (each, lane) => (lane >= 0 ? each.lanes[lane].title || each.lanes[lane].name : "");
  const told = (each, all) => all.filter((row) => !row.q && (row.k === "message" || row.k === "decision")).map((row) => {
    const name = [kindOf(each, row.s), kindOf(each, row.d), row.k, row.i, row.m, row.o].join("|");
    return { n: row.n, name, refused: row.v === "refuse" || Boolean(row.c), key: [name, row.v === "refuse", row.c].join("|") };
  });
  const refusal = (own, foreign) => {
    const known = new Set(foreign.map((each) => each.key));
    const found = own.find((each) => each.refused && !known.has(each.key));
    const beside = found && foreign.findLast((each) => each.name === found.name);
    return beside && [found.n, beside.n];
  };
  const [a, b] = [told(one, rows), told(other, others)];
  const found = refusal(a, b) || refusal(b, a)?.reverse();
  if (found) return found;
  const at = [...Array(Math.min(a.length, b.length)).keys()].find((place) => a[place].key !== b[place].key);
  return at === undefined ? null : [a[at].n, b[at].n];
}
