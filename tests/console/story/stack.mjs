// What the story is played on: a real Redis, three replicas of the service, and haproxy before them as deploy/haproxy.cfg sets it up.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";

/** A server that was started is there after so long, in milliseconds, also on a machine that is busy. */
const READY_MS_MAX = 60_000;
const REPLICAS = 3;

async function freePort() {
  const server = net.createServer();
  await new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(undefined)));
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Waits until something is so, and gives what came of it. @template T @param {string} what @param {() => Promise<T | false>} ask @returns {Promise<T>} */
export async function eventually(what, ask, within = READY_MS_MAX) {
  for (const end = Date.now() + within; ; ) {
    const come = await ask();
    if (come !== false) return come;
    assert.ok(Date.now() < end, `${what}: not within ${within / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Starts all of it in a directory, with the service that stands at `program`. */
export async function startStack({ program, root, directory }) {
  const [redisPort, modelPort, housePort, frontPort] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const ports = await Promise.all(Array.from({ length: REPLICAS }, freePort));
  const password = randomBytes(12).toString("hex");
  const processes = [];
  /** @type {Map<number, import("node:child_process").ChildProcess>} */
  const replicas = new Map();

  function start(name, command, options, env = process.env) {
    const log = fs.openSync(path.join(directory, `${name}.log`), "a");
    const child = spawn(command, options, { cwd: directory, env, stdio: ["ignore", log, log] });
    fs.closeSync(log);
    processes.push(child);
    return child;
  }
  const answers = (port) => fetch(`http://127.0.0.1:${port}/health/ready`).then(({ status }) => status === 200, () => false);

  async function startReplica(port) {
    // Nothing of the caller's settings. The browser is faster than any person, so rates are no limit.
    const env = {
      PATH: process.env.PATH,
      HOME: directory,
      SAA_SERVER__HOST: "127.0.0.1",
      SAA_SERVER__PORT: String(port),
      SAA_SERVER__TRUSTED_PROXIES: '["127.0.0.0/8"]',
      SAA_ADMIN__LISTEN: "off",
      SAA_LIMITS__REQUESTS_PER_MINUTE: "4000000",
      SAA_LIMITS__TURNS_PER_MINUTE: "4000000",
      REDIS_URL: `redis://127.0.0.1:${redisPort}`,
      JWT_SECRET_KEY: signingKey,
      WEB_API_USERNAME: "admin",
      WEB_API_PASSWORD: password,
      OPENAPI_FILE: path.join(root, "tests/console/story/house.yaml"),
      API_BASE_URL: `http://127.0.0.1:${housePort}`,
      DEEPSEEK_API_URL: `http://127.0.0.1:${modelPort}/v1`,
      DEEPSEEK_MODEL: "story",
    };
    replicas.set(port, start(`replica-${port}`, program, ["serve"], env));
    await eventually(`the replica at ${port} is ready`, () => answers(port));
  }

  const signingKey = randomBytes(32).toString("hex");
  fs.mkdirSync(path.join(directory, "redis"));
  start("redis", "redis-server", ["--port", String(redisPort), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--dir", path.join(directory, "redis")]);
  for (const port of ports) await startReplica(port);

  const told = fs.readFileSync(path.join(root, "deploy/haproxy.cfg"), "utf8");
  const servers = ports.map((port) => `    server api${port} 127.0.0.1:${port}`).join("\n");
  const front = told
    .replace("bind :8080", `bind 127.0.0.1:${frontPort}`)
    .replace(/^ *server-template .*$/m, servers)
    .replace(/^resolvers[^]*?\n\n/m, "");
  assert.ok(front.includes(servers) && !front.includes("resolvers"), "deploy/haproxy.cfg has the places that are put into it");
  fs.writeFileSync(path.join(directory, "haproxy.cfg"), front);
  start("haproxy", "haproxy", ["-f", path.join(directory, "haproxy.cfg")]);
  await eventually("haproxy lets through", () => answers(frontPort));

  return {
    origin: `http://127.0.0.1:${frontPort}`,
    administrator: { user: "admin", password },
    modelPort,
    housePort,
    /** Kills the replica that listens at this address, as nobody can prepare for. */
    async kill(address) {
      const port = Number(address.split(":").at(-1));
      const child = replicas.get(port);
      assert.ok(child?.pid, `no replica of ours listens at ${address}`);
      const gone = new Promise((resolve) => child.once("exit", resolve));
      process.kill(child.pid, "SIGKILL");
      await gone;
      return port;
    },
    startReplica,
    /** What replicas logged as errors so far. */
    errors: () => ports.flatMap((port) => fs.readFileSync(path.join(directory, `replica-${port}.log`), "utf8").split("\n").filter((line) => line.includes('"level":"ERROR"'))),
    async stop() {
      const gone = processes.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null).map((child) => {
        child.kill("SIGTERM");
        return new Promise((resolve) => child.once("exit", resolve));
      });
      // Replicas stay for a while so that load balancers notice; here nobody has to.
      const late = setTimeout(() => processes.forEach((child) => child.kill("SIGKILL")), 2000);
      await Promise.all(gone);
      clearTimeout(late);
    },
  };
}
