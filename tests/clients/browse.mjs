// A reader of /docs in Chromium: signs in as an administrator who must first choose a password and
// set a second factor up, tries an operation out, and signs in again, with a code and with a passkey.
// Prints what he saw.

import { createHmac } from "node:crypto";
import chromium from "@sparticuz/chromium";
import { chromium as playwright } from "playwright-core";

const { API_URL, EMAIL: email, PASSWORD: password, TENANT: tenant, NEW_PASSWORD: newPassword } = process.env;
const STEP_MS = 30_000;
const url = API_URL.replace("127.0.0.1", "localhost"); // An address has no passkeys, a name has.

// The code that an authenticator shows at a time (RFC 6238).
function codeAt(secret, time) {
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(time / STEP_MS)));
  const digest = createHmac("sha1", key).update(counter).digest();
  return String((digest.readUInt32BE(digest.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

const browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: ["--no-sandbox", "--no-zygote", "--disable-gpu"] });
const page = await browser.newPage({ locale: "en-GB" });
const [outside, refused, faults] = [[], [], []];
page.on("request", (request) => /^(data:|blob:)/.test(request.url()) || request.url().startsWith(url) || outside.push(request.url()));
page.on("console", (message) => /Content.Security.Policy/i.test(message.text()) && refused.push(message.text()));
page.on("pageerror", (error) => faults.push(error.message));

const button = (name) => page.getByRole("button", { name, exact: true }).last();
async function fill(fields) {
  for (const [label, value] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(value);
  await button("Continue").click();
}
const credentials = (password) => ({ "E-mail address": email, Password: password, "Tenant, if not the default one": tenant });
const title = (text) => page.locator(".info .title", { hasText: text }).waitFor();
const whoIsIn = async () => (await page.locator("#account span").textContent()) ?? "";

await page.goto(`${url}/docs`);
await button("Sign in").click();
await fill(credentials(password));
await fill({ "New password": newPassword });
const secret = await page.locator("dialog code").textContent();
await fill({ Code: codeAt(secret, Date.now()) });
const recoveryCodes = (await page.locator("dialog pre").textContent()).split("\n").length;
await button("Continue").click();
const enrolled = await whoIsIn();

await page.getByRole("link", { name: "inventory", exact: true }).click();
await title("Inventory");
await page.goBack();
await title("Stockwright");
await page.goForward();
await title("Inventory");
await page.getByPlaceholder("Search operations").fill("add item");
const operation = page.locator("#operations-items-add_item");
await operation.locator(".opblock-summary-control").click();
const samples = [];
for (const tab of ["cURL (bash)", "Python", "JavaScript"]) {
  await operation.locator(".samples").getByText(tab, { exact: true }).click();
  samples.push((await operation.locator(".samples pre").textContent()).split(/\W/)[0]);
}
await operation.getByRole("button", { name: "Try it out" }).click();
await operation.getByRole("button", { name: "Execute" }).click();
const tried = (await operation.locator(".live-responses-table tbody .response-col_status").textContent()).slice(0, 3);

await button("Sign out").click();
await button("Sign in").click();
await fill(credentials(newPassword));
const signedIn = page.waitForResponse((response) => response.url().endsWith("/api/auth/login") && response.ok());
await fill({ Code: codeAt(secret, Date.now() + STEP_MS) }); // Each is good once; the next counts already.
const { access_token: token } = await (await signedIn).json();
const again = await whoIsIn();

// A device that makes passkeys and asks nobody.
const device = await page.context().newCDPSession(page);
await device.send("WebAuthn.enable");
const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true };
await device.send("WebAuthn.addVirtualAuthenticator", { options });
await page.evaluate(async (token) => {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
  const post = async (path, body) => (await fetch(`/api/auth/passkeys/${path}`, { method: "POST", headers, body: JSON.stringify(body) })).json();
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON((await post("setup", {})).options);
  await post("verify", { name: "Phone", credential: JSON.stringify(await navigator.credentials.create({ publicKey })) });
}, token);
await button("Sign out").click();
await button("Sign in").click();
await fill(credentials(newPassword));
await page.getByText("Continue with your passkey").waitFor();
await button("Continue").click();
const byPasskey = await whoIsIn();
await browser.close();

console.log(JSON.stringify({ enrolled, recoveryCodes, samples, tried, again, byPasskey, outside, refused, faults }));
