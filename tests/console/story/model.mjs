// A model that plans: an OpenAI-compatible endpoint that understands what the story says, calls the functions of house.yaml, and writes its
// answers slowly, piece by piece.

import http from "node:http";

/** Characters of one piece, and the time between two, in milliseconds: a reader can watch it. */
const PIECE_CHARS = 6;
const PIECE_MS = 15;

const ROOM_NAMES = { garden: "garden", attic: "attic", lake: "lake", 花园: "garden", 阁楼: "attic", 湖景: "lake" };

/** What the user may ask for, and the call that is planned for it. @type {[RegExp, (found: RegExpExecArray) => {name: string, arguments: object}][]} */
const PLANS = [
  [/rooms are free|有哪些空房/, () => ({ name: "listRooms", arguments: {} })],
  [/book the (\w+) room for ([\w ]+), (\d+) nights/i, ([, room, guest, nights]) => booking(room.toLowerCase(), guest, nights)],
  [/为(\p{Script=Han}+)预订(\p{Script=Han}{2})房，(\d+)\s*晚/u, ([, guest, room, nights]) => booking(room, guest, nights)],
  [/cancel booking (\d+)/i, ([, id]) => ({ name: "cancelBooking", arguments: { id: Number(id) } })],
  [/取消预订\s*(\d+)/, ([, id]) => ({ name: "cancelBooking", arguments: { id: Number(id) } })],
];
const booking = (room, guest, nights) => ({ name: "createBooking", arguments: { guest, room: ROOM_NAMES[room], nights: Number(nights), breakfast: true } });

const SAID = {
  listRooms: [
    "All three rooms are free this week:\n\n| Room | Beds | A night |\n|---|---:|---:|\n| Garden room | 2 | €84 |\n| Attic | 1 | €62 |\n| Lake view | 3 | €118 |\n\nThe **garden room** is the quietest. Shall I book one?",
    "本周三间房都有空：\n\n| 房间 | 床位 | 每晚 |\n|---|---:|---:|\n| 花园房 | 2 | €84 |\n| 阁楼房 | 1 | €62 |\n| 湖景房 | 3 | €118 |\n\n其中**花园房**最安静。需要我预订吗？",
  ],
  createBooking: [
    "The room is booked, with breakfast.\n\n- Check-in is from 15:00; the key is under the blue flower pot.\n- Breakfast is from 7:30 to 10:00 in the garden.\n- The boat may be used by all guests.\n\nHave a pleasant stay.",
    "已预订房间，含早餐。\n\n- 15:00 起办理入住，钥匙在蓝色花盆下面。\n- 早餐时间为 7:30 至 10:00，在花园供应。\n- 所有客人都可以使用小船。\n\n祝入住愉快。",
  ],
  declined: ["All right, nothing was changed.", "好的，没有做任何更改。"],
  about: [
    "The guest house stands by the lake since 1894. It has three rooms, a garden with old apple trees and a boat for all guests. In the evening there is soup for whoever is hungry.",
    "这家客栈建于 1894 年，位于湖边。客栈有三间客房、一座种着老苹果树的花园，还有一条供客人使用的小船。晚上为客人备有热汤。",
  ],
};

/** The last sentence of what is said of a booking, for whoever counts how often it stands there. */
export const LAST_OF_BOOKING = { "en-US": "Have a pleasant stay.", "zh-CN": "祝入住愉快。" };

/** What it does next, having heard these messages: a call, or something to say. */
function next(messages) {
  const asked = String(messages.findLast(({ role }) => role === "user")?.content ?? "");
  const speaks = /\p{Script=Han}/u.test(asked) ? 1 : 0;
  const last = messages.at(-1);
  if (last?.role === "tool") {
    if (/the user said no/.test(String(last.content))) return { text: SAID.declined[speaks] };
    const called = messages.flatMap(({ tool_calls = [] }) => tool_calls).find(({ id }) => id === last.tool_call_id);
    return { text: (SAID[called?.function.name] ?? SAID.about)[speaks] };
  }
  for (const [pattern, plan] of PLANS) {
    const found = pattern.exec(asked);
    if (found !== null) return { call: plan(found) };
  }
  return { text: SAID.about[speaks] };
}

/** The model at a port. */
export async function startModel(port) {
  /** Answers that are held in their middle, in the order in which they will be given. */
  const holding = [];
  let calls = 0;

  const server = http.createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    const { messages, stream } = JSON.parse(body);
    const { text = null, call = null } = next(messages);
    const planned = call && [{ id: `call_${(calls += 1)}`, type: "function", function: { name: call.name, arguments: JSON.stringify(call.arguments) } }];
    const usage = { prompt_tokens: Math.ceil(body.length / 4), completion_tokens: Math.ceil((text ?? "").length / 3) + 12 };
    const total = { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens };
    if (!stream) {
      if (text !== null && holding.length > 0) await passes(holding.shift(), response);
      response.writeHead(200, { "Content-Type": "application/json" });
      return response.end(JSON.stringify({ choices: [{ index: 0, message: { role: "assistant", content: text, ...(planned && { tool_calls: planned }) }, finish_reason: "stop" }], usage: total }));
    }
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    const tell = (told) => response.write(`data: ${JSON.stringify(told)}\n\n`);
    const delta = (what) => tell({ choices: [{ index: 0, delta: what }] });
    if (planned) delta({ role: "assistant", tool_calls: planned.map((one, index) => ({ index, ...one })) });
    else await write(text, delta, response);
    tell({ choices: [{ index: 0, delta: {}, finish_reason: planned ? "tool_calls" : "stop" }] });
    tell({ choices: [], usage: total });
    response.end("data: [DONE]\n\n");
  });

  /** Goes on when that is let go on, or nobody listens any more. */
  async function passes(held, response) {
    held.reach();
    await Promise.race([held.opened, new Promise((gone) => response.once("close", gone))]);
  }

  /** Piece by piece; a held answer waits in its middle, until it goes on or nobody listens any more. */
  async function write(text, delta, response) {
    let held = holding.shift();
    const letters = [...text];
    for (let at = 0; at < letters.length && !response.closed; at += PIECE_CHARS) {
      if (held && at >= letters.length / 2) {
        await passes(held, response);
        held = undefined;
      }
      delta({ content: letters.slice(at, at + PIECE_CHARS).join("") });
      await new Promise((resolve) => setTimeout(resolve, PIECE_MS));
    }
  }

  await new Promise((listening) => server.listen(port, "127.0.0.1", () => listening(undefined)));
  return {
    /** The next answer that is written stops in its middle: `reached` when it has, and it goes on after `open`. */
    holdNext() {
      const held = { reach: () => {}, open: () => {}, opened: null };
      held.opened = new Promise((resolve) => (held.open = () => resolve(undefined)));
      const reached = new Promise((resolve) => (held.reach = () => resolve(undefined)));
      holding.push(held);
      return { reached, open: held.open };
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
