// A table of one page of something: rows that stay where they are while they are read again, and the way to the other pages.

import { make } from "./element.mjs";
import { feed } from "./admin_live.mjs";
import { button, clock, problemPlace, why } from "./admin_parts.mjs";
import { say } from "./texts.mjs";

/** How often what is shown is read again while somebody looks at it, in milliseconds. */
const REFRESH_MS = 5000;
/** What has changed is read after this time, in milliseconds: much may change at once. */
const CHANGED_MS = 700;
/** What takes long to read, such as a filter that finds few among many, is read less often: it rests for so many times as long as it took. */
const CLOCK_SHARE = 20;
const CHANGED_SHARE = 5;

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} name what stands above it
 * @property {(row: Row) => unknown} of what stands in it: a text or an element, or a list of them
 * @property {string} [kind] classes of its cells
 */

/**
 * A table in a frame that scrolls sideways. The roles stand there although they are the elements' own: where a row is laid out as a
 * card, browsers forget them.
 * @param {string} caption
 * @param {{ name: string, kind?: string }[]} columns
 * @param {HTMLElement} body
 */
function framed(caption, columns, body) {
  const head = columns.map(({ name, kind }) => make("th", { scope: "col", role: "columnheader", class: kind }, name));
  const top = make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, head));
  const whole = make("table", { class: "records", role: "table", "aria-label": caption }, top, body);
  return make("div", { class: "table", role: "region", tabindex: "0", "aria-label": caption }, whole);
}

/**
 * @template Row
 * @param {Column<Row>[]} columns
 * @param {Row} row
 */
function line(columns, row) {
  // One element in each cell: a card lays out its name and this.
  const cells = columns.map(({ name, of, kind }) => make("td", { role: "cell", class: kind, "data-name": name }, make("div", {}, of(row))));
  return make("tr", { role: "row" }, cells);
}

/**
 * A table that does not change.
 * @template Row
 * @param {string} caption
 * @param {Column<Row>[]} columns
 * @param {Row[]} rows
 */
export function still(caption, columns, rows) {
  return framed(caption, columns, make("tbody", { role: "rowgroup" }, rows.map((row) => line(columns, row))));
}

/**
 * A table whose rows are put into it again and again: a row whose values are the same stays the same element, so nothing flickers
 * and the focus stays where it is.
 * @template Row
 * @param {string} caption
 * @param {Column<Row>[]} columns
 * @param {(row: Row) => string} keyOf
 */
export function table(caption, columns, keyOf) {
  const body = make("tbody", { role: "rowgroup" });
  const element = framed(caption, columns.map(({ name, kind }) => ({ name, kind })), body);
  const nothing = make("p", { class: "quiet nothing", hidden: true }, say("admin_nothing"));
  /** @type {Map<string, { told: string, row: HTMLElement }>} */
  let shown = new Map();

  /** @param {Row[]} rows */
  function put(rows) {
    const next = new Map();
    const focus = focused(body);
    for (const row of rows) {
      const [key, told] = [keyOf(row), JSON.stringify(row)];
      const old = shown.get(key);
      next.set(key, old?.told === told ? old : { told, row: line(columns, row) });
    }
    const wanted = [...next.values()].map(({ row }) => row);
    for (const row of [...body.children]) if (!wanted.includes(row)) row.remove();
    wanted.forEach((row, n) => {
      if (body.children[n] !== row) body.insertBefore(row, body.children[n] ?? null);
    });
    shown = next;
    element.hidden = rows.length === 0;
    nothing.hidden = rows.length > 0;
    if (focus) refocus(body, focus, [...next.keys()]);
  }

  /** Which row has the focus, and which of what can be pressed in it. */
  function focused(place) {
    const at = document.activeElement;
    if (!place.contains(at)) return null;
    const row = at.closest("tr");
    const key = [...shown].find(([, { row: known }]) => known === row)?.[0];
    return { key, n: [...row.querySelectorAll("a, button")].indexOf(at) };
  }

  function refocus(place, { key, n }, keys) {
    const at = keys.indexOf(key);
    const again = place.children[at]?.querySelectorAll("a, button")[n];
    if (again && document.activeElement !== again) again.focus({ preventScroll: true });
  }

  return { element, nothing, put };
}

