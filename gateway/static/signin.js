// Who is signed in, and the dialog in which he signs in: step by step whatever his account asks for.

import { element } from "./dom.js";
import { words } from "./text.js";

const REFRESH_EARLY_S = 30;

async function post(path, body, token) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), cache: "no-store" });
  const answer = response.status === 204 ? null : await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.detail ?? String(response.status)), { code: answer.code, passkey: answer.passkey });
  return answer;
}

// The tokens of whoever is signed in. They live in this page only, and are renewed before they end.
export class Session {
  constructor(changed) {
    this.changed = changed;
    this.token = this.refreshToken = this.user = null;
  }

  begin(answer) {
    this.token = answer.access_token;
    this.user = answer.user ?? this.user;
    this.refreshToken = answer.refresh_token ?? this.refreshToken; // A proof of identity brings none.
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.renew(), Math.max(answer.expires_in - REFRESH_EARLY_S, 1) * 1000);
    this.changed();
  }

  async renew() {
    try {
      this.begin(await post("/api/auth/refresh", { refresh_token: this.refreshToken }));
    } catch {
      this.forget();
    }
  }

  async end() {
    const token = this.token;
    this.forget();
    await post("/api/auth/logout", {}, token).catch(() => {}); // It has ended already.
  }

  forget() {
    clearTimeout(this.timer);
    this.token = this.refreshToken = this.user = null;
    this.changed();
  }
}

export function signInDialog(dialog, session) {
  const known = {}; // What was typed so far.
  dialog.onclose = () => dialog.replaceChildren();

  const field = (name, label, attributes = {}) => ({ name, label, attributes: { required: true, ...attributes } });
  const code = field("code", words.code, { autocomplete: "one-time-code", inputmode: "numeric", autofocus: true });

  // Draw one step; what `send` refuses is shown in it.
  function step(title, note, fields, send) {
    const inputs = fields.map(({ name, label, attributes }) => element("label", {}, label, element("input", { name, value: known[name] ?? "", ...attributes })));
    const said = element("p", { class: "bad", role: "alert" });
    const button = element("button", {}, words.next);
    const onsubmit = async (event) => {
      event.preventDefault();
      Object.assign(known, Object.fromEntries(new FormData(event.target)));
      button.disabled = true;
      said.textContent = "";
      try {
        await send();
      } catch (error) {
        said.textContent = error.message;
      } finally {
        button.disabled = false;
      }
    };
    const cancel = element("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, words.cancel);
    dialog.replaceChildren(element("form", { onsubmit }, element("h2", {}, title), note, inputs, said, element("p", { class: "buttons" }, button, cancel)));
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("[autofocus]")?.focus();
  }

  const credentials = () => {
    const { email, password, tenant } = known;
    return { email, password, ...(tenant && { tenant }) };
  };

  function askCredentials() {
    const fields = [
      field("email", words.email, { type: "email", autocomplete: "username", autofocus: true }),
      field("password", words.password, { type: "password", autocomplete: "current-password" }),
      field("tenant", words.tenant, { required: false, autocomplete: "organization" }),
    ];
    step(words.signIn, element("p", {}, words.signInNote), fields, async () => {
      try {
        goOn(await post("/api/auth/login", credentials()));
      } catch (error) {
        if (error.code !== "two_factor_required") throw error;
        if (error.passkey && window.PublicKeyCredential) askPasskey(error.passkey);
        else askCode();
      }
    });
  }

  function askCode() {
    delete known.code;
    step(words.secondFactor, element("p", {}, words.secondFactorNote), [code], async () => goOn(await post("/api/auth/login", { ...credentials(), code: known.code })));
  }

  function askPasskey(options) {
    const instead = element("button", { type: "button", class: "quiet", onclick: askCode }, words.codeInstead);
    step(words.secondFactor, element("div", {}, element("p", {}, words.passkeyNote), instead), [], async () => {
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
      const passkey = JSON.stringify(await navigator.credentials.get({ publicKey }));
      goOn(await post("/api/auth/login", { ...credentials(), passkey }));
    });
  }

  function askNewPassword(token) {
    const fields = [field("new_password", words.newPassword, { type: "password", autocomplete: "new-password", autofocus: true })];
    step(words.newPassword, element("p", {}, words.newPasswordNote), fields, async () => {
      const { password: current_password, new_password } = known;
      const answer = await post("/api/auth/change-password", { current_password, new_password }, token);
      known.password = new_password;
      goOn(answer);
    });
  }

  async function askEnrolment(token) {
    const { secret, qr_svg } = await post("/api/auth/2fa/setup", {}, token);
    const picture = element("img", { class: "qr", alt: words.qr, src: `data:image/svg+xml,${encodeURIComponent(qr_svg)}` });
    const note = element("div", {}, element("p", {}, words.enrolNote), picture, element("p", {}, `${words.secret} `, element("code", {}, secret)));
    delete known.code;
    step(words.enrol, note, [code], async () => goOn(await post("/api/auth/2fa/verify", { code: known.code }, token)));
  }

  function showRecoveryCodes(answer) {
    const list = element("pre", {}, answer.recovery_codes.join("\n"));
    const { recovery_codes, ...rest } = answer;
    step(words.recovery, element("div", {}, element("p", {}, words.recoveryNote), list), [], () => goOn(rest));
  }

  // Whatever the account asks for next; with an access token it is signed in.
  function goOn(answer) {
    if (answer.recovery_codes) return showRecoveryCodes(answer);
    if (answer.access_token) {
      dialog.close();
      return session.begin(answer);
    }
    return answer.password_change_required ? askNewPassword(answer.enrolment_token) : askEnrolment(answer.enrolment_token);
  }

  askCredentials();
}
