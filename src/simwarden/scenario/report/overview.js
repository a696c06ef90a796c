// The first look: what was stopped and by which clause, what leaked, what is not built, what was slow.

function overview(index, find) {
  const scenarios = index.scenarios;
  const link = (each, text, number) => make("a", { href: addressOf(each.name, number) }, text);
  const section = (title, about, ...children) => make("section", { cls: "part" }, make("h3", {}, title), about && make("p", { cls: "soft" }, about), ...children);
  const table = (heads, rows) => make("div", { cls: "scroll", tabindex: 0 }, make("table", {}, make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, ...rows)));
  const stopped = scenarios.flatMap((each) => each.stopped.map((one) => ({ each, one })));
  const wrong = scenarios.filter((each) => each.verdict !== "passed");
  const [known, leaked, otherwise] = ["KNOWN_LEAK", "LEAKED", "NOT_AS_EXPECTED"].map((word) => scenarios.filter((each) => each.misuse === word));
  const others = wrong.filter((each) => !leaked.includes(each) && !otherwise.includes(each));

  function number(value, label, tone) {
    return make("div", { cls: `number ${tone}` }, make("b", {}, String(value)), make("span", {}, label));
  }

  function bad(each) {
    return make("li", {}, link(each, each.title), make("small", {}, `${each.verdict}: ${each.failure ? each.failure.summary : ""}`));
  }

  function clauses() {
    const rows = index.clauses.map((clause) => {
      const of = scenarios.filter((each) => each.proves.some((proof) => proof.clause === clause.clause));
      const blocked = stopped.filter(({ one }) => one.clause === clause.clause).length;
      if (!of.length && !blocked) return null;
      const failed = of.filter((each) => each.verdict !== "passed").length;
      const go = make("button", { type: "button", cls: "link", onclick: () => find(clause.clause) }, clause.clause);
      return make("tr", {}, make("th", { scope: "row" }, go), make("td", {}, clause.title), make("td", { cls: "num" }, String(of.length)), make("td", { cls: "num" }, String(blocked || "")),
        make("td", { cls: `num ${failed ? "failed" : ""}` }, String(failed || "")));
    }).filter(Boolean);
    return rows.length ? section("By clause of the guideline", "", table(["clause", "about", "stories", "misuses stopped", "not passed"], rows)) : "";
  }

  function misuses() {
    const groups = new Map();
    for (const pair of stopped) {
      const key = [pair.one.clause, pair.one.element, pair.one.told].join("|");
      groups.set(key, [...(groups.get(key) || []), pair]);
    }
    const rows = [...groups.values()].sort((a, b) => b.length - a.length).map((group) => {
      const { each, one } = group[0];
      const first = link(each, each.title, one.event);
      const rest = group.slice(1).map((pair) => make("li", {}, link(pair.each, pair.each.title, pair.one.event)));
      const tried = rest.length ? make("details", {}, make("summary", {}, `${group.length} ×`), make("ul", {}, make("li", {}, first), ...rest)) : first;
      return make("tr", {}, make("td", {}, tried), make("td", {}, one.element, make("small", {}, `${one.control}${one.clause ? ` · ${one.clause}` : ""}`)),
        make("td", {}, one.told || "—", make("small", {}, one.message)), make("td", {}, one.next || ""));
    });
    return rows.length ? section("Misuses stopped", "What was tried, by which element it was stopped, what the device (or who asked) is told, and what it does then.", table(["tried", "stopped by", "told", "what comes next"], rows)) : "";
  }

  const open = index.open.map((each) => make("tr", {}, make("th", { scope: "row" }, each.clause), make("td", {}, each.title, make("small", {}, each.rule)), make("td", {}, each.missing.join(", "))));
  const slow = [...scenarios].sort((a, b) => b.seconds - a.seconds).slice(0, 10);
  return [make("h2", {}, "Overview"),
    make("div", { cls: "numbers" }, number(stopped.length, "misuses stopped", "passed"), number(leaked.length + known.length, known.length ? `leaked, ${known.length} of them known` : "leaked", leaked.length ? "failed" : known.length ? "inconclusive" : "passed"),
      number(scenarios.length - wrong.length, `of ${some(scenarios.length, "scenario")} passed`, wrong.length ? "inconclusive" : "passed")),
    leaked.length ? section("Leaks", "A refusal was expected, and the misuse was served.", make("ul", { cls: "bad" }, ...leaked.map(bad))) : "",
    otherwise.length ? section("Not refused as expected", "A refusal was expected: another cause, control, message or outcome was seen, and no service.", make("ul", { cls: "bad" }, ...otherwise.map(bad))) : "",
    others.length ? section("Other failures", "", make("ul", { cls: "bad" }, ...others.map(bad))) : "",
    known.length ? section("Known leaks", "Scenarios with the tag leak show a misuse that is served, as documented.", make("ul", {}, ...known.map((each) => make("li", {}, link(each, each.title), make("small", {}, each.about))))) : "",
    clauses(), misuses(),
    open.length ? section("What is not built", "Requirements of which somebody who has to act is not among the installed elements.", make("details", {}, make("summary", {}, some(open.length, "requirement")), table(["clause", "about", "missing"], open))) : "",
    slow.length ? section("Slowest", "", make("ol", { cls: "slow" }, ...slow.map((each) => make("li", {}, link(each, each.title), make("small", {}, lasted(each.seconds)))))) : ""].filter(Boolean);
}
