// The service's own document, one fold for each operation, and a form in it with which the operation is tried.

import { $, fill, make, show } from "./element.mjs";
import { signedIn } from "./service.mjs";
import { retell, say, spoken, switchLanguage, telling, translate } from "./texts.mjs";

const METHODS = ["get", "put", "post", "delete", "patch"];

/** What a `$ref` of the document leads to, or the value itself. */
function resolved(whole, value) {
  if (typeof value?.$ref !== "string") return value;
  return value.$ref.replace(/^#\//, "").split("/").reduce((here, part) => here?.[part.replace(/~1/g, "/").replace(/~0/g, "~")], whole);
}

/** One field of a form: its label, and the input with what an example says. */
function field(parameter, id) {
  const kind = `${parameter.in}${parameter.schema?.type ? `, ${[parameter.schema.type].flat().join(" | ")}` : ""}`;
  const needed = parameter.required ? [" ", telling("em", {}, "docs_needed")] : [];
  const about = make("label", { for: id }, make("code", {}, parameter.name), ` (${kind})`, needed, parameter.description ? ` ${parameter.description}` : null);
  const input = make("input", { id, required: parameter.required === true, spellcheck: "false", autocomplete: "off" });
  if (parameter.required && parameter.example !== undefined) input.value = String(parameter.example);
  return { parameter, row: make("div", {}, about, input), input };
}

function bodyField(operation, id) {
  const media = operation.requestBody?.content?.["application/json"];
  if (!media) return null;
  const input = make("textarea", { id, rows: "5", spellcheck: "false", class: "code" });
  const example = media.example ?? Object.values(media.examples ?? {})[0]?.value;
  input.value = JSON.stringify(example ?? {}, null, 2);
  return { row: make("div", {}, telling("label", { for: id }, "docs_body"), input), input };
}

/** Sends what the form says; what came back as text, whatever it is. */
async function send(method, path, fields, body) {
  const headers = { "Accept-Language": spoken() === "zh" ? "zh-CN" : "en" };
  const query = new URLSearchParams();
  for (const { parameter, input } of fields) {
    if (input.value === "") continue;
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (parameter.in === "query") query.append(parameter.name, input.value);
    else if (parameter.in === "header") headers[parameter.name] = input.value;
  }
  const token = signedIn()?.token;
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  /** @type {RequestInit} */
  const asked = { method: method.toUpperCase(), headers, credentials: "omit", cache: "no-store", redirect: "error" };
  const response = await fetch(query.size > 0 ? `${path}?${query}` : path, { ...asked, body: body?.input.value });
  const text = await response.text();
  const told = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  return `${response.status} ${response.statusText}\n${told}\n\n${readable(text)}`;
}

function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function shown(whole, path, method, item) {
  const operation = item[method];
  const id = operation.operationId;
  const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((parameter) => resolved(whole, parameter));
  const fields = parameters.map((parameter, n) => field(parameter, `${id}-${n}`));
  const body = bodyField(operation, `${id}-body`);
  const answer = make("pre", { tabindex: "0", role: "status", hidden: true });
  const button = telling("button", { type: "submit", class: "primary" }, "docs_send");
  const form = make("form", {}, fields.map(({ row }) => row), body?.row, button, answer);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    answer.textContent = await send(method, path, fields, body).catch(() => say("docs_no_answer"));
    show(answer, true);
    button.disabled = false;
  });
  const statuses = Object.entries(operation.responses).map(([status, told]) => make("li", {}, make("code", {}, status), ` ${resolved(whole, told).description}`));
  return make(
    "details",
    { id },
    make("summary", {}, make("code", { class: "method" }, method.toUpperCase()), " ", make("code", {}, path), " ", make("span", { class: "quiet" }, operation.summary)),
    operation.description ? make("p", {}, operation.description) : null,
    make("ul", { class: "quiet" }, statuses),
    form,
  );
}

function list(whole) {
  for (const { name, description } of whole.tags) {
    const operations = Object.entries(whole.paths).flatMap(([path, item]) =>
      METHODS.filter((method) => item[method]?.tags?.includes(name)).map((method) => shown(whole, path, method, item)),
    );
    fill($("operations"), [make("section", {}, make("h2", {}, name), make("p", { class: "quiet" }, description), operations)]);
  }
}

function speak() {
  const user = signedIn()?.user;
  if (user) retell($("who"), "docs_signed_in", user);
  else retell($("who"), "docs_signed_out");
  translate();
  $("language").textContent = say("other_language");
  $("language").lang = spoken() === "zh" ? "en" : "zh";
}

$("language").addEventListener("click", () => {
  switchLanguage();
  speak();
});
speak();
try {
  const response = await fetch("/openapi.json", { credentials: "omit", redirect: "error" });
  list(await response.json());
  translate();
} catch {
  retell($("problem"), "docs_unreadable");
  show($("problem"), true);
}
