// Sentences to begin with, made from the functions of the API.

const EXAMPLES_MAX = 4;
/** Only functions that read: an example is clicked without thinking. */
const READS = /^(list|get|search|find|query|fetch|show|read)$/;
const IDEOGRAPHS = /\p{Script=Han}+/u;

/** At most four sentences in the given language (`en` or `zh`); none if no function can be put into simple words. */
export function examplesOf(functions, language) {
  const described = functions.map(describe).filter(Boolean);
  const lists = described.filter((f) => f.id === null);
  const singles = described.filter((f) => f.id !== null);
  const shown = lists.slice(0, EXAMPLES_MAX - 1);
  // One list shows that a page can be asked for, the others that nothing has to be.
  const paged = shown.findLastIndex((f) => f.pages);
  const sentences = shown.map((f, n) => sentence(f, language, n === paged));
  sentences.push(...singles.map((f) => sentence(f, language, false)));
  return [...new Set(sentences)].slice(0, EXAMPLES_MAX);
}

/** What can be said of a function in a few words, or null. */
function describe({ name, description, parameters }) {
  const words = String(name).replace(/([a-z\d])([A-Z])/g, "$1 $2").toLowerCase().split(/[\s_.-]+/).filter(Boolean);
  const by = words.indexOf("by");
  const [verb, ...things] = by > 0 ? words.slice(0, by) : words;
  if (!READS.test(verb ?? "") || things.length === 0 || things.length > 3 || things.some((word) => /\d/.test(word))) return null;
  const properties = parameters?.properties ?? {};
  const required = parameters?.required ?? [];
  const [only] = required;
  if (required.length > 1) return null;
  const id = only === undefined ? null : identifier(properties[only]);
  if (only !== undefined && id === null) return null;
  const chinese = IDEOGRAPHS.exec(String(description ?? "").split("\n", 1)[0])?.[0] ?? null;
  return { verb, thing: things.join(" "), chinese, id, pages: "page" in properties };
}

/** A number that the parameter takes, or null if it takes no number. */
function identifier(schema) {
  if (schema?.type !== "integer") return null;
  const given = schema.example ?? schema.examples?.[0];
  return Number.isInteger(given) ? given : Math.max(1, schema.minimum ?? 1);
}

function sentence({ verb, thing, chinese, id, pages }, language, withPage) {
  const noun = language === "zh" && chinese !== null ? chinese.replace(/^(查询|查看|获取|列出|搜索|所有|全部|单个|一个)+|(列表|详情|信息|记录)+$/g, "") : "";
  if (noun !== "") {
    if (id !== null) return `查看${noun} ${id}`;
    return withPage && pages ? `查询第 2 页${noun}` : `查询所有${noun}`;
  }
  if (id !== null) return `${verb} ${thing} ${id}`;
  return withPage && pages ? `${verb} ${thing} page 2` : `${verb} ${thing}`;
}
