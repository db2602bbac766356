// Draws the OpenAPI document of this address: /docs is all services, /docs/<service> is one.

import { element, inline, prose } from "./dom.js";
import { Schemas } from "./schema.js";
import { language, words } from "./text.js";
import { form } from "./tryit.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
const SERVICES = ["auth", "inventory", "forecasting", "reporting"];
const PROBLEM = "application/problem+json";

const service = location.pathname.split("/")[2] || "";
const source = service ? `/openapi/${service}.json` : "/openapi.json";
const at = (id) => document.getElementById(id);

function drawFrame() {
  document.documentElement.lang = language;
  at("token-label").textContent = words.token;
  at("token-note").textContent = words.tokenNote;
  at("search").placeholder = words.search;
  at("search").setAttribute("aria-label", words.search);
  const link = (name, text) => element("a", { href: (name ? `/docs/${name}` : "/docs") + location.search, "aria-current": name === service ? "page" : false }, text);
  at("services").append(link("", words.all), ...SERVICES.map((name) => link(name, name)));
  at("token").value = sessionStorage.getItem("token") || "";
  at("token").addEventListener("input", (event) => sessionStorage.setItem("token", event.target.value.trim()));
}

function listOperations(root) {
  const found = [];
  for (const [path, item] of Object.entries(root.paths || {})) {
    for (const method of METHODS) {
      if (!item[method]) continue;
      const operation = { ...item[method], parameters: [...(item.parameters || []), ...(item[method].parameters || [])] };
      const id = `${method}-${path}`.replace(/[^A-Za-z0-9]+/g, "-");
      found.push({ id, path, method, operation, tag: operation.tags?.[0] || words.other });
    }
  }
  return found;
}

function drawOperation(entry, root, schemas) {
  const { id, path, method, operation } = entry;
  const name = element("code", { class: "path" }, path.split(/(\{[^}]+\})/).map((part) => (part.startsWith("{") ? element("var", {}, part) : part)));
  const details = element(
    "details",
    { id, class: operation.deprecated ? "operation old" : "operation" },
    element("summary", {}, element("span", { class: `method ${method}` }, method.toUpperCase()), name, element("span", { class: "summary" }, operation.summary || "")),
  );
  const fill = () => {
    if (!details.open || details.children.length > 1) return; // Drawn when first opened: documents are large.
    details.append(element("div", { class: "inside" }, drawInside(entry, root, schemas)));
  };
  details.addEventListener("toggle", fill);
  return details;
}

function drawInside({ path, method, operation }, root, schemas) {
  const parameters = operation.parameters.map((each) => schemas.resolve(each));
  const content = schemas.resolve(operation.requestBody).content || {};
  const [bodyType, media] = Object.entries(content)[0] || [];
  const example = media && exampleText(media, schemas);
  const tried = parameters.map((each) => ({ name: each.name, in: each.in, hint: schemas.type(each.schema || {}) }));
  return [
    drawNeed(operation, root),
    prose(operation.description),
    parameters.length ? [element("h4", {}, words.parameters), drawParameters(parameters, schemas)] : null,
    media ? [element("h4", {}, words.body, " ", element("small", {}, bodyType)), schemas.tree(media.schema || {}), drawExample(example)] : null,
    drawAnswers(operation, schemas),
    form(path, method.toUpperCase(), tried, example, bodyType),
  ].flat(2);
}

function drawNeed(operation, root) {
  const security = operation.security ?? root.security ?? [];
  const scopes = [...new Set(security.flatMap((each) => Object.values(each).flat()))];
  if (!security.length) return element("p", { class: "need" }, words.public);
  if (!scopes.length) return element("p", { class: "need" }, words.signedIn);
  return element("p", { class: "need" }, `${words.needs} `, scopes.map((scope) => element("code", {}, scope)));
}

function drawParameters(parameters, schemas) {
  return element(
    "ul",
    { class: "tree" },
    parameters.map((each) =>
      element(
        "li",
        {},
        element("code", { class: "name" }, each.name),
        " ",
        element("span", { class: "type" }, schemas.type(each.schema || {})),
        element("span", { class: "limit" }, words[`in_${each.in}`]),
        each.required ? element("span", { class: "required" }, words.required) : null,
        schemas.limits(each.schema || {}).map((limit) => element("span", { class: "limit" }, limit)),
        each.description ? element("div", { class: "note" }, inline(each.description)) : null,
      ),
    ),
  );
}

