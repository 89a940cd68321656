// Times as people read them.

import { spoken } from "./texts.mjs";

/** The time of day, with the date if it is another day's. @param {Date} when */
export function clock(when) {
  const today = when.toDateString() === new Date().toDateString();
  const locale = spoken() === "zh" ? "zh-CN" : "en-GB";
  return when.toLocaleString(locale, today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}

/** The day, or the time of today: short enough for a list. @param {Date} when */
export function day(when) {
  const now = new Date();
  const locale = spoken() === "zh" ? "zh-CN" : "en-GB";
  if (when.toDateString() === now.toDateString()) return when.toLocaleTimeString(locale, { timeStyle: "short" });
  return when.toLocaleDateString(locale, { day: "numeric", month: "short", year: when.getFullYear() === now.getFullYear() ? undefined : "numeric" });
}
