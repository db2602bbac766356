// Sending a request from the page, with the reader's own token.

import { element } from "./dom.js";
import { words } from "./text.js";

const SHOWN_MAX = 100_000; // Characters of an answer.

export function form(path, method, parameters, bodyText, bodyType) {
  const inputs = parameters.map((parameter) => {
    const input = element("input", { placeholder: parameter.hint, spellcheck: "false", autocomplete: "off" });
    return { parameter, input, label: element("label", {}, element("code", {}, parameter.name), input) };
  });
  const body = bodyText === undefined ? null : element("textarea", { rows: Math.min(16, bodyText.split("\n").length + 1), spellcheck: "false" });
  if (body) body.value = bodyText;
  const answer = element("div", { class: "answer", "aria-live": "polite" });
  const button = element("button", { type: "submit" }, words.send);
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      answer.replaceChildren(...(await send(path, method, inputs, body?.value, bodyType)));
    } catch (error) {
      answer.replaceChildren(element("p", { class: "bad" }, `${words.failed}: ${error.message}`));
    } finally {
      button.disabled = false;
    }
  };
  return element(
    "details",
    { class: "try" },
    element("summary", {}, words.tryIt),
    element("form", { onsubmit: submit }, inputs.map((each) => each.label), body, button),
    answer,
  );
}

async function send(path, method, inputs, body, bodyType) {
  const query = new URLSearchParams();
  const headers = {};
  let target = path;
  for (const { parameter, input } of inputs) {
    if (parameter.in === "path") target = target.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value && parameter.in === "query") query.append(parameter.name, input.value);
    else if (input.value && parameter.in === "header") headers[parameter.name] = input.value;
  }
  const token = document.getElementById("token").value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = bodyType;
  const started = performance.now();
  const response = await fetch(target + (query.size ? `?${query}` : ""), { method, headers, body, cache: "no-store" });
  const text = await response.text();
  const spent = Math.round(performance.now() - started);
  const kept = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  return [
    element("p", { class: response.ok ? "good" : "bad" }, `${response.status} ${response.statusText} · ${spent} ms · ${text.length} B`),
    element("pre", { class: "quiet" }, kept),
    element("pre", {}, pretty(text, response.headers.get("content-type") || "").slice(0, SHOWN_MAX)),
  ];
}

function pretty(text, type) {
  if (!type.includes("json") || !text) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
