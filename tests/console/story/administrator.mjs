// What an administrator does meanwhile: looks at all of it, stops a turn, and ends a session.

import assert from "node:assert/strict";
import { dialog, go, row, rows } from "../admin_page.mjs";
import { openTab, typeWho, until } from "../browser.mjs";
import { eventually } from "./stack.mjs";

/** Sessions of one page of the table. */
const PAGE = 25;

export const SHOWN = {
  "en-US": { lease: /\d+ s/, watching: "as it happens", gone: "Replica gone", read: "Session read", stopped: "Turn stopped", ended: "Session ended", disabled: "disabled" },
  "zh-CN": { lease: /\d+ 秒/, watching: "实时显示", gone: "副本已离开", read: "阅读会话内容", stopped: "停止处理", ended: "结束会话", disabled: "已停用" },
};

/** @param {import("./story.mjs").Scene & {person: {user: string, token: string}}} scene */
export async function looksAround({ step, page, who, person, picture, api, origin, shown }) {
  await step("the administrator signs in and sees what was done", async () => {
    await page.goto(`${origin}/admin`);
    await typeWho(page, who);
    await page.waitForURL(({ pathname }) => pathname === "/admin");
    await page.locator(".chart svg g").first().waitFor();
    const turns = page.locator(".chart").first();
    await turns.locator("summary").click();
    assert.ok(Number(await turns.locator("tbody tr").first().locator("td").nth(1).innerText()) >= 5, "turns of this hour");
    await turns.locator("summary").click();
    await picture("admin-overview");
  });

  await step("finds somebody's sessions, page by page", async () => {
    for (let n = 0; n < PAGE; n += 1) assert.equal((await api(person.token, "POST", "/api/sessions", {})).status, 201);
    const { count } = (await api(person.token, "GET", "/api/sessions")).told;
    await go(page, "sessions");
    await page.locator("#sessions-user").fill(person.user);
    await until([true, true], async () => [(await row(page, person.user).count()) === PAGE, (await rows(page).count()) === PAGE]);
    const names = async () => rows(page).locator("a").evaluateAll((links) => links.map(({ hash }) => hash));
    const first = await names();
    await page.locator(".pager button").nth(1).click();
    await until(count - PAGE, () => rows(page).count());
    const all = [...first, ...(await names())];
    assert.equal(new Set(all).size, count, "each session once");
    await page.locator("#sessions-state").selectOption("running");
    await page.locator(".nothing:not([hidden])").waitFor();
    await page.locator("#sessions-state").selectOption("");
    await rows(page).first().waitFor();
  });

  await step("looks into a session and its keys; that it was read is recorded", async () => {
    const { session_id } = (await api(person.token, "GET", "/api/session/info")).told.session_info;
    await page.goto(`${origin}/admin#/sessions/${person.user}/${session_id}`);
    await page.locator(".facts").waitFor();
    await rows(page).first().waitFor();
    assert.equal(await page.locator(".said-list li").count(), 0, "nothing is read before somebody says so");
    await page.locator(".content button").click();
    await page.locator(".said-list .told").first().waitFor();
    await picture("admin-session");
    await go(page, "audit");
    await page.locator("#audit-user").fill(person.user);
    await page.locator("#audit-action").selectOption("session_read");
    await row(page, shown.read).filter({ hasText: person.user }).waitFor();
  });
}

/**
 * The replica that writes an answer is killed while the administrator watches. Gives what kills it, and what is seen of that afterwards.
 * @param {import("./story.mjs").Scene & {killAt: (address: string) => Promise<number>}} scene
 */
