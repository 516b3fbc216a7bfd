// What the console and find.html share: two languages, and the table. Names come from outside and become text alone.

const TEXTS = {
  en: {
    skip: "To the search", signOut: "Sign out", signIn: "Sign in", welcome: "Find any file of the archive",
    searchLabel: "Company, contact, deal or file", searchHint: "For example: muller offer", module: "Module", since: "From",
    until: "To", clear: "Clear", back: "← All files", caption: "Files found", record: "Belongs to", file: "File", size: "Size", day: "Attached",
    pages: "Pages", newer: "Newer", older: "Older", all: "All modules", download: "Download", other: "Deutsch",
    complete: "Everything is there", partial: "Something needs a look", failed: "The last check failed",
    unchecked: "Not checked yet", checked: "Checked {at}.", whole: "Complete up to {at}.", askPartial: "Files are missing or differ. The report of the audit lists them.",
    askFailed: "It proves nothing. Please start the audit again.", askUnchecked: "The first check follows the first sweep.",
    files: "files", bytes: "in all", waiting: "waiting", refused: "refused", last: "last archived",
    found: ["{n} file", "{n} files"], none: "Nothing was found. Try fewer words, or a part of the name.", page: "Page {a} of {b}",
    searching: "Searching …", slow: "Still searching …", asOf: "Search: as of {at}", old: "This list is from {at}: newer files are missing. Please tell the person who runs the archive.",
    offline: "No answer. Check the internet connection, then try again.", signedOut: "You are signed out. Please sign in again.", keyEnded: "The key is missing, or the command has ended: start bigin-archive console again.",
    tooMany: "You downloaded many files in one hour. Please continue in {m} minutes.", index_unavailable: "The list to search is missing or damaged. The next audit writes it: bigin-archive audit.",
    unknown_record: "The archive knows no files of this record.", not_archived: "This file is not in the archive.", invalid_request: "This search does not work: {d}",
    failedAnswer: "That did not work ({d}). Please try again, or tell the person who runs the archive.", ready: "Downloaded", compare: "SHA-256, to compare",
    gateText: "The attachments of your Bigin account, to search and download. Only invited people can sign in.",
    pending: "Waiting", parked: "Refused", gone: "Deleted before archived", noName: "Without a name",
    Contacts: "Contact", Accounts: "Company", Pipelines: "Pipeline", Products: "Product", Tasks: "Task", Events: "Event", Notes: "Note",
  },
  de: {
    skip: "Zur Suche", signOut: "Abmelden", signIn: "Anmelden", welcome: "Jede Datei des Archivs finden",
    searchLabel: "Firma, Kontakt, Deal oder Datei", searchHint: "Zum Beispiel: müller angebot", module: "Modul", since: "Von",
    until: "Bis", clear: "Leeren", back: "← Alle Dateien", caption: "Gefundene Dateien", record: "Gehört zu", file: "Datei", size: "Größe", day: "Angehängt",
    pages: "Seiten", newer: "Neuere", older: "Ältere", all: "Alle Module", download: "Herunterladen", other: "English",
    complete: "Alles ist da", partial: "Etwas muss geprüft werden", failed: "Die letzte Prüfung ist gescheitert",
    unchecked: "Noch nicht geprüft", checked: "Geprüft am {at}.", whole: "Vollständig bis {at}.", askPartial: "Dateien fehlen oder weichen ab: Der Prüfbericht nennt sie.",
    askFailed: "Sie beweist nichts und sollte neu gestartet werden.", askUnchecked: "Geprüft wird nach dem ersten Durchlauf.",
    files: "Dateien", bytes: "insgesamt", waiting: "wartend", refused: "abgelehnt", last: "zuletzt archiviert",
    found: ["{n} Datei", "{n} Dateien"], none: "Nichts gefunden. Versuchen Sie weniger Wörter oder einen Teil des Namens.", page: "Seite {a} von {b}",
    searching: "Suche …", slow: "Suche läuft noch …", asOf: "Suche: Stand {at}", old: "Diese Liste ist vom {at}: Neuere Dateien fehlen. Bitte sagen Sie dem Betreuer des Archivs Bescheid.",
    offline: "Keine Antwort: Bitte die Internetverbindung prüfen und noch einmal versuchen.", signedOut: "Sie sind abgemeldet. Bitte melden Sie sich wieder an.", keyEnded: "Der Schlüssel fehlt, oder der Befehl ist beendet: Starten Sie bigin-archive console noch einmal.",
    tooMany: "Das waren viele Dateien in einer Stunde: In {m} Minuten geht es weiter.", index_unavailable: "Die Liste zum Durchsuchen fehlt oder ist beschädigt. Die nächste Prüfung schreibt sie: bigin-archive audit.",
    unknown_record: "Zu diesem Eintrag kennt das Archiv keine Dateien.", not_archived: "Diese Datei ist nicht im Archiv.", invalid_request: "So kann nicht gesucht werden: {d}",
    failedAnswer: "Das hat nicht geklappt ({d}). Bitte noch einmal versuchen, oder dem Betreuer des Archivs Bescheid sagen.", ready: "Heruntergeladen", compare: "SHA-256, zum Vergleichen",
    gateText: "Die Anhänge Ihres Bigin-Kontos, zum Suchen und Herunterladen. Nur Eingeladene können sich anmelden.",
    pending: "Wartet", parked: "Abgelehnt", gone: "Vor der Archivierung gelöscht", noName: "Ohne Namen",
    Contacts: "Kontakt", Accounts: "Firma", Pipelines: "Pipeline", Products: "Produkt", Tasks: "Aufgabe", Events: "Termin", Notes: "Notiz",
  },
};
const MODULES = ["Contacts", "Accounts", "Pipelines", "Products", "Tasks", "Events", "Notes"];
const $ = (id) => document.getElementById(id);