/**
 * A page of something behind cursors, read again while somebody looks at it.
 * @template Row
 * @param {object} given
 * @param {AbortSignal} given.signal aborted when the screen is left
 * @param {ReturnType<typeof table>} given.table
 * @param {(cursor: string | null) => Promise<{ rows: Row[], next: string | null, summary?: string }>} given.read
 * @param {boolean} [given.live] whether it is read again by itself
 * @param {HTMLElement[]} [given.controls] what stands above it
 */
export function pages({ signal, table: shown, read, live = true, controls = [] }) {
  /** @type {(string | null)[]} cursors of the pages up to this one */
  let path = [null];
  /** @type {string | null} */
  let next = null;
  let asked = 0;
  const problems = problemPlace();
  const summary = make("p", { class: "quiet summary" });
  const read_at = make("span", { class: "quiet as-of" });
  const page = make("span", { class: "quiet" });
  const back = button(say("admin_previous"), () => go(path.slice(0, -1)));
  const on = button(say("admin_next"), () => go([...path, next]));
  const foot = make("div", { class: "pager" }, back, page, on, read_at);
  const element = make("section", { class: "pages" }, make("div", { class: "controls" }, controls), summary, problems.element, shown.element, shown.nothing, foot);
  shown.element.hidden = true;

  async function load() {
    const mine = (asked += 1);
    try {
      const told = await read(path.at(-1) ?? null);
      if (signal.aborted || mine !== asked) return;
      next = told.next;
      shown.put(told.rows);
      shown.nothing.textContent = say(next === null ? "admin_nothing" : "admin_more");
      summary.textContent = told.summary ?? "";
      read_at.textContent = say("admin_read_at", clock(new Date()));
      problems.tell(null);
    } catch (problem) {
      if (signal.aborted || mine !== asked) return;
      problems.tell(why(problem));
    }
    const focusWas = foot.contains(document.activeElement);
    page.textContent = say("admin_page", path.length);
    back.disabled = path.length === 1;
    on.disabled = next === null;
    // The focus does not fall off a button that has just become useless.
    if (focusWas && document.activeElement?.matches(":disabled, body")) (back.disabled ? on : back).focus();
    for (const part of [back, page, on]) part.hidden = path.length === 1 && next === null;
  }

  function go(to) {
    path = to;
    return load();
  }

  if (live) whileSeen(signal, load);
  else void load();
  return { element, load, first: () => go([null]) };
}

/**
 * Does something now, and again and again while the page is seen, each time after the one before is over; sooner, when the service tells that
 * something has changed.
 * @param {AbortSignal} signal ends it
 * @param {() => Promise<void>} act
 */
export function whileSeen(signal, act) {
  let timer = 0;
  let busy = false;
  let took = 0;
  const later = (ms) => {
    clearTimeout(timer);
    timer = window.setTimeout(again, ms);
  };
  const again = async () => {
    if (signal.aborted || busy) return;
    busy = true;
    const began = performance.now();
    if (!document.hidden) await act();
    took = performance.now() - began;
    busy = false;
    if (!signal.aborted) later(Math.max(REFRESH_MS, took * CLOCK_SHARE));
  };
  // The first of many changes sets the time: it is not put off again and again.
  let soon = 0;
  const changed = () => {
    soon ||= window.setTimeout(() => {
      soon = 0;
      void again();
    }, Math.max(CHANGED_MS, took * CHANGED_SHARE));
  };
  feed.addEventListener("change", changed, { signal });
  document.addEventListener("visibilitychange", () => void (document.hidden || again()), { signal });
  signal.addEventListener("abort", () => [timer, soon].forEach((one) => clearTimeout(one)));
  void again();
}
