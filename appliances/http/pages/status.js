// Draws the figures of the servers that sources.json names: [{"name": "mrg-http", "kind": "http", "port": 9180}, ...].
"use strict";

const PERIOD_MS = 2000;
const KEPT = 60; // rates in a curve

// What is shown of each kind of server: a rate with its curve, then rows of figures.
const KINDS = {
  http: {
    title: "HTTP",
    rate: { label: "requests a second", name: "mrg_http_requests_total" },
    rows: [
      ["Requests", "mrg_http_requests_total"],
      ["Answers 2xx", 'mrg_http_responses_total{class="2xx"}'],
      ["Answers 3xx", 'mrg_http_responses_total{class="3xx"}'],
      ["Answers 4xx", 'mrg_http_responses_total{class="4xx"}'],
      ["Answers 5xx", 'mrg_http_responses_total{class="5xx"}'],
      ["Connections now", "mrg_http_connections"],
      ["Connections so far", "mrg_http_connections_total"],
      ["Octets sent", "mrg_http_sent_bytes_total"],
      ["Files found in the cache", 'mrg_http_file_lookups_total{from="cache"}'],
      ["Files opened", 'mrg_http_file_lookups_total{from="disk"}'],
    ],
  },
  dns: {
    title: "DNS",
    rate: { label: "queries a second", name: "mrg_dns_queries_total" },
    rows: [
      ["Queries over UDP", 'mrg_dns_queries_total{transport="udp"}'],
      ["Queries over TCP", 'mrg_dns_queries_total{transport="tcp"}'],
      ["Replies over UDP", 'mrg_dns_responses_total{transport="udp"}'],
      ["Replies over TCP", 'mrg_dns_responses_total{transport="tcp"}'],
      ["TCP connections now", "mrg_dns_connections"],
      ["TCP connections so far", "mrg_dns_connections_total"],
    ],
  },
};

function element(name, attributes, ...children) {
  const drawn = name === "svg" || name === "path";
  const e = drawn ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

// The text format of Prometheus: name{labels} value.
function parse(text) {
  const figures = new Map();
  for (const line of text.split("\n")) {
    const blank = line.lastIndexOf(" ");
    if (blank > 0 && !line.startsWith("#")) figures.set(line.slice(0, blank), Number(line.slice(blank + 1)));
  }
  return figures;
}

// The sum over all labels of a name.
function total(figures, name) {
  let sum = 0;
  for (const [key, value] of figures) if (key === name || key.startsWith(name + "{")) sum += value;
  return sum;
}

function duration(seconds) {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const at = units.findIndex(([size]) => seconds >= size);
  if (at < 0) return "0 s";
  const [size, unit] = units[at];
  const whole = Math.floor(seconds / size) + " " + unit;
  const next = units[at + 1];
  const rest = next ? Math.floor((seconds % size) / next[0]) : 0;
  return rest ? whole + " " + rest + " " + next[1] : whole;
}

function row(label, value) {
  return element("tr", {}, element("th", { scope: "row" }, label), element("td", {}, value.toLocaleString("en")));
}

// Zones with their serial numbers and records, of a DNS server.
function zones(figures) {
  const rows = [];
  for (const [key, serial] of figures) {
    const found = /^mrg_dns_zone_serial\{zone="(.*)"\}$/.exec(key);
    if (!found) continue;
    const name = found[1].replace(/\\(.)/g, "$1");
    rows.push(row("Zone " + name + " serial", String(serial)), row("Zone " + name + " records", figures.get(key.replace("_serial", "_records"))));
  }
  return rows;
}

class Server {
  constructor(source) {
    this.kind = KINDS[source.kind];
    this.url = location.protocol + "//" + location.hostname + ":" + source.port + "/metrics";
    this.rates = [];
    this.last = null;
    this.state = element("p", { class: "state", role: "status" }, "asking...");
    this.now = element("strong", {}, "0");
    this.line = element("path", { class: "line" });
    this.area = element("path", { class: "area" });
    this.body = element("tbody", {});
    const curve = element("svg", { class: "curve", viewBox: "0 0 " + (KEPT - 1) + " 100", preserveAspectRatio: "none", role: "img", "aria-label": this.kind.rate.label + ", the last two minutes" }, this.area, this.line);
    this.view = element("section", { id: source.kind }, element("h2", {}, this.kind.title + ": " + source.name), this.state,
      element("p", { class: "rate" }, this.now, " " + this.kind.rate.label), curve, element("table", {}, this.body));
  }

  draw(figures) {
    const most = Math.max(1, ...this.rates);
    const first = KEPT - this.rates.length;
    const points = this.rates.map((rate, i) => first + i + "," + (96 - (90 * rate) / most).toFixed(1));
    this.line.setAttribute("d", points.length ? "M" + points.join("L") : "");
    this.area.setAttribute("d", points.length ? "M" + first + ",100L" + points.join("L") + "L" + (KEPT - 1) + ",100Z" : "");
    this.now.textContent = Math.round(this.rates.at(-1) ?? 0).toLocaleString("en");
    this.body.replaceChildren(...this.kind.rows.map(([label, name]) => row(label, figures.get(name) ?? 0)), ...zones(figures));
    this.state.className = "state soft";
    this.state.textContent = "up for " + duration(Date.now() / 1000 - figures.get("process_start_time_seconds"));
  }

  async ask() {
    try {
      const figures = parse(await (await fetch(this.url, { cache: "no-store" })).text());
      const now = { at: performance.now(), count: total(figures, this.kind.rate.name) };
      if (this.last) this.rates = [...this.rates, Math.max(0, ((now.count - this.last.count) * 1000) / (now.at - this.last.at))].slice(-KEPT);
      this.last = now;
      this.draw(figures);
    } catch (fault) {
      this.state.className = "state down";
      this.state.textContent = "no answer from " + this.url;
    }
  }
}

async function start() {
  const view = document.getElementById("servers");
  const servers = (await (await fetch("sources.json", { cache: "no-store" })).json()).map((source) => new Server(source));
  view.replaceChildren(...servers.map((server) => server.view));
  const ask = () => servers.forEach((server) => server.ask());
  ask();
  setInterval(ask, PERIOD_MS);
}

start();
