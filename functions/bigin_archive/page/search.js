// What counts as the same letter: the twin of search/folding.py, step by step. tests/vectors/folding.json checks both.

const LETTERS = new Map((`øo đd ħh łl ŧt ƀb ƶz ǥg ȼc ɇe ɉj ɍr ɏy ɨi ᵽp ⱥa ⱦt ꝁk ꞙf ꞹu ƚl ɫl ⱡl ꞡg ꞣk ꞥn ꞧr ꞩs ɓb ɗd ɖd ƙk ƴy ƒf ŋn ıi ȷj ĸk ` +
  `ðd þth æae œoe ßss ςσ ғг ґг ҟк қк ңн ұу ҳх ҷч ‐- ‑- ‒- –- —- −- ‘' ’' ʼ' ʻ' “" ”" „"`).split(" ").map((pair) => [pair[0], pair.slice(1)]));
const DROPPED = /[\p{Mn}\p{Me}\p{Cf}]/u;

function fold(text) {
  const folded = text.normalize("NFKD").toLowerCase().replace(/[^\x00-\x7f]/gu, (letter) => LETTERS.get(letter) ?? (DROPPED.test(letter) ? "" : letter));
  return folded.toLowerCase().split(/[\s\x1c-\x1f\x85]+/u).filter(Boolean).join(" ");
}

// Lines of the search index that hold every word and are chosen: their numbers, in order.
function search(names, rest, query) {
  const words = fold(query.q ?? "").split(" ");
  const found = [];
  for (let place = 0; place < names.length; place += 1) {
    const [record_id, attachment_id, module, day, state] = rest[place].split("\t", 5);
    if (!words.every((word) => names[place].includes(word) || record_id.includes(word) || attachment_id.includes(word))) continue;
    if (query.module && module !== query.module) continue;
    if (query.state && state !== query.state) continue;
    if (query.since && day < query.since) continue;
    if (query.until && (!day || day > query.until)) continue;
    found.push(place);
  }
  return found;
}

function decode(line) {
  const letters = { t: "\t", n: "\n", r: "\r", "\\": "\\" };
  const cells = line.split("\t").map((cell) => cell.replace(/\\(.)/g, (_, letter) => letters[letter] ?? ""));
  const [record_id, attachment_id, module, attached_on, state, record_name, file_name, bytes, link_url, stored_as] = cells;
  return { module, record_id, record_name, attachment_id, file_name, size_bytes: bytes ? Number(bytes) : null, attached_on, state, link_url, stored_as };
}
