// Opens a running training with `pixelrl watch` in a real browser, and checks that the page updates without losing the
// scroll position, unfolded sections or enlarged plots, and without violating its content security policy.
//
//   node --experimental-websocket Tests/Browser/watch.mjs .build/release/pixelrl [chromium]
//
// Exits with 0, or with 1 and the failed checks.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const [program, chromium = "chromium"] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "pixelrl-watch-"));
const children = [];
const start = (...command) => {
  const child = spawn(command[0], command.slice(1), { cwd: folder });
  children.push(child);
  return child;
};
const sleep = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

/// Returns the first match of a pattern in the output of a child process.
const firstMatch = (child, pattern) => new Promise((resolve, reject) => {
  let text = "";
  const read = (data) => {
    text += data;
    const match = text.match(pattern);
    if (match) resolve(match[1]);
  };
  child.stdout.on("data", read);
  child.stderr.on("data", read);
  child.on("exit", () => reject(new Error(`exited without ${pattern}: ${text}`)));
});

const check = (holds, text) => {
  console.log(`${holds ? "ok  " : "FAIL"} ${text}`);
  if (!holds) process.exitCode = 1;
};

/// Connects to the browser's debugging protocol.
const connect = async (url) => {
  const socket = new WebSocket(url);
  await new Promise((open) => socket.addEventListener("open", open));
  const [waiting, events] = [new Map(), []];
  let last = 0;
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    if (message.id) waiting.get(message.id)(message.result ?? message.error);
    else events.push(message);
  });
  const call = (method, params = {}) => new Promise((done) => {
    waiting.set(++last, done);
    socket.send(JSON.stringify({ id: last, method, params }));
  });
  const value = async (expression) =>
    (await call("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true })).result.value;
  return { call, value, events };
};

try {
  const executable = resolve(program);
  const training = start(executable, "train", "--env", "catch", "--observe", "state", "--env-steps", "60000",
    "--updates-per-step", "0.02", "--evaluation-episodes", "2", "--evaluate-every", "2000", "--hidden", "16",
    "--out", "run", "--why", "<script>document.title = 'taken'</script>");
  await firstMatch(training, /(replay): /);
  const server = start(executable, "watch", "run", "--port", "0", "--refresh", "1");
  const page = await firstMatch(server, /(http:\S+)/);
  const browser = start(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
    "--window-size=900,700", `--user-data-dir=${join(folder, "browser")}`, "about:blank");
  const debugging = new URL(await firstMatch(browser, /(ws:\S+)/));
  await sleep(3);
  const target = await (await fetch(`http://${debugging.host}/json/new?${page}`, { method: "PUT" })).json();
  const { call, value, events } = await connect(target.webSocketDebuggerUrl);
  for (const domain of ["Runtime", "Log", "Network", "Page"]) await call(`${domain}.enable`);
  await call("Page.bringToFront");
  await sleep(2);

  check((await value("document.querySelector('[role=status]').textContent")) === "live", "the page says that it is live");
  check((await value("document.title")) !== "taken", "a script in the reason of a run is escaped");
  await value("document.querySelectorAll('details').forEach((fold) => fold.open = true)");
  await value("document.querySelector('.grid .zoom input').click()");
  const size = "(({ width }) => width)(document.querySelector('.grid .zoom svg').getBoundingClientRect())";
  check((await value(size)) > 800, "a clicked plot fills the window");
  await value("window.scrollTo(0, 420)");
  const [before, position] = [await value("document.querySelector('main').innerHTML"), await value("window.scrollY")];
  await value("window.kept = true");
  let after = before;
  for (let i = 0; i < 60 && after === before; i++) {
    await sleep(1);
    after = await value("document.querySelector('main').innerHTML");
  }
  check(after !== before, "new data appears");
  check(await value("window.kept"), "the page is not reloaded");
  check(position === 420 && (await value("window.scrollY")) === position, "the scroll position is kept");
  check(await value("[...document.querySelectorAll('details')].every((fold) => fold.open)"), "unfolded sections stay open");
  check((await value(size)) > 800, "enlarged plots stay enlarged");
  await value("document.querySelector('.grid .zoom input').click()");
  check((await value(size)) < 500, "a second click makes the plot small again");
  const picture = await call("Page.captureScreenshot");
  writeFileSync(join(tmpdir(), "pixelrl-watch.png"), Buffer.from(picture.data, "base64"));

  server.kill("SIGINT");
  const code = await new Promise((ended) => server.on("exit", ended));
  check(code === 0, "Ctrl-C stops the server cleanly");
  await sleep(2.5);
  check(
    (await value("document.querySelector('[role=status]').textContent")).startsWith("no answer"),
    "the page shows that the server does not answer");
  const urls = events.filter((event) => event.method === "Network.requestWillBeSent").map((e) => e.params.request.url);
  check(urls.every((url) => url.startsWith(page) || url.startsWith("data:")), "no other URLs are requested");
  const errors = events.filter(({ method, params }) =>
    method === "Runtime.exceptionThrown" || (method === "Log.entryAdded" && params.entry.source === "security"));
  check(errors.length === 0, `no script errors and no policy violations ${JSON.stringify(errors).slice(0, 300)}`);
} catch (error) {
  check(false, `${error.stack}`);
} finally {
  for (const child of children) child.kill("SIGKILL");
  await sleep(0.5);
  rmSync(folder, { recursive: true, force: true });
  process.exit();
}
