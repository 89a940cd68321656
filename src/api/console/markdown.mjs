// Answers as people read them: a fixed subset of Markdown (CommonMark with GFM tables) becomes DOM nodes. No HTML string is made or
// parsed on the way, so there is nothing to sanitise: what is not in the subset is shown as the text it is.

import { fill, make } from "./element.mjs";
import { highlighted } from "./highlight.mjs";
import { cleaned, inline } from "./inline.mjs";

/** More than this is shown as plain text, in characters. */
const MARKDOWN_CHARS_MAX = 100_000;
const DEPTH_MAX = 6;
const COLUMNS_MAX = 60;

// None of these can take more than linear time: no two repetitions of the same characters stand side by side.
const FENCE = /^ {0,3}(`{3,}|~{3,})([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})[ \t]+(.*)$/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(?:([ \t]+)(.*)|[ \t]*)$/;
const DELIMITER = /^:?-+:?$/;

/** The nodes of an answer. */
export function render(text) {
  const fragment = document.createDocumentFragment();
  const clean = cleaned(String(text).replace(/\r\n?/g, "\n"));
  fill(fragment, blocks(clean.slice(0, MARKDOWN_CHARS_MAX).split("\n"), 0));
  const rest = clean.slice(MARKDOWN_CHARS_MAX);
  if (rest !== "") fragment.append(make("pre", { tabindex: 0 }, rest));
  return fragment;
}

function blocks(lines, depth) {
  const out = [];
  let at = 0;
  while (at < lines.length) {
    const read = lines[at].trim() === "" ? [null, at + 1] : block(lines, at, depth);
    if (read[0] !== null) out.push(read[0]);
    at = read[1];
  }
  return out;
}

/** The block that begins at a line, and the line after it. */
function block(lines, at, depth) {
  const line = lines[at];
  const fence = FENCE.exec(line);
  if (fence !== null) return codeBlock(lines, at, fence[1], fence[2]);
  const heading = HEADING.exec(line);
  // The page has its own first and second headings.
  if (heading !== null) return [make(`h${Math.min(6, heading[1].length + 2)}`, { dir: "auto" }, inline(headingText(heading[2]))), at + 1];
  if (RULE.test(line)) return [make("hr"), at + 1];
  if (beginsTable(lines, at)) return table(lines, at);
  if (depth < DEPTH_MAX && QUOTE.test(line)) return quote(lines, at, depth);
  if (depth < DEPTH_MAX && ITEM.test(line)) return list(lines, at, depth);
  return paragraph(lines, at, depth);
}

/** Without the number signs that may close a heading. */
function headingText(text) {
  const trimmed = text.trim();
  let end = trimmed.length;
  while (trimmed[end - 1] === "#") end -= 1;
  return end === 0 || /\s/.test(trimmed[end - 1]) ? trimmed.slice(0, end).trimEnd() : trimmed;
}

function paragraph(lines, at, depth) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() !== "" && !interrupts(lines, end, depth)) end += 1;
  // Line ends stay: models and people mean them.
  const text = lines.slice(at, end).map((line) => line.trim()).join("\n");
  return [make("p", { dir: "auto" }, inline(text)), end];
}

function interrupts(lines, at, depth) {
  const line = lines[at];
  if (FENCE.test(line) || HEADING.test(line) || RULE.test(line) || beginsTable(lines, at)) return true;
  return depth < DEPTH_MAX && (QUOTE.test(line) || (ITEM.exec(line)?.[4] ?? "") !== "");
}

function codeBlock(lines, at, fence, language) {
  let end = at + 1;
  const closes = (line) => /^ {0,3}(`+|~+)[ \t]*$/.exec(line)?.[1].startsWith(fence) ?? false;
  while (end < lines.length && !closes(lines[end])) end += 1;
  const code = make("code", {}, highlighted(lines.slice(at + 1, end).join("\n"), language));
  return [make("pre", { tabindex: 0 }, code), end + 1];
}

