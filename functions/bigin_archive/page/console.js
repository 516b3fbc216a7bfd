// The console. Behind Cognito it signs in by code with PKCE and keeps its token in memory alone; on 127.0.0.1 its key
// comes in the address's fragment.

const { signIn: LOGIN, client: CLIENT } = document.documentElement.dataset;
const BASE = location.pathname.replace(/\/+$/, "");
const HOME = location.origin + BASE;
let token = "", status = null, found = null, record = null, page = 1, running = null, timer = 0;

const failure = (code, detail, minutes) => Object.assign(new Error(code), { code, detail, minutes });
const KNOWN = ["offline", "index_unavailable", "unknown_record", "not_archived", "invalid_request"];

function sentence({ code, detail, minutes }) {
  if (code === "unauthorized") return t(LOGIN ? "signedOut" : "keyEnded");
  if (code === "too_many_links") return t("tooMany", { m: minutes });
  return KNOWN.includes(code) ? t(code, { d: detail }) : t("failedAnswer", { d: code });
}

async function api(path, options = {}) {
  let answer, body = {};
  try {
    answer = await fetch(BASE + path, { ...options, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" } });
    body = await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    if (!answer) throw failure("offline");
  }
  if (answer.ok) return body;
  const code = answer.status === 401 ? "unauthorized" : body.code ?? `HTTP ${answer.status}`;
  throw failure(code, body.detail, Math.ceil(Number(answer.headers.get("Retry-After") ?? 60) / 60));
}

function failed(error) {
  if (error.name === "AbortError") return;
  if (!error.code) throw error;
  $("results").removeAttribute("aria-busy");
  $("count").textContent = "";
  if (error.code === "unauthorized") { token = ""; gate(sentence(error)); } else tell(sentence(error), true);
}

function gate(text) {
  for (const id of ["verdict", "form", "record-head", "results", "pager", "notice", "sign-out"]) $(id).hidden = true;
  $("count").textContent = "";
  $("gate").hidden = false;
  $("gate-text").textContent = text;
  $("sign-in").hidden = !LOGIN;
}

const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/[+/=]/g, (sign) => ({ "+": "-", "/": "_" })[sign] ?? "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

async function signIn() {
  const verifier = random(), state = random();
  sessionStorage.setItem("signing-in", JSON.stringify({ verifier, state, hash: location.hash }));
  const challenge = base64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  location.assign(`${LOGIN}/oauth2/authorize?${new URLSearchParams({ response_type: "code", client_id: CLIENT, redirect_uri: HOME,
    scope: "archive/read", state, code_challenge: challenge, code_challenge_method: "S256" })}`);
}

async function comeBack(answer) {
  const kept = JSON.parse(sessionStorage.getItem("signing-in") ?? "{}");
  sessionStorage.removeItem("signing-in");
  history.replaceState(null, "", BASE + (kept.hash ?? ""));
  if (!kept.state || kept.state !== answer.get("state")) return;
  const body = new URLSearchParams({ grant_type: "authorization_code", client_id: CLIENT, redirect_uri: HOME, code: answer.get("code"), code_verifier: kept.verifier });
  const given = await fetch(`${LOGIN}/oauth2/token`, { method: "POST", body }).catch(() => null);
  if (given?.ok) token = (await given.json()).access_token;
  if (token) sessionStorage.setItem("signed-in", "yes");
}

function signOut() {
  token = "";
  sessionStorage.clear();
  if (LOGIN) location.assign(`${LOGIN}/logout?${new URLSearchParams({ client_id: CLIENT, logout_uri: HOME })}`);
  else gate(t("keyEnded"));
}

async function enter() {
  const answer = new URLSearchParams(location.search);
  if (!LOGIN) {
    const key = location.hash.match(/^#key=([\w-]+)/)?.[1];
    if (key) {
      sessionStorage.setItem("key", key);
      history.replaceState(null, "", BASE);
    }
    token = sessionStorage.getItem("key") ?? "";
  } else if (answer.has("code")) await comeBack(answer);
  else if (sessionStorage.getItem("signed-in") && !answer.has("error")) {
    sessionStorage.removeItem("signed-in");
    return signIn(); // Cognito's own session answers, without a question
  }
  if (!token) return gate(LOGIN ? t("gateText") : t("keyEnded"));
  $("gate").hidden = true;
  $("sign-out").hidden = !LOGIN;
  api("/status").then((told) => { status = told; verdict(); }).catch(failed);
  return route();
}

function verdict() {
  if (!status) return;
  const kind = status.verdict ?? "unchecked";
  $("verdict").className = `verdict ${kind}`;
  $("answer").textContent = t(kind);
  const more = [status.audited_at && t("checked", { at: moment(status.audited_at) }), status.complete_as_of && t("whole", { at: moment(status.complete_as_of) }),
    { partial: t("askPartial"), failed: t("askFailed"), unchecked: t("askUnchecked") }[kind]];
  $("answer-more").textContent = more.filter(Boolean).join(" ");
  const facts = [[status.archived, "files", number], [status.size_bytes, "bytes", size], [status.waiting, "waiting", number],
    [status.parked, "refused", number], [status.last_archived_at, "last", day]];
  $("counts").replaceChildren(...facts.filter(([value]) => value).map(([value, name, shown]) => make("div", {}, make("dt", {}, t(name)), make("dd", {}, shown(value)))));
  $("version").textContent = `Bigin Archive ${status.version}`;
  $("verdict").hidden = Boolean(record);
}

function actions(item) {
  if (!["archived", "link", "reclaimed"].includes(item.state)) return tag(item.state);
  const button = make("button", { type: "button", "aria-label": `${t("download")}: ${item.file_name || t("noName")}` }, t("download"));
  const place = make("div", {}, button);
  button.addEventListener("click", () => download(item, button, place));
  return place;
}

async function download(item, button, place) {
  tell("");
  button.disabled = true;
  try {
    const { module, record_id, attachment_id } = item;
    const link = await api("/links", { method: "POST", body: JSON.stringify({ module, record_id, attachment_id }) });
    make("a", { href: link.url, download: link.file_name, rel: "noreferrer" }).click();
    const sum = make("code", { class: "sum" }, link.sha256 ?? "–");
    place.querySelector("details")?.remove();
    place.append(make("details", {}, make("summary", {}, `✓ ${t("ready")}`), make("span", { class: "kind" }, t("compare")), sum));
  } catch (error) {
    failed(error);
  }
  button.disabled = false;
}

async function look() {
  if (record) return;
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  const slow = setTimeout(() => { $("count").textContent = t("slow"); }, 1200);
  $("results").setAttribute("aria-busy", "true");
  const asked = new URLSearchParams([...new FormData($("form")), ["page", page]].filter(([, value]) => value));
  try {
    found = await api(`/search?${asked}`, { signal });
    tell("");
    listed();
  } catch (error) {
    failed(error);
  } finally {
    clearTimeout(slow);
  }
}

function listed() {
  if (record || !found) return;
  const open = (item) => () => { location.hash = `${item.module}/${item.record_id}`; };
  show(found.results.map((item) => row(item, open(item), actions(item))));
  $("count").textContent = counted(found.total, found.page, found.pages);
  turn(found.page, found.pages);
  $("as-of").textContent = t("asOf", { at: moment(found.as_of) });
  if (Date.now() - new Date(found.as_of) > 31 * 86400e3) tell(t("old", { at: day(found.as_of) }));
}

function recorded(chosen) {
  $("record-name").textContent = record.record_name || t("noName");
  $("record-about").textContent = `${t(record.module)} · ${record.record_id}`;
  show(record.attachments.map((item) => row(item, null, actions(item))));
  $("count").textContent = t("found", { n: record.attachments.length });
  const place = record.attachments.findIndex((item) => item.attachment_id === chosen);
  const line = $("results").tBodies[0].rows[place];
  line?.classList.add("chosen");
  line?.querySelector("button")?.focus();
}

async function route() {
  if (!token) return;
  const [module, id, chosen] = decodeURIComponent(location.hash.slice(1)).split("/");
  const wasRecord = record;
  record = null;
  tell("");
  $("form").hidden = Boolean(id);
  $("record-head").hidden = !id;
  $("verdict").hidden = Boolean(id) || !status;
  $("pager").hidden = true;
  $("results").className = id ? "one" : "";
  if (!id) {
    if (found) listed(); else await look();
    verdict();
    if (wasRecord) $("q").focus();
    return;
  }
  clearTimeout(timer);
  running?.abort();
  show([]);
  $("record-name").textContent = t("searching");
  $("record-about").textContent = $("count").textContent = "";
  record = { attachments: [], module, record_id: id };
  try {
    record = await api(`/records/${encodeURIComponent(module)}/${encodeURIComponent(id)}`);
    recorded(chosen);
  } catch (error) {
    failed(error);
  }
  if (!chosen) $("back").focus();
}

function again(start) {
  page = start;
  clearTimeout(timer);
  timer = setTimeout(look, 150);
}

$("language").addEventListener("click", () => {
  speak(language === "de" ? "en" : "de");
  remembered("language", language);
  verdict();
  if (record) recorded(); else listed();
  if (!$("gate").hidden) $("gate-text").textContent = t(LOGIN ? "gateText" : "keyEnded");
});
$("form").addEventListener("submit", (event) => { event.preventDefault(); again(1); });
$("form").addEventListener("input", () => again(1));
$("form").addEventListener("reset", () => { again(1); $("q").focus(); });
$("previous").addEventListener("click", () => again(page - 1));
$("next").addEventListener("click", () => again(page + 1));
$("back").addEventListener("click", () => { location.hash = ""; });
$("sign-in").addEventListener("click", signIn);
$("sign-out").addEventListener("click", signOut);
addEventListener("hashchange", () => (/^#key=/.test(location.hash) ? enter() : route()));
speak(firstLanguage());
enter();
