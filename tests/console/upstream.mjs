// An API that answers what it was sent, and a way to it for browsers that can be cut.

import http from "node:http";
import net from "node:net";

/** Reports take so long, in milliseconds: long enough to cut a connection in between. */
const REPORTS_MS = 2500;

/** The API of upstream.yaml, at a port. */
export async function startUpstream(port) {
  const got = [];
  const headers = [];
  const server = http.createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    got.push({ method: request.method, path: request.url, body });
    if (request.url === "/reports") await new Promise((resolve) => setTimeout(resolve, REPORTS_MS));
    headers.push(request.headers);
    const { authorization = null, "x-door": door = null } = request.headers;
    response.writeHead(request.method === "POST" ? 201 : 200, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ method: request.method, authorization, door, body: body === "" ? null : JSON.parse(body) }));
  });
  await new Promise((listening) => server.listen(port, "127.0.0.1", listening));
  return { got, headers, stop: () => server.close() };
}

/** A way to the service: `cut` breaks all connections and takes no new ones until `mend`. */
export async function startWay(origin) {
  const { hostname, port } = new URL(origin);
  const open = new Set();
  let whole = true;
  const server = net.createServer((near) => {
    if (!whole) return near.destroy();
    const far = net.connect(Number(port), hostname);
    const pair = [near, far];
    open.add(pair);
    for (const [one, other] of [[near, far], [far, near]]) {
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        other.destroy();
        open.delete(pair);
      });
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    cut() {
      whole = false;
      for (const [near] of open) near.destroy();
    },
    mend() {
      whole = true;
    },
    stop: () => server.close(),
  };
}
