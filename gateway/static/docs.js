// The page: a viewer (Swagger UI) of one document at a time, and whoever is signed in.
// /docs shows the document of all services, /docs/<service> that of one.

import { element } from "./dom.js";
import { samples } from "./samples.js";
import { search } from "./search.js";
import { Session, signInDialog } from "./signin.js";
import { language, words } from "./text.js";

const SERVICES = ["auth", "inventory", "forecasting", "reporting"];
const SCHEME = "bearer"; // As the documents call it.

const at = (id) => document.getElementById(id);
const serviceHere = () => location.pathname.split("/")[2] || "";
const pageOf = (service) => (service ? `/docs/${service}` : "/docs") + location.search;
const sourceOf = (service) => (service ? `/openapi/${service}.json` : "/openapi.json");

let shown = location.pathname;
const session = new Session(authorize);
const viewer = SwaggerUIBundle({
  domNode: at("viewer"),
  url: sourceOf(serviceHere()),
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [samples, search],
  layout: "BaseLayout",
  deepLinking: true,
  filter: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 2,
  displayRequestDuration: true,
  requestSnippetsEnabled: true,
  requestSnippets: {
    generators: { python: { title: "Python", syntax: "python" }, javascript: { title: "JavaScript", syntax: "javascript" } },
    languages: ["curl_bash", "python", "javascript"],
  },
  validatorUrl: null,
  onComplete: authorize,
  responseInterceptor: takeTokens,
});

// Let the viewer send the token of whoever is signed in, and say who that is.
function authorize() {
  if (session.token) viewer.preauthorizeApiKey(SCHEME, session.token);
  else if (viewer.authSelectors.authorized().size) viewer.authActions.logout([SCHEME]);
  const button = element("button", { onclick: session.token ? () => session.end() : () => openSignIn() }, session.token ? words.signOut : words.signIn);
  at("account").replaceChildren(...(session.token ? [element("span", {}, session.user?.email ?? ""), button] : [button]));
}

// Tokens that an operation gave which was tried here are those of the page from now on.
function takeTokens(response) {
  if (response.ok && response.url.includes("/api/auth/") && response.body?.access_token) session.begin(response.body);
  return response;
}

function openSignIn() {
  signInDialog(at("sign-in"), session);
}

function drawDocuments() {
  const link = (service, text) => {
    const open = (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      history.pushState(null, "", pageOf(service));
      show();
    };
    return element("a", { href: pageOf(service), onclick: open, "aria-current": service === serviceHere() ? "page" : false }, text);
  };
  at("documents").replaceChildren(link("", words.all), ...SERVICES.map((service) => link(service, service)));
}

// Show the document of the present address without loading the page again: tokens live in it.
function show() {
  shown = location.pathname;
  drawDocuments();
  viewer.specActions.updateUrl(sourceOf(serviceHere()));
  viewer.specActions.download(sourceOf(serviceHere()));
}

function followColours(dark) {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

document.documentElement.lang = language;
const dark = matchMedia("(prefers-color-scheme: dark)");
dark.addEventListener("change", followColours);
followColours(dark);
addEventListener("popstate", () => {
  if (location.pathname !== shown) show(); // Not for each operation that is opened.
});
drawDocuments();
authorize();