function drawAnswers(operation, schemas) {
  const good = [];
  const bad = [];
  for (const [status, given] of Object.entries(operation.responses || {})) {
    const response = schemas.resolve(given);
    const [type, media] = Object.entries(response.content || {})[0] || [];
    if (Number(status) >= 400 || type === PROBLEM) {
      const lines = (response.description || "").split("\n").filter(Boolean);
      bad.push(...lines.map((line) => element("tr", {}, element("td", {}, element("code", {}, status)), element("td", {}, inline(line)))));
      continue;
    }
    good.push(
      element("div", { class: "reply" }, element("code", { class: "good" }, status), " ", inline(response.description || ""), " ", type ? element("small", {}, type) : null),
      media?.schema ? schemas.tree(media.schema) : null,
      media ? drawExample(exampleText(media, schemas)) : null,
    );
  }
  return [
    good.length ? [element("h4", {}, words.answers), good] : null,
    bad.length ? [element("h4", {}, words.errors, " ", element("small", {}, PROBLEM)), element("table", {}, bad)] : null,
  ].flat(2);
}

function exampleText(media, schemas) {
  const named = Object.values(media.examples || {})[0];
  const example = media.example ?? named?.value ?? (media.schema ? schemas.example(media.schema) : undefined);
  if (example === undefined) return "";
  return typeof example === "string" ? example : JSON.stringify(example, null, 2);
}

function drawExample(text) {
  return text ? element("details", { class: "example" }, element("summary", {}, words.example), element("pre", {}, text)) : null;
}

function draw(root) {
  const schemas = new Schemas(root);
  const entries = listOperations(root);
  const tags = [...new Set(entries.map((entry) => entry.tag))];
  document.title = `${root.info.title} API`;
  at("about").append(
    element("h1", {}, root.info.title, " ", element("small", {}, root.info.version)),
    ...prose(root.info.description),
    element("p", { class: "quiet" }, element("a", { href: source }, `${words.document}: ${source}`)),
  );
  const sections = tags.map((tag) => {
    const own = entries.filter((entry) => entry.tag === tag);
    const about = (root.tags || []).find((each) => each.name === tag)?.description;
    return { tag, own, section: element("section", { class: "tag" }, element("h2", {}, tag), prose(about), own.map((entry) => (entry.drawn = drawOperation(entry, root, schemas)))) };
  });
  at("operations").replaceChildren(...sections.map((each) => each.section));
  const links = sections.map(({ tag, own }) =>
    element("div", {}, element("h3", {}, tag), own.map((entry) => (entry.link = element("a", { href: `#${entry.id}`, title: entry.operation.summary || "" }, element("span", { class: `method ${entry.method}` }, entry.method.toUpperCase()), entry.path.replace(/^\/api/, ""))))),
  );
  at("contents").replaceChildren(...links);
  at("search").addEventListener("input", (event) => filter(event.target.value, sections, links));
  openTarget();
  addEventListener("hashchange", openTarget);
}

function filter(wanted, sections, links) {
  const needles = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  sections.forEach(({ tag, own, section }, place) => {
    let shown = 0;
    for (const entry of own) {
      const text = `${entry.method} ${entry.path} ${entry.operation.summary || ""} ${tag}`.toLowerCase();
      const fits = needles.every((needle) => text.includes(needle));
      entry.drawn.hidden = entry.link.hidden = !fits;
      shown += fits;
    }
    section.hidden = links[place].hidden = !shown;
  });
}

function openTarget() {
  const target = location.hash && at(location.hash.slice(1));
  if (!target) return;
  target.open = true;
  target.scrollIntoView();
}

drawFrame();
try {
  const response = await fetch(source);
  if (!response.ok) throw new Error(String(response.status));
  draw(await response.json());
} catch (error) {
  at("operations").replaceChildren(element("p", { class: "bad" }, `${words.absent} (${error.message})`));
}
