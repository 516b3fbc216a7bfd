// find.html: the search of a copy of the archive, opened from disk. What it searches is in this file.

Object.assign(TEXTS.en, { open: "Open", copy: "A copy of the archive", archived: "Missing" });
Object.assign(TEXTS.de, { open: "Öffnen", copy: "Eine Kopie des Archivs", archived: "Fehlt" });
const ROWS = 50;
const OPENED = /\.(x?html?|shtml|mht(ml)?|svgz?|xml|xslt?|hta|js|mjs|wasm|url|lnk|webloc)$/i;
let page = 1, record = null;
const lines = DATA.lines.join("\n").split("\n").filter(Boolean);
const names = lines.map((line) => line.slice(0, line.indexOf("\t")));
const rest = lines.map((line) => line.slice(line.indexOf("\t") + 1));

// A browser would run what such files hold, so their place is told and nothing links there.
function place(item) {
  if (!["archived", "link", "reclaimed"].includes(item.state) || !item.stored_as) return tag(item.state);
  const path = [item.module, item.record_id, item.attachment_id, item.stored_as];
  if (OPENED.test(item.stored_as.replace(/[. ]+$/, ""))) return make("span", { class: "sum" }, path.join("/"));
  const address = `../${path.map(encodeURIComponent).join("/")}`;
  return make("a", { class: "open", href: address, target: "_blank", rel: "noopener noreferrer" }, t("open"));
}

function look() {
  const query = record ?? Object.fromEntries(new FormData($("form")));
  const found = record ? ofRecord() : search(names, rest, query);
  const pages = Math.ceil(found.length / ROWS);
  page = Math.max(1, Math.min(page, pages));
  const open = (item) => () => { location.hash = `${item.module}/${item.record_id}`; };
  const items = found.slice((page - 1) * ROWS, page * ROWS).map((number) => decode(rest[number]));
  show(items.map((item) => row(item, record ? null : open(item), place(item))));
  if (record) {
    $("record-name").textContent = items.find((item) => item.record_name)?.record_name || t("noName");
    $("record-about").textContent = `${t(record.module)} · ${record.id}`;
  }
  $("count").textContent = counted(found.length, page, pages);
  turn(page, pages);
}

function ofRecord() {
  return rest.flatMap((line, number) => {
    const [id, , module] = line.split("\t", 3);
    return id === record.id && module === record.module ? [number] : [];
  });
}

function route() {
  const [module, id] = decodeURIComponent(location.hash.slice(1)).split("/");
  record = id ? { module, id } : null;
  page = 1;
  $("form").hidden = Boolean(id);
  $("record-head").hidden = !id;
  $("results").className = id ? "one" : "";
  look();
  $(id ? "back" : "q").focus();
}

function write() {
  $("as-of").textContent = t("asOf", { at: moment(DATA.as_of) });
  $("version").textContent = t("copy");
  look();
}

$("language").addEventListener("click", () => {
  speak(language === "de" ? "en" : "de");
  remembered("language", language);
  write();
});
$("form").addEventListener("submit", (event) => { event.preventDefault(); });
$("form").addEventListener("input", () => { page = 1; look(); });
$("form").addEventListener("reset", () => { page = 1; setTimeout(look); $("q").focus(); });
$("previous").addEventListener("click", () => { page -= 1; look(); });
$("next").addEventListener("click", () => { page += 1; look(); });
$("back").addEventListener("click", () => { location.hash = ""; });
addEventListener("hashchange", route);
speak(firstLanguage());
route();
write();
