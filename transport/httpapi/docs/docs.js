"use strict";

// el makes an element; strings become text, never markup.
function el(name, attrs, ...children) {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(attrs || {})) e.setAttribute(k, v);
  e.append(...children.flat().filter((c) => c != null));
  return e;
}

const refName = (s) => s.$ref && s.$ref.split("/").pop();

// typeOf says in one phrase what a schema takes.
function typeOf(s) {
  if (!s) return "anything";
  if (s.$ref) return el("a", { href: "#schema-" + refName(s) }, refName(s));
  const types = [].concat(s.type || "anything");
  if (types.includes("array")) return el("span", {}, "list of ", typeOf(s.items));
  if (types[0] === "object" && s.additionalProperties) return el("span", {}, "map to ", typeOf(s.additionalProperties));
  let text = types.join(" or ");
  if (s.format) text += " (" + s.format + ")";
  return text;
}

// notes says what else holds for a value.
function notes(s, required) {
  const out = [];
  if (required) out.push("required");
  if (s.enum) out.push("one of " + s.enum.join(", "));
  if (s.minimum != null) out.push("from " + s.minimum);
  if (s.maximum != null) out.push("to " + s.maximum);
  if (s.default != null) out.push("default " + s.default);
  if (s.examples) out.push("such as " + JSON.stringify(s.examples[0]));
  return [s.description, out.join("; ")].filter(Boolean).join(" — ");
}

function fields(schema) {
  const rows = Object.entries(schema.properties || {}).map(([name, s]) =>
    el("tr", {}, el("td", {}, name), el("td", {}, typeOf(s)),
      el("td", {}, notes(s, (schema.required || []).includes(name)))));
  return el("table", {}, el("tbody", {}, rows));
}

function body(content) {
  const kind = Object.keys(content || {})[0];
  return kind ? el("span", {}, kind === "application/json" ? "" : kind + " ", typeOf(content[kind].schema)) : "no body";
}

function operation(path, verb, op) {
  const parts = [el("p", {}, op.summary || "", op.security ? "" : el("span", { class: "dim" }, " — needs no credential"))];
  for (const line of (op.description || "").split("\n")) if (line) parts.push(el("p", {}, line));
  if (op.parameters) {
    parts.push(el("h4", {}, "Parameters"), el("table", {}, el("tbody", {}, op.parameters.map((p) =>
      el("tr", {}, el("td", {}, p.name), el("td", {}, p.in + ", ", typeOf(p.schema)),
        el("td", {}, notes(p.schema || {}, p.required)))))));
  }
  if (op.requestBody) parts.push(el("h4", {}, "Body: ", body(op.requestBody.content)));
  parts.push(el("h4", {}, "Answers"), el("table", {}, el("tbody", {},
    Object.entries(op.responses).map(([status, r]) =>
      el("tr", {}, el("td", {}, status), el("td", {}, body(r.content)), el("td", {}, r.description))))));
  return el("article", { id: op.operationId, "data-text": [verb, path, op.summary, op.operationId].join(" ").toLowerCase() },
    el("h3", {}, el("span", { class: "verb" }, verb.toUpperCase()), " " + path), el("div", {}, parts));
}

function show(doc) {
  document.getElementById("version").textContent = doc.info.version;
  const main = document.getElementById("main");
  const nav = document.getElementById("nav");
  main.replaceChildren(el("p", {}, doc.info.description), el("p", {}, el("a", { href: "openapi.json" }, "openapi.json")));
  const groups = {};
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const [verb, op] of Object.entries(item)) {
      const tag = (op.tags || ["Other"])[0];
      (groups[tag] = groups[tag] || []).push([path, verb, op]);
    }
  }
  for (const [tag, ops] of Object.entries(groups).sort()) {
    main.append(el("h2", {}, tag));
    nav.append(el("h2", {}, tag));
    for (const [path, verb, op] of ops) {
      main.append(operation(path, verb, op));
      nav.append(el("a", { href: "#" + op.operationId, title: verb.toUpperCase() + " " + path }, op.operationId));
    }
  }
  main.append(el("h2", {}, "Schemas"));
  for (const [name, schema] of Object.entries(doc.components.schemas).sort()) {
    main.append(el("article", { id: "schema-" + name, "data-text": (name + " " + Object.keys(schema.properties || {}).join(" ")).toLowerCase() },
      el("h3", {}, name), el("div", {}, fields(schema))));
  }
  document.getElementById("search").addEventListener("input", (e) => {
    const words = e.target.value.toLowerCase().split(/\s+/);
    for (const a of main.querySelectorAll("article")) a.hidden = !words.every((w) => a.dataset.text.includes(w));
    for (const a of nav.querySelectorAll("a")) a.hidden = document.getElementById(a.hash.slice(1)).hidden;
  });
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

fetch("openapi.json").then((r) => r.json()).then(show, (err) => {
  document.getElementById("main").textContent = "The document could not be loaded: " + err;
});
