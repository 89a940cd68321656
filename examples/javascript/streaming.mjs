// A turn told as it happens, and a stream that breaks off in the middle.
//
//   AGENT_PASSWORD=… node examples/javascript/streaming.mjs

import { administrator, check, withGuests } from "./example.mjs";

const admin = await administrator();
await withGuests(admin, ["ann"], async (ann) => {
  const seen = [];
  for await (const { event, data } of ann.follow("list the products")) {
    seen.push(event);
    if (event === "call_finished") console.log(`        ${data.function_name}: ${data.status}`);
    if (event === "done") check("the last event is the whole answer", data.success && data.state === "answered");
  }
  check("events come in their order", seen.join(" ") === "accepted call_planned call_started call_finished message done");

  const ids = [];
  let cuts = 0;
  for await (const { id } of ann.follow("list the orders", { cut: () => (cuts += 1) <= 3 })) ids.push(id);
  check("a stream that was cut three times is still told to its end", cuts >= 3 && ids.at(-1) === "end");
  check("each event came once", new Set(ids).size === ids.length);

  const said = (await ann.history()).filter(([role]) => role === "user").map(([, text]) => text);
  check("and the turn was done once", JSON.stringify(said) === JSON.stringify(["list the products", "list the orders"]));
});
