// Many users talk at once, a second message of one waits for the first, and a repetition does nothing twice.
//
//   AGENT_PASSWORD=… node examples/javascript/several_users.mjs

import { administrator, check, isRefused, withGuests } from "./example.mjs";

const admin = await administrator();
await withGuests(admin, ["ann", "bob", "cleo"], async (...users) => {
  const answers = await Promise.all(users.map((user, n) => user.say(`list users page ${n + 1} limit 2`)));
  check("each was answered what they asked", answers.every(({ function_calls: [call] }, n) => call.call_info.parameters.page === n + 1));
  check("in a session of their own", new Set(answers.map((answer) => answer.session_id)).size === users.length);
  for (const [n, user] of users.entries()) {
    const said = (await user.history()).filter(([role]) => role === "user");
    check(`user ${n + 1} sees no message of another`, said.length === 1 && said[0][1] === `list users page ${n + 1} limit 2`);
  }

  const [ann, bob] = users;
  check("nobody sees another's run", await isRefused(bob.send("GET", `/api/runs/${answers[0].run_id}`), "run_unknown"));

  const both = await Promise.all([ann.say("list the products", { on_busy: "enqueue" }), ann.say("list the orders", { on_busy: "enqueue" })]);
  check("two messages of one are done one after another", both.every((answer) => answer.state === "answered") && (await ann.history()).length === 6);

  const once = { "Idempotency-Key": crypto.randomUUID() };
  const asked = { message: "list users page 2" };
  const first = await ann.send("POST", "/api/process", asked, once);
  const again = await ann.send("POST", "/api/process", asked, once);
  check("the same key gets the same answer", JSON.stringify(again) === JSON.stringify(first));
  check("and nothing is done twice", (await ann.history()).length === 8);
  check("but not with another message", await isRefused(ann.send("POST", "/api/process", { message: "something else" }, once), "idempotency_key_reused"));
});