function quote(lines, at, depth) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  return [make("blockquote", { dir: "auto" }, blocks(lines.slice(at, end).map((line) => line.replace(QUOTE, "")), depth + 1)), end];
}

function list(lines, at, depth) {
  const kind = (marker) => (/\d/.test(marker) ? marker.at(-1) : marker);
  const [, , first] = ITEM.exec(lines[at]);
  const ordered = /\d/.test(first);
  const start = ordered ? parseInt(first, 10) : 1;
  const items = [];
  let end = at;
  for (let item = ITEM.exec(lines[end] ?? ""); item !== null && kind(item[2]) === kind(first) && !RULE.test(lines[end]); item = ITEM.exec(lines[end] ?? "")) {
    const [, before, marker, space = " ", text = ""] = item;
    const indent = before.length + marker.length + (space.length > 4 ? 1 : space.length);
    const own = [text];
    end += 1;
    while (end < lines.length && belongs(lines, end, indent)) {
      own.push(lines[end].slice(Math.min(indent, lines[end].search(/\S|$/))));
      end += 1;
    }
    while (own.length > 1 && own.at(-1).trim() === "") own.pop();
    items.push(listItem(own, depth));
  }
  return [make(ordered ? "ol" : "ul", start === 1 ? {} : { start }, items), end];
}

/** Whether a line goes on with the item whose text begins at the column: it is indented so far, or blank with such a line after it,
 *  or simply the next line of its paragraph. */
function belongs(lines, at, indent) {
  const column = (line) => line.search(/\S/);
  if (lines[at].trim() === "") {
    const next = lines.slice(at, at + 3).find((line) => line.trim() !== "");
    return next !== undefined && (column(next) >= indent || ITEM.test(next));
  }
  if (column(lines[at]) >= indent) return true;
  return !ITEM.test(lines[at]) && lines[at - 1].trim() !== "" && !interrupts(lines, at, 0);
}

function listItem(lines, depth) {
  const task = /^\[([ xX])\][ \t]+/.exec(lines[0]);
  if (task !== null) lines[0] = `${task[1] === " " ? "☐" : "☑"} ${lines[0].slice(task[0].length)}`;
  const inner = blocks(lines, depth + 1);
  // An item of one paragraph is that text, without the room around a paragraph.
  const [head, ...rest] = inner;
  const children = head?.localName === "p" ? Array.from(head.childNodes).concat(rest) : inner;
  return make("li", { dir: "auto" }, children);
}

function beginsTable(lines, at) {
  const delimiter = lines[at + 1];
  if (delimiter === undefined || !lines[at].includes("|") || !delimiter.includes("-")) return false;
  const sides = cells(delimiter);
  return sides.every((cell) => DELIMITER.test(cell)) && cells(lines[at]).length === sides.length;
}

function table(lines, at) {
  const sides = cells(lines[at + 1]).map((cell) => (cell.endsWith(":") ? (cell.startsWith(":") ? "center" : "right") : null));
  const row = (tag, texts) =>
    make("tr", {}, ...sides.slice(0, COLUMNS_MAX).map((side, n) => make(tag, { class: side, dir: "auto" }, inline(texts[n] ?? ""))));
  const head = make("thead", {}, row("th", cells(lines[at])));
  const body = make("tbody");
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|")) {
    body.append(row("td", cells(lines[end])));
    end += 1;
  }
  return [make("div", { class: "table", tabindex: 0, role: "region", "data-label": "table" }, make("table", {}, head, body)), end];
}

/** The cells of a row; `\|` is a bar inside a cell, and so is one in code only if it is escaped (GFM 0.29, 4.10). */
function cells(line) {
  const out = [""];
  const text = line.trim().replace(/^\|/, "");
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "\\" && at + 1 < text.length) {
      out[out.length - 1] += text[at + 1] === "|" ? "|" : text.slice(at, at + 2);
      at += 1;
    } else if (text[at] === "|") out.push("");
    else out[out.length - 1] += text[at];
  }
  if (out.length > 1 && out.at(-1).trim() === "") out.pop();
  return out.map((cell) => cell.trim());
}
