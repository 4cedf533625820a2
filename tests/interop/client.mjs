// The client of the TypeScript SDK, through what our fixture offers.
//
//   node client.mjs legacy|modern http URL
//   node client.mjs legacy|modern sse URL
//   node client.mjs legacy|modern stdio COMMAND [ARGUMENT …]
//
// Prints one line of JSON with what came of it, and ends with 1 where something is not as it should be.

import assert from 'node:assert/strict';
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const [era, kind, target, ...rest] = process.argv.slice(2);
const isModern = era === 'modern';

const client = new Client(
  { name: 'interop', version: '1' },
  {
    capabilities: { elicitation: { form: {} }, sampling: {}, roots: { listChanged: true } },
    versionNegotiation: { mode: isModern ? { pin: '2026-07-28' } : 'legacy' },
  },
);
const heard = [];
client.setRequestHandler('elicitation/create', async ({ params }) => {
  const fields = Object.keys(params.requestedSchema.properties);
  return { action: 'accept', content: Object.fromEntries(fields.map((field) => [field, 'Ada'])) };
});
client.setRequestHandler('sampling/createMessage', async () => ({
  role: 'assistant',
  content: { type: 'text', text: 'sampled there' },
  model: 'none',
}));
client.setRequestHandler('roots/list', async () => ({ roots: [{ uri: 'file:///interop' }] }));
client.setNotificationHandler('notifications/tools/list_changed', () => heard.push('tools'));
client.setNotificationHandler('notifications/message', () => heard.push('log'));

function transport() {
  if (kind === 'stdio') return new StdioClientTransport({ command: target, args: rest });
  const url = new URL(target);
  return kind === 'sse' ? new SSEClientTransport(url) : new StreamableHTTPClientTransport(url);
}

const text = (result) => result.content.map((block) => block.text).join('\n');
const call = async (name, args = {}, options) => text(await client.callTool({ name, arguments: args }, options));

async function until(condition) {
  const last = Date.now() + 10_000;
  while (!condition() && Date.now() < last) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(condition());
}

const said = {};
await client.connect(transport());
try {
  said.tools = (await client.listTools()).tools.length > 5;
  said.text = await call('test_simple_text');
  said.failure = (await client.callTool({ name: 'test_error_handling', arguments: {} })).isError;

  const reports = [];
  await call('test_tool_with_progress', {}, { onprogress: (report) => reports.push(report.progress) });
  said.progress = reports;

  said.resources = (await client.listResources()).resources.length;
  said.resource = (await client.readResource({ uri: 'test://static-text' })).contents[0].text;
  said.template = JSON.parse((await client.readResource({ uri: 'test://template/7/data' })).contents[0].text).id;
  const prompt = await client.getPrompt({
    name: 'test_prompt_with_arguments',
    arguments: { arg1: 'one', arg2: 'two' },
  });
  said.prompt = prompt.messages[0].content.text;
  const ref = { type: 'ref/prompt', name: 'test_prompt_with_arguments' };
  const completed = await client.complete({ ref, argument: { name: 'arg1', value: 'test' } });
  said.completion = completed.completion.values;

  said.elicited = (await call('test_elicitation', { message: 'Who?' })).includes('Ada');
  said.sampled = await call('test_sampling', { prompt: 'x' });
  said.roots = await call('test_input_required_result_list_roots');
  said.rounds = await call('test_input_required_result_multi_round');

  if (!isModern) {
    await client.setLoggingLevel('info');
    await call('test_tool_with_logging');
    await until(() => heard.filter((what) => what === 'log').length === 3);
    await client.ping();
  }
  const listening = isModern ? await client.listen({ toolsListChanged: true }) : undefined;
  // A legacy client hears it on the stream that it opens after the handshake.
  const again = setInterval(() => void call('test_trigger_tool_change'), 200);
  await until(() => heard.includes('tools')).finally(() => clearInterval(again));
  await listening?.close();

  const gone = new AbortController();
  setTimeout(() => gone.abort('enough'), 20);
  await assert.rejects(call('test_tool_with_progress', {}, { signal: gone.signal }));
  said.after = await call('test_simple_text');
  if (kind === 'http' && !isModern) said.resumed = await call('test_reconnection');
} finally {
  await client.close();
}
console.log(JSON.stringify(said));
