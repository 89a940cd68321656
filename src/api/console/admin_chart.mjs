// Bars over hours, drawn as SVG, with a table of the same numbers behind them for whoever reads instead of looking.

import { number, when } from "./admin_parts.mjs";
import { still } from "./admin_table.mjs";
import { make } from "./element.mjs";
import { say, spoken } from "./texts.mjs";

const SVG = "http://www.w3.org/2000/svg";
/** The whole picture is so high, in pixels; it is as wide as its place. */
const HEIGHT = 170;
/** Left for the numbers at the axis, and for the hours below it, in pixels. */
const [LEFT, BELOW, ABOVE] = [46, 22, 8];
/** An hour that is written needs so much room, in pixels. */
const LABEL = 56;

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {string} kind the class that gives its colour
 * @property {(hour: any) => number} of
 */

/**
 * A chart whose numbers are put into it again and again.
 * @param {string} title
 * @param {Series[]} series stacked, the first one at the bottom
 */
export function chart(title, series) {
  const picture = make("div", { class: "picture" });
  const numbers = make("details", { class: "fold" }, make("summary", {}, say("stats_table")));
  const legend = make("ul", { class: "legend" }, series.map(({ name, kind }) => make("li", {}, make("span", { class: `patch ${kind}` }), name)));
  const element = make("figure", { class: "panel chart" }, make("figcaption", {}, make("h3", {}, title), series.length > 1 && legend), picture, numbers);
  /** @type {any[]} */
  let hours = [];
  let drawn = "";

  const draw = () => {
    const width = picture.clientWidth;
    const as = `${width} ${JSON.stringify(hours)}`;
    if (width === 0 || hours.length === 0 || as === drawn) return;
    drawn = as;
    picture.replaceChildren(bars(title, series, hours, width));
  };
  new ResizeObserver(draw).observe(picture);

  /** @param {any[]} given each with its `hour` (RFC 3339), the oldest first */
  function put(given) {
    hours = given;
    draw();
    const told = hours.filter((hour) => series.some(({ of }) => of(hour) > 0)).reverse();
    const columns = [{ name: say("stats_hour"), of: ({ hour }) => when(hour) }, ...series.map(({ name, of }) => ({ name, of: (hour) => number(of(hour)), kind: "right" }))];
    const below = told.length === 0 ? make("p", { class: "quiet" }, say("stats_nothing")) : still(title, columns, told);
    numbers.replaceChildren(/** @type {Node} */ (numbers.firstChild), below);
  }
  return { element, put };
}

/** Nothing, half and all of a round number that is not less than any. @param {number} most */
export function scale(most) {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  const top = [1, 2, 3, 4, 5, 6, 8, 10].map((n) => n * power).find((n) => n >= most) ?? power;
  // Half a turn is none.
  return Number.isInteger(top / 2) ? [0, top / 2, top] : [0, top];
}

/**
 * @param {string} title
 * @param {Series[]} series
 * @param {any[]} hours
 * @param {number} width
 */
function bars(title, series, hours, width) {
  const sums = hours.map((hour) => series.reduce((sum, { of }) => sum + of(hour), 0));
  const ticks = scale(Math.max(...sums));
  const top = ticks[ticks.length - 1];
  const [wide, high] = [(width - LEFT) / hours.length, HEIGHT - BELOW - ABOVE];
  const y = (value) => ABOVE + high * (1 - value / top);
  const lines = ticks.flatMap((tick) => [
    svg("line", { class: "grid", x1: LEFT, x2: width, y1: y(tick), y2: y(tick) }),
    svg("text", { class: "axis", x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, short(tick)),
  ]);
  const every = [1, 2, 3, 6, 12, 24].find((n) => n * wide >= LABEL) ?? 24;
  const marks = hours.flatMap(({ hour }, n) => {
    const at = new Date(hour);
    const middle = LEFT + (n + 0.5) * wide;
    if (at.getHours() % every !== 0 || middle < LEFT + LABEL / 3 || middle > width - LABEL / 3) return [];
    return [svg("text", { class: "axis", x: middle, y: HEIGHT - 6, "text-anchor": "middle" }, hourName(at))];
  });
  const columns = hours.map((hour, n) => {
    let below = 0;
    const parts = series.flatMap(({ kind, of }) => {
      const value = of(hour);
      if (value === 0) return [];
      const [from, to] = [y(below), y(below + value)];
      below += value;
      return [svg("rect", { class: kind, x: LEFT + n * wide + wide * 0.1, width: wide * 0.8, y: to, height: Math.max(1, from - to) })];
    });
    return parts.length === 0 ? null : svg("g", {}, svg("title", {}, told(series, hour)), ...parts);
  });
  const total = sums.reduce((sum, one) => sum + one, 0);
  const label = say("stats_picture", title, number(total), hours.length);
  return svg("svg", { role: "img", "aria-label": label, width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}` }, ...lines, ...marks, ...columns);
}

function told(series, hour) {
  const counts = series.filter(({ of }) => of(hour) > 0).map(({ name, of }) => `${name}: ${number(of(hour))}`);
  return [new Date(hour.hour).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" }), ...counts].join("\n");
}

const locale = () => (spoken() === "zh" ? "zh-CN" : "en-GB");
/** @param {number} n */
const short = (n) => n.toLocaleString(locale(), { notation: "compact", maximumFractionDigits: 1 });

/** An hour of the day; midnight says which day begins. @param {Date} at */
function hourName(at) {
  if (at.getHours() === 0) return at.toLocaleDateString(locale(), { day: "numeric", month: "short" });
  return at.toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/**
 * @param {string} tag
 * @param {Record<string, unknown>} attributes
 * @param {...(Node | string | null)} children
 */
function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children.filter((child) => child !== null));
  return element;
}
