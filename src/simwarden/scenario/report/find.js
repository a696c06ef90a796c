// Search in all messages and fields of all scenarios: ladders are unpacked once, when somebody first asks.

function finder(scenarios, unpack) {
  const texts = new Map();

  async function textsOf(number) {
    if (!texts.has(number)) {
      const rows = await unpack(number);
      texts.set(number, rows.map((row) => [row.n, [row.x, row.i, row.m, row.o, row.u, row.c, row.f ? JSON.stringify(row.f) : ""].filter(Boolean).join(" ").toLowerCase(), row.x]));
    }
    return texts.get(number);
  }

  // Returns the rows that have all terms by scenario; null if `stale` says that nobody waits any longer.
  return async (terms, stale) => {
    const hits = new Map();
    for (const each of scenarios) {
      let rows = [];
      try { rows = await textsOf(each.number); } catch { rows = []; } // told where the ladder is opened
      if (stale()) return null;
      const found = rows.filter(([, text]) => terms.every((term) => text.includes(term)));
      if (found.length) hits.set(each.number, found.map(([number, , said]) => ({ number, said })));
    }
    return hits;
  };
}
