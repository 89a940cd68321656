// The Markdown inside a line: code, bold, italic, struck, escapes, entities. Gives DOM nodes.
//
// Links are not made into links, and images not into images. What a model or an upstream API wrote can carry a user's data in an
// address (`https://elsewhere/?d=…`), and one click, or a picture that loads by itself, would hand it over. So an address is shown
// whole, as text that can be read before it is copied. HTML is text too, apart from a bare <br>, which models write in table cells.

import { make } from "./element.mjs";

const DEPTH_MAX = 8;
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" };
const PUNCTUATION = /[!-/:-@[-`{-~]/;
const MARKS = [
  ["**", "strong"],
  ["__", "strong"],
  ["~~", "del"],
  ["*", "em"],
  ["_", "em"],
];

/** The nodes of a text that is one line, or several with breaks between them. */
export function inline(text, depth = 0) {
  const nodes = [];
  let plain = "";
  const flush = () => {
    if (plain !== "") nodes.push(plain);
    plain = "";
  };
  const add = (node) => {
    flush();
    nodes.push(node);
  };
  // A mark that was not closed once is not closed for any later opening either: no search is done twice.
  const hopeless = new Set();
  let at = 0;
  while (at < text.length) {
    const char = text[at];
    if (char === "\\" && PUNCTUATION.test(text[at + 1] ?? "")) {
      plain += text[at + 1];
      at += 2;
    } else if (char === "\n") {
      plain = plain.trimEnd();
      add(make("br"));
      at += 1;
    } else if (char === "`") {
      const length = run(text, at, "`");
      const end = hopeless.has(`\`${length}`) ? -1 : closingTicks(text, at + length, length);
      if (end < 0) {
        hopeless.add(`\`${length}`);
        plain += "`".repeat(length);
        at += length;
      } else {
        const code = text.slice(at + length, end).replaceAll("\n", " ");
        add(make("code", {}, code.startsWith(" ") && code.endsWith(" ") && code.trim() !== "" ? code.slice(1, -1) : code));
        at = end + length;
      }
    } else if (char === "&") {
      const [whole, said] = entity(text, at);
      plain += said;
      at += whole.length;
    } else if (char === "<" && /^<br\s{0,3}\/?>/i.test(text.slice(at, at + 9))) {
      add(make("br"));
      at = text.indexOf(">", at) + 1;
    } else {
      const marked = depth < DEPTH_MAX ? opening(text, at, hopeless) : null;
      if (marked === null) {
        const length = "*_~".includes(char) ? run(text, at, char) : 1;
        plain += text.slice(at, at + length);
        at += length;
      } else {
        add(make(marked.tag, {}, inline(text.slice(at + marked.mark.length, marked.end), depth + 1)));
        at = marked.end + marked.mark.length;
      }
    }
  }
  flush();
  return nodes;
}

/** The emphasis that opens here and where its closing mark is, or null. */
function opening(text, at, hopeless) {
  for (const [mark, tag] of MARKS) {
    if (!text.startsWith(mark, at)) continue;
    const inner = text[at + mark.length] ?? " ";
    // A longer run of the same character is left to the longer mark (`**` before `*`), or is no mark at all.
    if (/\s/.test(inner) || hopeless.has(mark) || (inner === mark[0] && mark.length === 1)) continue;
    // Inside a word an underscore is only itself (CommonMark 0.31, 6.2).
    if (mark[0] === "_" && isWord([...text.slice(Math.max(at - 2, 0), at)].at(-1))) continue;
    const end = closing(text, at + mark.length, mark);
    if (end >= 0) return { mark, tag, end };
    hopeless.add(mark);
  }
  return null;
}

function closing(text, from, mark) {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === "`") {
      const length = run(text, at, "`");
      const end = closingTicks(text, at + length, length);
      at = (end < 0 ? at : end) + length - 1;
    } else if (text[at] === mark[0]) {
      const length = run(text, at, mark[0]);
      const fits = mark.length === 1 ? length !== 2 : length >= 2;
      // With `***` the last characters of the run close this mark, and the first ones a mark inside it.
      const end = at + length - mark.length;
      if (fits && end > from && !/\s/.test(text[at - 1]) && !(mark[0] === "_" && isWord([...text.slice(at + length, at + length + 2)][0]))) return end;
      at += length - 1;
    }
  }
  return -1;
}

function closingTicks(text, from, length) {
  let at = text.indexOf("`", from);
  while (at >= 0) {
    const found = run(text, at, "`");
    if (found === length) return at;
    at = text.indexOf("`", at + found);
  }
  return -1;
}

function run(text, at, char) {
  let end = at;
  while (text[end] === char) end += 1;
  return end - at;
}

/** The entity at this place and the character it stands for; an unknown one stands for itself. */
function entity(text, at) {
  const found = /^&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([a-z]{2,4}));/.exec(text.slice(at, at + 12));
  if (found === null) return ["&", "&"];
  const [whole, decimal, hexadecimal, name] = found;
  if (name !== undefined) return [whole, ENTITIES[name] ?? whole];
  const point = decimal === undefined ? parseInt(hexadecimal, 16) : Number(decimal);
  return [whole, point > 0 && point <= 0x10ffff ? cleaned(String.fromCodePoint(point)) : "\ufffd"];
}

const isWord = (char) => char !== undefined && /[\p{L}\p{M}\p{N}]/u.test(char);

/** Control characters and those that turn the direction of text around (Unicode 16, 23.2) are made visible: they could make an
 *  address or a number read as another. */
export const cleaned = (text) => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff]/g, "\ufffd");
