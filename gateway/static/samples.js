// A plugin of the viewer: how to call an operation, in curl, Python and JavaScript. Once it was tried,
// the viewer shows the request that was sent in the same three ways, and ours is not shown.

const TOKEN = "YOUR_TOKEN";

const headersOf = (request) => Object.entries(request.get("headers")?.toJS() ?? {}).filter(([name]) => name.toLowerCase() !== "accept");

function bodyOf(request) {
  const body = request.get("body");
  return body === undefined || body === "" ? undefined : typeof body === "string" ? body : JSON.stringify(body?.toJS?.() ?? body);
}

function asJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const indented = (text) => text.replace(/\n/g, "\n    ");

// A JSON value as Python writes it.
function asPython(value, depth = 1) {
  const [open, close] = ["    ".repeat(depth), "    ".repeat(depth - 1)];
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const [start, end] = Array.isArray(value) ? "[]" : "{}";
  const parts = Object.entries(value).map(([name, each]) => (Array.isArray(value) ? "" : `${JSON.stringify(name)}: `) + asPython(each, depth + 1));
  return parts.length ? `${start}\n${parts.map((part) => `${open}${part},\n`).join("")}${close}${end}` : start + end;
}

export function python(request) {
  const body = bodyOf(request);
  const json = asJson(body);
  const headers = headersOf(request).filter(([name]) => json === undefined || name.toLowerCase() !== "content-type");
  const parts = [
    JSON.stringify(request.get("url")),
    headers.length && `headers=${indented(asPython(Object.fromEntries(headers)))}`,
    body !== undefined && (json === undefined ? `content=${JSON.stringify(body)}` : `json=${indented(asPython(json))}`),
  ].filter(Boolean);
  return `import httpx

response = httpx.${request.get("method").toLowerCase()}(
${parts.map((part) => `    ${part},`).join("\n")}
)
print(response.status_code, response.text)`;
}

export function javascript(request) {
  const body = bodyOf(request);
  const json = asJson(body);
  const headers = headersOf(request);
  const lines = [
    `method: ${JSON.stringify(request.get("method").toUpperCase())}`,
    headers.length && `headers: ${JSON.stringify(Object.fromEntries(headers), null, 2).replace(/\n/g, "\n  ")}`,
    body !== undefined && (json === undefined ? `body: ${JSON.stringify(body)}` : `body: JSON.stringify(${JSON.stringify(json, null, 2).replace(/\n/g, "\n  ")})`),
  ].filter(Boolean);
  return `const response = await fetch(${JSON.stringify(request.get("url"))}, {
${lines.map((line) => `  ${line},`).join("\n")}
});
console.log(response.status, await response.text());`;
}

// The request of an operation: what it requires, its example as the body, and a token if it needs one.
function exampleRequest(operation, path, method, fn) {
  const required = (operation.get("parameters")?.toJS() ?? []).filter((each) => each.in === "query" && each.required);
  const query = required.map(({ name }) => `${name}={${name}}`).join("&");
  const request = { url: location.origin + path + (query && `?${query}`), method: method.toUpperCase(), headers: {} };
  if (operation.get("security")?.some((each) => each.size > 0)) request.headers.Authorization = `Bearer ${TOKEN}`;
  const [type, media] = operation.getIn(["requestBody", "content"])?.entrySeq().first() ?? [];
  if (type?.includes("json")) {
    request.headers["Content-Type"] = type;
    request.body = fn.getSampleSchema(media.get("schema").toJS(), type, {}, media.get("example"));
  }
  return request;
}

export function samples({ React, Im, fn, getComponent, specSelectors }) {
  const Samples = ({ path, method }) => {
    const operation = specSelectors.specResolvedSubtree(["paths", path, method]);
    if (!operation) return null; // It is being read.
    const request = Im.fromJS(exampleRequest(operation, path, method, fn));
    return React.createElement("div", { className: "samples" }, React.createElement(getComponent("RequestSnippets", true), { request }));
  };
  const withSamples = (Responses) => (properties) =>
    React.createElement(React.Fragment, null, properties.tryItOutResponse ? null : React.createElement(Samples, properties), React.createElement(Responses, properties));
  return {
    fn: { requestSnippetGenerator_python: python, requestSnippetGenerator_javascript: javascript },
    wrapComponents: { responses: withSamples },
  };
}