export async function watchesReplicas({ step, page, seen, api, who, origin, shown, token, killAt, startReplica, user }) {
  const events = await openTab(page.context(), origin, seen);
  const all = async () => (await api(token, "GET", "/api/admin/replicas")).told.replicas;
  const before = await all();
  let killed = "";
  let port = 0;

  return {
    async begin() {
      await step("opens a second tab for live events, without signing in again, and sees all replicas", async () => {
        await events.goto(`${origin}/admin#/events`);
        await events.locator("#admin-screen [role=status]", { hasText: shown.watching }).waitFor();
        await go(page, "replicas");
        await until(before.map(({ id }) => id), () => rows(page).locator("td:first-child").allInnerTexts());
      });
    },
    /** Kills the replica that works on the user's run. */
    async kill() {
      const { turns } = (await api(token, "GET", "/api/admin/turns")).told;
      killed = turns.find(({ user_id }) => user_id === user).holder;
      port = await killAt(before.find(({ id }) => id === killed).address);
    },
    async end() {
      await step("a replica that was killed is shown as gone, and one that comes as there", async () => {
        await row(events, shown.gone).filter({ hasText: killed }).waitFor({ timeout: 40_000 });
        await until(before.map(({ id }) => id).filter((id) => id !== killed), () => rows(page).locator("td:first-child").allInnerTexts());
        await startReplica(port);
        await until(before.length, () => rows(page).count());
        await events.close();
      });
    },
  };
}

/** @param {import("./story.mjs").Scene & {person: {user: string, token: string}}} scene */
export async function tidiesUp({ step, page, model, house, person, words, picture, api, shown, token }) {
  await step("a running turn is seen and stopped, and its user is told who did it", async () => {
    const held = model.holdNext();
    const running = api(person.token, "POST", "/api/process?stream=0", { message: words.about });
    await held.reached;
    await go(page, "turns");
    const turns = page.locator(".pages").nth(0).locator("tbody tr");
    await turns.filter({ hasText: person.user }).filter({ hasText: shown.lease }).waitFor();
    await picture("admin-turns");
    await turns.getByRole("button").click();
    await dialog(page).locator(".danger").click();
    await turns.first().waitFor({ state: "detached" });
    held.open();
    const { run_id } = (await running).told;
    const { run } = (await api(person.token, "GET", `/api/runs/${run_id}`)).told;
    assert.deepEqual([run.state, run.error], ["cancelled", "administrator"]);
  });

  await step("a change that nobody answered is listed as not known", async () => {
    house.cutNext();
    const sent = await api(person.token, "POST", "/api/call", { function_name: "createBooking", parameters: { ...words.form, nights: 9 } });
    assert.equal(sent.told.success, false, JSON.stringify(sent.told));
    await page.locator(".pages").nth(1).locator("tbody tr", { hasText: "createBooking" }).filter({ hasText: person.user }).waitFor();
    assert.equal(house.count("POST", { guest: words.form.guest, nights: 9 }), 1);
  });

  await step("a user is added, and disabled", async () => {
    const name = `temp-${person.user}`;
    await go(page, "users");
    await page.locator(".controls .primary").click();
    await dialog(page).locator("#user-name").fill(name);
    await dialog(page).locator("form > button").click();
    await dialog(page).locator("button[type=submit]").click();
    await row(page, name).waitFor();
    await row(page, name).locator("button").nth(0).click();
    await dialog(page).locator("#user-disabled").check();
    await dialog(page).locator("button[type=submit]").click();
    await row(page, name).filter({ hasText: shown.disabled }).waitFor();
  });

  await step("a session is ended, and all of that stands in the audit log", async () => {
    const { session } = (await api(person.token, "POST", "/api/sessions", { title: "to be ended" })).told;
    await page.goto(page.url().replace(/#.*/, `#/sessions/${person.user}/${session.id}`));
    await page.locator(".facts").waitFor();
    await page.locator(".buttons .danger").click();
    await dialog(page).locator(".danger").click();
    await eventually("it is ended", async () => (await api(person.token, "GET", `/api/sessions/${session.id}`)).status === 404);
    await go(page, "audit");
    await page.locator("#audit-user").fill(person.user);
    for (const action of [shown.read, shown.stopped, shown.ended]) await row(page, action).first().waitFor();
    assert.ok((await api(token, "GET", `/api/admin/audit?user=${person.user}`)).told.count >= 3);
  });
}
