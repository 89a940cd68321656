// A form made from a JSON Schema: one field for each thing that may be given, and what it says as JSON.

import { make, show } from "./element.mjs";
import { cleaned, inline } from "./inline.mjs";
import { say, telling } from "./texts.mjs";

/** Objects within objects get fields of their own down to here; what is deeper is written as JSON. */
const DEPTH_MAX = 4;
/** A text that may be longer than this gets a box of several lines, in characters. */
const LINE_CHARS_MAX = 200;
/** A choice of more than this is written instead. */
const CHOICES_MAX = 300;

/**
 * One thing that may be given. `read` gives its value, undefined where nothing is given, and tells what is wrong to `wrong`.
 * @typedef {{element: HTMLElement, read: (wrong: (field: Field, name: string, ...values: any[]) => void) => any, say: (sentence: string | null) => void, named: Map<string, Field>, focus: () => void, given: () => boolean}} Field
 */

let made = 0;

/** A form for a schema of an object. `values` gives what was given, or null and says at the fields what is wrong. */
export function schemaForm(schema) {
  const root = resolve(schema ?? {}, schema);
  /** @type {Field} */
  const fields = group(root, schema, 0);
  const top = make("p", { class: "problem", role: "alert", hidden: true });
  const none = fields.named.size === 0 && root.additionalProperties === false ? telling("p", { class: "quiet" }, "no_parameters") : null;
  const element = make("div", { class: "fields" }, top, none, fields.element);

  function clear() {
    show(top, false);
    each(fields, (field) => field.say(null));
  }

  return {
    element,
    values() {
      clear();
      /** @type {Field[]} */
      const wrong = [];
      const value = fields.read((field, name, ...values) => {
        wrong.push(field);
        field.say(say(name, ...values));
      });
      wrong[0]?.focus();
      return wrong.length > 0 ? null : value ?? {};
    },
    /** Says what the service found wrong: a sentence that names a field, as `a` or by a JSON pointer `/a/b`, at that one, others above all. */
    complain(sentences) {
      clear();
      const rest = [];
      let first = null;
      for (const sentence of sentences) {
        const [, path] = /^`([^`]+)`/.exec(sentence) ?? [];
        const field = path === undefined ? null : find(fields, path.replace(/^\//, "").split("/"));
        if (field === null) rest.push(sentence);
        else {
          field.say(sentence);
          first ??= field;
        }
      }
      show(top, rest.length > 0);
      top.textContent = cleaned(rest.join("\n"));
      first?.focus();
    },
  };
}

function each(field, what) {
  for (const inner of field.named.values()) {
    what(inner);
    each(inner, what);
  }
}

/** The field at a path, or the nearest one around it. @param {Field} field @param {string[]} path @returns {Field | null} */
function find(field, path) {
  const [name, ...rest] = path;
  const inner = field.named.get(name);
  if (inner === undefined) return null;
  return rest.length === 0 ? inner : find(inner, rest) ?? inner;
}

/** What a `$ref` leads to, as far as it stands in the same schema. */
function resolve(schema, whole) {
  for (let hops = 0; typeof schema?.$ref === "string" && hops < 20; hops += 1) {
    const [from, ...path] = schema.$ref.split("/");
    if (from !== "#") return {};
    schema = path.reduce((at, part) => at?.[decodeURIComponent(part).replace(/~1/g, "/").replace(/~0/g, "~")], whole) ?? {};
  }
  return typeof schema === "object" && schema !== null ? schema : {};
}

/** The one type that a schema has beside null, or null if there is none or a choice. */
function typeOf(schema) {
  const types = [schema.type].flat().filter((type) => type !== undefined && type !== "null");
  if (types.length === 1) return types[0];
  return types.length === 0 && schema.properties ? "object" : null;
}

/** A field for a schema of whatever kind. @returns {Field} */
function fieldOf(schema, whole, name, required, depth) {
  schema = resolve(schema, whole);
  const combined = schema.oneOf || schema.anyOf || schema.allOf || schema.not;
  const type = combined ? null : typeOf(schema);
  const choices = schema.enum ?? (schema.const === undefined ? (type === "boolean" ? [true, false] : null) : [schema.const]);
  if (choices && choices.length <= CHOICES_MAX && choices.every((one) => one === null || typeof one !== "object")) return choice(schema, choices, name, required);
  if (type === "string") return text(schema, name, required);
  if (type === "integer" || type === "number") return number(schema, type, name, required);
  const fields = type === "object" && Object.keys(schema.properties ?? {}).length > 0;
  if (fields && depth < DEPTH_MAX) return nested(schema, whole, name, required, depth);
  if (type === "array" && schema.items && depth < DEPTH_MAX) return list(schema, whole, name, required, depth);
  return json(schema, name, required);
}

/** The fields of an object, required ones first. @returns {Field} */
function group(schema, whole, depth) {
  const required = new Set(schema.required ?? []);
  const names = Object.keys(schema.properties ?? {}).sort((a, b) => Number(required.has(b)) - Number(required.has(a)));
  /** @type {Map<string, Field>} */
  const named = new Map(names.map((name) => [name, fieldOf(schema.properties[name], whole, name, required.has(name), depth + 1)]));
  const element = make("div", { class: "fields" }, ...[...named.values()].map((field) => field.element));
  return {
    element,
    named,
    say: () => {},
    focus: () => named.values().next().value?.focus(),
    given: () => [...named.values()].some((field) => field.given()),
    read(wrong) {
      const pairs = [...named].map(([name, field]) => [name, field.read(wrong)]).filter(([, value]) => value !== undefined);
      return pairs.length > 0 ? Object.fromEntries(pairs) : undefined;
    },
  };
}

/** What stands around an input: its name, what it is for, and what is wrong with it. */
function labelled(schema, name, required, input, kind, tag = "div") {
  const id = (input.id ||= `field-${(made += 1)}`);
  const problem = make("p", { class: "field-problem", id: `${id}-problem`, role: "alert", hidden: true });
  const about = schema.description ? make("p", { class: "quiet", dir: "auto", id: `${id}-about` }, ...inline(String(schema.description))) : null;
  const title = [make("span", { class: "code" }, cleaned(name)), " ", make("span", { class: "kind quiet" }, kind), required ? [" ", telling("em", { class: "needed" }, "required")] : null];
  if (tag === "div") input.setAttribute("aria-describedby", `${about ? `${id}-about ` : ""}${id}-problem`);
  if (required && tag === "div") input.setAttribute("aria-required", "true");
  const head = tag === "fieldset" ? make("legend", {}, title) : make("label", { for: id }, title);
  const element = make(tag, { class: "field" }, head, about, input, problem);
  return {
    element,
    /** @param {string | null} sentence */
    say(sentence) {
      show(problem, sentence !== null);
      problem.textContent = cleaned(sentence ?? "");
      if (tag === "fieldset") return;
      if (sentence === null) input.removeAttribute("aria-invalid");
      else input.setAttribute("aria-invalid", "true");
    },
  };
}

/**
 * A field with one input. `parse` gives its value, or a complaint: the name of a text, and what is filled in.
 * @param {(given: string) => {value?: any, complaint?: [string, ...any[]]}} parse
 * @returns {Field}
 */
function simple(schema, name, required, input, kind, parse) {
  const around = labelled(schema, name, required, input, kind);
  /** @type {Field} */
  const field = {
    ...around,
    named: new Map(),
    focus: () => input.focus(),
    given: () => input.value !== "",
    read(wrong) {
      // Half a date has no value, but is not nothing.
      if (input.validity.badInput) {
        wrong(field, "field_bad");
        return undefined;
      }
      if (input.value === "") {
        if (required) wrong(field, "field_missing");
        return undefined;
      }
      const { value, complaint } = parse(input.value);
      if (complaint) wrong(field, ...complaint);
      return value;
    },
  };
  return field;
}

const begins = (schema) => (schema.default === undefined || typeof schema.default === "object" ? null : String(schema.default));
const plain = { autocomplete: "off", autocapitalize: "none", spellcheck: "false" };

function choice(schema, choices, name, required) {
  const known = choices.map((value) => [JSON.stringify(value), value === null ? "null" : String(value)]);
  const options = known.map(([value, shown]) => make("option", { value }, cleaned(shown)));
  const select = make("select", {}, make("option", { value: "" }, required ? "" : "–"), ...options);
  if (required && choices.length === 1) select.value = known[0][0];
  return simple(schema, name, required, select, say("kind_choice"), (value) => ({ value: JSON.parse(value) }));
}

const INPUTS = { date: "date", email: "email", uri: "url", password: "password" };

function text(schema, name, required) {
  const long = (schema.maxLength ?? 0) > LINE_CHARS_MAX && !INPUTS[schema.format];
  const input = make(long ? "textarea" : "input", { ...plain, ...(long ? { rows: 3 } : { type: INPUTS[schema.format] ?? "text" }), placeholder: begins(schema) ?? example(schema) });
  return simple(schema, name, required, input, schema.format ?? say("kind_text"), (value) => {
    const length = [...value].length;
    if (length < (schema.minLength ?? 0)) return { complaint: ["field_short", schema.minLength] };
    if (length > (schema.maxLength ?? Infinity)) return { complaint: ["field_long", schema.maxLength] };
    return { value };
  });
}

function number(schema, type, name, required) {
  const input = make("input", { ...plain, type: "text", inputmode: type === "integer" ? "numeric" : "decimal", placeholder: begins(schema) ?? example(schema) });
  return simple(schema, name, required, input, say(`kind_${type}`), (given) => {
    const value = Number(given);
    if (given.trim() === "" || !Number.isFinite(value)) return { complaint: ["field_number"] };
    if (type === "integer" && !Number.isInteger(value)) return { complaint: ["field_integer"] };
    // A number that a browser cannot hold exactly would be sent as another one.
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) return { complaint: ["field_too_big"] };
    if (value < (schema.minimum ?? -Infinity)) return { complaint: ["field_min", schema.minimum] };
    if (value > (schema.maximum ?? Infinity)) return { complaint: ["field_max", schema.maximum] };
    return { value };
  });
}

/** What an example says, as a hint. */
function example(schema) {
  const given = schema.example ?? schema.examples?.[0];
  return given === undefined || typeof given === "object" ? null : String(given);
}

/** Whatever has no fields of its own, written as JSON. */
function json(schema, name, required) {
  const given = schema.example ?? schema.examples?.[0] ?? schema.default;
  const input = make("textarea", { ...plain, rows: 4, class: "code", placeholder: given === undefined ? "{ … }" : JSON.stringify(given) });
  return simple(schema, name, required, input, "JSON", (value) => {
    // A number that a browser cannot hold exactly would be sent as another one.
    if (/\d{16}/.test(value.replace(/"(?:[^"\\]|\\.)*"/g, ""))) return { complaint: ["field_too_big"] };
    try {
      return { value: JSON.parse(value) };
    } catch (problem) {
      return { complaint: ["field_json", problem.message] };
    }
  });
}

/** An object with fields. One that is not required is given only if one of its fields is. @returns {Field} */
function nested(schema, whole, name, required, depth) {
  const inner = group(schema, whole, depth);
  const around = labelled(schema, name, required, inner.element, say("kind_object"), "fieldset");
  return {
    ...inner,
    ...around,
    read: (wrong) => (required || inner.given() ? inner.read(wrong) ?? {} : undefined),
  };
}

/** A list, one row for each element. @returns {Field} */
function list(schema, whole, name, required, depth) {
  const rows = make("div", { class: "rows" });
  const add = telling("button", { type: "button" }, "add_row");
  const around = labelled(schema, name, required, make("div", {}, rows, add), say("kind_list"), "fieldset");
  /** @type {{field: Field, row: HTMLElement}[]} */
  const all = [];
  /** @type {Map<string, Field>} */
  const named = new Map();
  const most = schema.maxItems ?? Infinity;

  function counted() {
    named.clear();
    all.forEach(({ field }, n) => named.set(String(n), field));
    add.disabled = all.length >= most;
  }

  function grow() {
    const field = fieldOf(schema.items, whole, name, true, depth + 1);
    const remove = make("button", { type: "button", class: "plain" }, "×");
    remove.setAttribute("aria-label", say("remove_row"));
    const row = make("div", { class: "row" }, field.element, remove);
    const one = { field, row };
    remove.addEventListener("click", () => {
      all.splice(all.indexOf(one), 1);
      row.remove();
      counted();
      add.focus();
    });
    all.push(one);
    rows.append(row);
    counted();
    return field;
  }

  add.addEventListener("click", () => grow().focus());
  for (let n = 0; n < Math.min(required ? Math.max(1, schema.minItems ?? 1) : 0, 20); n += 1) grow();
  /** @type {Field} */
  const field = {
    ...around,
    named,
    focus: () => (all[0]?.field ?? add).focus(),
    given: () => all.length > 0,
    read(wrong) {
      if (all.length === 0 && !required) return undefined;
      if (all.length < (schema.minItems ?? 0)) wrong(field, "field_few", schema.minItems);
      return all.map((one) => one.field.read(wrong));
    },
  };
  return field;
}