let language, locale;
const t = (name, values = {}) => {
  let text = TEXTS[language][name] ?? name;
  if (Array.isArray(text)) text = text[values.n === 1 ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (_, key) => (typeof values[key] === "number" ? number(values[key]) : values[key] ?? ""));
};
const number = (value) => new Intl.NumberFormat(locale).format(value);
const day = (iso) => (iso ? new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(`${iso.slice(0, 10)}T00:00Z`)) : "");
const moment = (iso) => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
function size(bytes) {
  if (bytes === null || bytes === undefined) return "";
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = Math.min(4, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const options = { style: "unit", unit: units[power], unitDisplay: power ? "short" : "long", maximumSignificantDigits: power ? 3 : 4 };
  return new Intl.NumberFormat(locale, options).format(bytes / 1000 ** power);
}
function remembered(name, value) {
  try { // which a browser may forbid
    return value === undefined ? localStorage.getItem(name) : localStorage.setItem(name, value);
  } catch {
    return null;
  }
}
function speak(chosen) {
  language = TEXTS[chosen] ? chosen : "en";
  locale = navigator.languages.find((one) => one.startsWith(language)) ?? language;
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-p]")) node.placeholder = t(node.dataset.p);
  for (const node of document.querySelectorAll("[data-l]")) node.setAttribute("aria-label", t(node.dataset.l));
  const select = $("module"), chosenModule = select.value;
  select.replaceChildren(make("option", { value: "" }, t("all")), ...MODULES.map((module) => make("option", { value: module }, t(module))));
  select.value = chosenModule;
  $("language").textContent = t("other");
  $("language").lang = language === "de" ? "en" : "de";
}
const firstLanguage = () => remembered("language") ?? (navigator.language.startsWith("de") ? "de" : "en");

// An element with attributes and children; a child that is a string becomes text.
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "click") node.addEventListener("click", value);
    else if (value !== null && value !== false) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
const named = (name) => make("bdi", {}, name || t("noName"));
const tag = (state) => make("span", { class: `tag ${state}` }, t(state));
const cell = (name, ...children) => make("td", { class: name }, ...children);

// `open` shows the record (null on its own page), `action` is what stands at the end of the row.
function row(found, open, action) {
  const record = [];
  if (open) record.push(make("button", { type: "button", class: "to", click: open }, named(found.record_name)));
  else record.push(named(found.record_name));
  record.push(make("span", { class: "kind" }, t(found.module)));
  const file = [named(found.file_name)];
  if (found.link_url) file.push(make("span", { class: "sum" }, found.link_url));
  return make("tr", {}, cell("name", ...record), cell("file", ...file), cell("number", size(found.size_bytes)), cell("day", day(found.attached_on)), cell("do", action));
}
function show(rows) {
  $("results").tBodies[0].replaceChildren(...rows);
  $("results").hidden = !rows.length;
  $("results").removeAttribute("aria-busy");
}
function tell(text, bad = false) {
  $("notice").textContent = text;
  $("notice").className = bad ? "notice bad" : "notice";
  $("notice").hidden = !text;
}
function turn(page, pages) {
  $("pager").hidden = pages < 2;
  $("page").textContent = t("page", { a: page, b: pages });
  $("previous").disabled = page <= 1;
  $("next").disabled = page >= pages;
}
const counted = (total, page, pages) => [t(total ? "found" : "none", { n: total }), pages > 1 && t("page", { a: page, b: pages })].filter(Boolean).join(" · ");
