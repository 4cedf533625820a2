// Drives the official conformance suite against the fixtures of this package, with the strict verdict.
//
//   node run.mjs SUITE_JS --server-bin PATH --client-bin PATH --runtime tokio [--only NAME] [--out DIR]
//   node run.mjs SUITE_JS --self-test
//
// SUITE_JS is `dist/index.js` of @modelcontextprotocol/conformance in the version that `expected.json` names.
// Every row of `expected.json` is run alone; a scenario of the suite that is neither there nor excused there with a reason
// fails the run, and so does a row that the suite does not have. `--only` keeps the rows with that scenario name, or of one
// role (`server`, `client`) or revision. `--self-test` runs the rows against a dead server and a client that does
// nothing, and passes when every one of them is found to fail.
//
// Exit code 0: every row passed. 1: a row failed. 2: the runner could not do its work.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { gaps, listed } from './listing.mjs';
import { faults } from './verdict.mjs';

const SCENARIO_LIMIT_MS = 90_000;
const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 5_000;
const PIPE_LIMIT_MS = 1_000;
const KEPT_OUTPUT = 8_000;

const table = JSON.parse(readFileSync(new URL('./expected.json', import.meta.url), 'utf8'));

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`conformance: ${error.message}`);
  process.exitCode = 2;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'server-bin': { type: 'string' },
      'client-bin': { type: 'string' },
      runtime: { type: 'string' },
      only: { type: 'string' },
      out: { type: 'string' },
      'self-test': { type: 'boolean' },
    },
  });
  const [suite] = positionals;
  if (!suite || positionals.length > 1) throw new Error('one argument is needed: the entry script of the suite');
  await demandVersion(suite);

  const rows = selectRows(values.only);
  const { all, missing } = await compare(suite);
  const out = values.out ?? mkdtempSync(join(tmpdir(), 'conformance-'));
  const passed = values['self-test']
    ? await selfTest(suite, rows, out)
    : await runAll(suite, rows, out, fixtures(values), all);
  if (missing.length > 0) return 1;
  if (passed && !values.out) rmSync(out, { recursive: true, force: true });
  if (!passed) console.log(`the suite's files are in ${out}`);
  return passed ? 0 : 1;
}

/** What the suite has at the revisions of the table, and what of it is neither run nor excused. */
async function compare(suite) {
  const { exit, output } = await run(process.execPath, [suite, 'list'], START_LIMIT_MS);
  if (exit !== 0) throw new Error(`the suite does not say what it has: ${output}`);
  const cells = listed(output);
  const missing = gaps(cells, table);
  for (const gap of missing) console.log(`FAIL  ${gap}`);
  return { all: cells.length, missing };
}

/** Both fixture binaries and the runtime they shall use. */
function fixtures(values) {
  for (const name of ['server-bin', 'client-bin', 'runtime']) {
    if (!values[name]) throw new Error(`--${name} is missing`);
  }
  const command = `${values['client-bin']} --runtime ${values.runtime}`;
  return { server: values['server-bin'], command, runtime: values.runtime };
}

/** The rows of the table, as a flat list. */
function selectRows(only) {
  const rows = ['server', 'client'].flatMap((role) =>
    Object.entries(table[role]).flatMap(([revision, scenarios]) =>
      Object.entries(scenarios).map(([scenario, expected]) => ({ role, revision, scenario, expected })),
    ),
  );
  const selected = rows.filter((row) => !only || [row.role, row.revision, row.scenario].includes(only));
  if (selected.length === 0) throw new Error(`no row of the table is named ${only}`);
  return selected;
}

async function runAll(suite, rows, out, { server, command, runtime }, all) {
  const needsServer = rows.some((row) => row.role === 'server');
  const running = needsServer ? await startServer(server, runtime) : undefined;
  let failed = 0;
  try {
    for (const row of rows) {
      const found = await runRow(suite, row, out, { url: running?.url, command });
      if (row.role === 'server' && running.ended()) found.push(`the server has ended: ${running.ended()}`);
      report(row, found);
      failed += found.length > 0 ? 1 : 0;
    }
  } finally {
    await running?.stop();
  }
  if (failed > 0 && running?.output()) console.log(`the server said:\n${running.output()}`);
  console.log(`conformance (${runtime}): ${rows.length - failed} of ${all} scenarios pass, ${failed} of ${rows.length} rows fail`);
  return failed === 0;
}

