// The API of house.yaml: a guest house that remembers its bookings, and writes down what it was asked to change.

import http from "node:http";

const ROOMS = [
  { id: "garden", name: "Garden room", beds: 2, price: 84, free: true },
  { id: "attic", name: "Attic", beds: 1, price: 62, free: true },
  { id: "lake", name: "Lake view", beds: 3, price: 118, free: true },
];

/** The guest house at a port. */
export async function startHouse(port) {
  /** @type {{method: string, path: string, body: any}[]} */
  const changes = [];
  const bookings = [];
  let cutting = false;
  const server = http.createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    const { method, url: path } = request;
    const given = body === "" ? null : JSON.parse(body);
    if (method !== "GET") changes.push({ method, path, body: given });
    if (method !== "GET" && cutting) {
      cutting = false;
      return request.socket.destroy();
    }
    const [status, told] = answer(method, path, given);
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(told === null ? undefined : JSON.stringify(told));
  });

  function answer(method, path, given) {
    if (method === "GET" && path === "/rooms") return [200, ROOMS];
    if (method === "GET" && path === "/bookings") return [200, bookings];
    if (method === "POST" && path === "/bookings") {
      const booking = { id: bookings.length + 1, ...given };
      bookings.push(booking);
      return [201, booking];
    }
    if (method === "DELETE" && path.startsWith("/bookings/")) return [204, null];
    return [404, { error: "no such place" }];
  }

  await new Promise((listening) => server.listen(port, "127.0.0.1", () => listening(undefined)));
  return {
    /** How often it was asked for a change whose method is this and whose body says so. */
    count: (method, like = {}) => changes.filter((one) => one.method === method && Object.entries(like).every(([name, value]) => one.body?.[name] === value)).length,
    /** The last change that it was asked for. */
    last: () => changes.at(-1),
    /** Nobody gets an answer to the next change. */
    cutNext: () => void (cutting = true),
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
