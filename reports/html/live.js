(() => {
  const at = (name) => document.querySelector(`[data-${name}]`);
  const made = (tag, text, attributes = {}) => {
    const element = document.createElement(tag);
    element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const number = (value) => Math.round(value).toLocaleString("en");
  const seconds = (value) => (value < 90 ? `${Math.round(value)} s` : `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`);

  const figure = (value, name, kind = "") => {
    const item = made("li", "", kind ? { class: kind } : {});
    item.append(made("b", value), ` ${name}`);
    return item;
  };
  const show = ({ state, notes, findings }) => {
    if (state.doing) {
      at("doing").textContent = state.doing;
      at("left").textContent = `${seconds(state.elapsed)}; ${seconds(state.seconds_left)} or ${number(state.requests_left)} requests left`;
      const figures = [
        figure(number(findings.length), "findings", findings.length ? "failed" : ""),
        figure(number(state.requests), "requests"),
        figure(number(state.rate), "per second"),
      ];
      if (state.latency) figures.push(figure(`${number(1000 * state.latency[0])} ms`, `latency, 95 % within ${number(1000 * state.latency[1])} ms`));
      at("figures").replaceChildren(...figures);
      at("coverage").replaceChildren(...Object.entries(state.coverage).map(([name, [reached, total]]) => {
        const item = made("li", `${name} `);
        item.append(made("b", number(reached)), ` of ${number(total)}`);
        return item;
      }));
    }
    at("notes").replaceChildren(...notes.map((note) => made("p", note, { class: "callout warned" })));
    at("count").textContent = number(findings.length);
    at("findings").replaceChildren(...findings.map((one) => {
      const row = document.createElement("tr");
      const head = made("th", "", { scope: "row" });
      head.append(made("span", one.requirement, { class: "id" }), made("span", one.id, { class: "muted" }));
      row.append(
        head,
        made("td", one.level, { "data-head": "level" }),
        made("td", one.place ? `${one.place}: ${one.kind}` : one.kind, { "data-head": "where" }),
        made("td", one.expected, { "data-head": "expected" }),
        made("td", one.actual, { "data-head": "actual" }),
        made("td", number(one.count), { "data-head": "seen", class: "number" }),
      );
      return row;
    }));
  };
  const look = async () => {
    try {
      show(await (await fetch("state.json")).json());
    } catch {
      at("left").textContent = "The campaign has ended, or nobody answers any more.";
      return;
    }
    setTimeout(look, 1000);
  };
  look();
})();
