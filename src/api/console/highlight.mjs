// Code in colours. Not a parser of any language: what stands between quotes, behind a comment's sign, a number, a name that means something,
// the key of a value. Wrong here and there, and harmless: the text is the same in the same order, in spans with a class.

import { make } from "./element.mjs";

/** Longer code is shown in one colour, in characters: a span for each word would cost more than it tells. */
const COLOURED_CHARS_MAX = 20_000;

// Each of these takes time that is linear in what it looks at: nothing can be repeated in two ways. `^` is the beginning of a line, and
// `(?![^])` the end of all, for what is never closed.
const STRING = /"(?:[^"\\\n]|\\.)*"?/;
const QUOTED = /'(?:[^'\\\n]|\\.)*'?/;
const TEMPLATE = /`(?:[^`\\]|\\[^])*`?/;
const LONG_STRING = /"""[^]*?(?:"""|(?![^]))|'''[^]*?(?:'''|(?![^]))/;
const NUMBER = /-?\b\d[\w.]*/;
const HASH = /(?<!\S)#[^\n]*/;
const SLASHES = /\/\/[^\n]*|\/\*[^]*?(?:\*\/|(?![^]))/;
const DASHES = /--[^\n]*|\/\*[^]*?(?:\*\/|(?![^]))/;
const JSON_KEY = /"(?:[^"\\\n]|\\.)*"(?=[ \t]{0,8}:)/;
const YAML_KEY = /^[ \t]*(?:-[ \t]+)?[\w$./~-]+(?=:(?:\s|(?![^])))/;
const HEADER = /^[A-Za-z][\w-]*(?=:)/;
const OPTION = /(?<=\s)--?[A-Za-z][\w-]*|\$\w+|\$\{\w+\}/;
const MARKUP_COMMENT = /<!--[^]*?(?:-->|(?![^]))/;
const TAG = /<[/?!]?[A-Za-z][\w:.-]*|[/?]?>/;
const ATTRIBUTE = /(?<=\s)[A-Za-z][\w:.-]*(?==)/;
const ATTRIBUTE_VALUE = /(?<==)(?:"[^"]*"?|'[^']*'?)/;

/** Names that mean something, as one pattern. @param {string} list */
const words = (list) => new RegExp(`(?<![\\w$.-])(?:${list.trim().split(/\s+/).join("|")})(?![\\w$])`);
const VALUES = words("true false null");
const SCRIPT = words(`true false null undefined this self super new delete typeof instanceof in of if else for while do switch case break continue return throw
  try catch finally function class extends implements interface enum struct trait impl fn let mut const var static public private protected import export
  from as default async await yield match use pub mod func go defer package type void int long float double bool boolean string String char final using namespace`);
const PYTHON = words(`True False None and or not in is if elif else for while break continue return raise try except finally with as def class lambda import
  from pass global nonlocal async await yield del assert self end do unless require module then nil true false`);
const SHELL = words("if then else elif fi for in do done while case esac function return export local set curl cd echo exit jq");
const SQL = words(`select from where and or not in is null insert into values update set delete create table alter drop index join left right inner outer on as
  group by order having limit offset distinct union all case when then else end exists between like asc desc primary key default begin commit`);
const METHOD = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE)(?= )|HTTP\/[\d.]+/;

// What is tried first wins: a key before a string, a comment before a number.
/** @type {Record<string, [string, RegExp][]>} */
const KINDS = {
  json: [["key", JSON_KEY], ["said", STRING], ["aside", SLASHES], ["word", VALUES], ["number", NUMBER]],
  yaml: [["aside", HASH], ["key", YAML_KEY], ["said", STRING], ["said", QUOTED], ["word", VALUES], ["number", NUMBER]],
  script: [["aside", SLASHES], ["said", TEMPLATE], ["said", STRING], ["said", QUOTED], ["word", SCRIPT], ["number", NUMBER]],
  python: [["aside", HASH], ["said", LONG_STRING], ["said", STRING], ["said", QUOTED], ["word", PYTHON], ["number", NUMBER]],
  shell: [["aside", HASH], ["said", STRING], ["said", QUOTED], ["key", OPTION], ["word", SHELL]],
  sql: [["aside", DASHES], ["said", QUOTED], ["key", STRING], ["word", SQL], ["number", NUMBER]],
  markup: [["aside", MARKUP_COMMENT], ["word", TAG], ["key", ATTRIBUTE], ["said", ATTRIBUTE_VALUE]],
  http: [["word", METHOD], ["key", HEADER], ["key", JSON_KEY], ["said", STRING], ["word", VALUES], ["number", NUMBER]],
};
/** @type {Record<string, string>} */
const NAMES = {
  json: "json jsonc json5 jsonl ndjson geojson",
  yaml: "yaml yml toml ini conf properties env dotenv",
  script: "js javascript jsx mjs ts typescript tsx java c h cpp c++ cs csharp go golang rust rs kotlin kt swift scala dart php css scss graphql proto",
  python: "py python ruby rb r perl elixir lua",
  shell: "sh shell bash zsh console shellsession powershell dockerfile",
  sql: "sql mysql postgresql sqlite",
  markup: "xml html svg xhtml vue",
  http: "http",
};
/** @type {Map<string, {classes: string[], pattern: RegExp}>} what a language is scanned with, by each of its names */
const SCANNERS = new Map();
for (const [kind, rules] of Object.entries(KINDS)) {
  const pattern = new RegExp(rules.map(([, rule]) => `(${rule.source})`).join("|"), kind === "sql" ? "gim" : "gm");
  for (const name of NAMES[kind].split(" ")) SCANNERS.set(name, { classes: rules.map(([of]) => `code-${of}`), pattern });
}

/** The nodes of code in a language, as the fence names it (`json`); what has no name and begins like JSON is taken for JSON. @param {string} code @param {string} named */
export function highlighted(code, named) {
  const language = /^[\w+#.-]+/.exec(named.trim())?.[0].toLowerCase() ?? (/^\s*[{[]/.test(code) ? "json" : "");
  const scanner = SCANNERS.get(language);
  if (scanner === undefined || code.length > COLOURED_CHARS_MAX) return [code];
  const nodes = [];
  let from = 0;
  for (const found of code.matchAll(scanner.pattern)) {
    if (found.index > from) nodes.push(code.slice(from, found.index));
    nodes.push(make("span", { class: scanner.classes[found.slice(1).findIndex((group) => group !== undefined)] }, found[0]));
    from = found.index + found[0].length;
  }
  nodes.push(code.slice(from));
  return nodes;
}