/** Every row must fail against nothing: a row that passes here would prove nothing elsewhere. */
async function selfTest(suite, rows, out) {
  const url = `http://127.0.0.1:${await freePort()}/mcp`;
  let vacuous = 0;
  for (const row of rows) {
    const found = await runRow(suite, row, out, { url, command: 'true' });
    if (found.length > 0) continue;
    vacuous += 1;
    console.log(`PASSES AGAINST NOTHING  ${title(row)}`);
  }
  console.log(`self-test: ${rows.length - vacuous} of ${rows.length} scenarios fail against nothing`);
  return vacuous === 0;
}

/** Runs one scenario and returns its faults. */
async function runRow(suite, { role, revision, scenario, expected }, out, { url, command }) {
  const dir = mkdtempSync(join(out, `${role}-${revision}-${scenario.replaceAll('/', '-')}-`));
  const target = role === 'server' ? ['--url', url] : ['--command', command, '--timeout', '60000'];
  const args = [role, ...target, '--scenario', scenario, '--spec-version', revision, '--force', '-o', dir];
  const outcome = await run(process.execPath, [suite, ...args], SCENARIO_LIMIT_MS);
  return faults(expected, outcome, readChecks(dir));
}

/** The one `checks.json` below `dir`, or `undefined`. */
function readChecks(dir) {
  const files = readdirSync(dir, { recursive: true }).filter((name) => name.endsWith('checks.json'));
  if (files.length !== 1) return undefined;
  try {
    return JSON.parse(readFileSync(join(dir, files[0]), 'utf8'));
  } catch {
    return undefined;
  }
}

function report(row, found) {
  console.log(`${found.length === 0 ? 'ok  ' : 'FAIL'}  ${title(row)}`);
  for (const fault of found) console.log(`        ${fault}`);
}

function title(row) {
  return `${row.role} ${row.revision} ${row.scenario}`;
}

async function demandVersion(suite) {
  const { exit, output } = await run(process.execPath, [suite, '--version'], START_LIMIT_MS);
  const version = output.trim();
  if (exit !== 0 || version !== table.suite) {
    throw new Error(`the suite is ${version || 'not there'}, the table is made for ${table.suite}`);
  }
}

/** Runs a program to its end, or kills it after `limit` ms. */
function run(program, args, limit) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
    let output = '';
    let timedOut = false;
    const keep = (chunk) => (output = (output + chunk).slice(-KEPT_OUTPUT));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, limit);
    child.on('error', reject);
    child.on('exit', (exit, signal) => {
      clearTimeout(timer);
      const resolved = () => resolve({ exit, signal, timedOut, output });
      child.on('close', resolved);
      // A grandchild may hold the pipes open for as long as it likes.
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        resolved();
      }, PIPE_LIMIT_MS).unref();
    });
  });
}

/** Starts the server fixture on a free port and waits until it listens. */
async function startServer(program, runtime) {
  const port = await freePort();
  const child = spawn(program, ['--runtime', runtime, '--port', String(port)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let end;
  const keep = (chunk) => (output = (output + chunk).slice(-KEPT_OUTPUT));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.on('error', (error) => (end ??= error.message));
  child.on('exit', (code, signal) => (end ??= signal ?? `exit code ${code}`));

  const stop = async () => {
    for (const signal of ['SIGTERM', 'SIGKILL']) {
      if (end) return;
      child.kill(signal);
      await until(() => end, STOP_LIMIT_MS);
    }
  };
  await until(() => end || listens(port), START_LIMIT_MS);
  if (end || !(await listens(port))) {
    await stop();
    throw new Error(`${program} does not listen on port ${port} (${end ?? 'no reason known'})\n${output}`);
  }
  return { url: `http://127.0.0.1:${port}/mcp`, ended: () => end, output: () => output, stop };
}

/** Waits until `condition` holds, at most `limit` ms. */
async function until(condition, limit) {
  const last = Date.now() + limit;
  while (!(await condition()) && Date.now() < last) await new Promise((resolve) => setTimeout(resolve, 25));
}

/** Whether a TCP connection to `port` is accepted. */
function listens(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const answer = (value) => {
      socket.destroy();
      resolve(value);
    };
    socket.on('connect', () => answer(true));
    socket.on('error', () => answer(false));
  });
}

/** A port that nothing listens on at this moment. */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
