// The client of the TypeScript SDK before server-everything, wherever that is: it does not know what is between them.
//
//   node transcript.mjs legacy|modern COMMAND [ARGUMENT …]
//
// Prints one line of JSON with everything that it was given, as it came.

import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const [era, command, ...args] = process.argv.slice(2);
const client = new Client(
  { name: 'interop', version: '1' },
  {
    // All that a client can have: the proxy declares it to its server before it knows its client.
    capabilities: { elicitation: { form: {}, url: {} }, sampling: { tools: {}, context: {} }, roots: { listChanged: true } },
    versionNegotiation: { mode: era === 'modern' ? { pin: '2026-07-28' } : 'legacy' },
  },
);
const said = [];
client.setRequestHandler('elicitation/create', async (request) => {
  said.push(['asked', request.params]);
  return { action: 'accept', content: { name: 'Ada' } };
});
client.setRequestHandler('sampling/createMessage', async (request) => {
  said.push(['asked', request.params]);
  return { role: 'assistant', content: { type: 'text', text: 'sampled there' }, model: 'none' };
});
client.setRequestHandler('roots/list', async () => ({ roots: [{ uri: 'file:///interop' }] }));

/** What comes of something, whatever that is. */
async function keep(name, promise) {
  try {
    said.push([name, await promise]);
  } catch (error) {
    said.push([name, { code: error.code, message: error.message, data: error.data }]);
  }
}
const call = (name, args = {}, options) => keep(name, client.callTool({ name, arguments: args }, options));

await client.connect(new StdioClientTransport({ command, args, stderr: 'ignore' }));
try {
  said.push(['instructions', client.getInstructions()]);
  await keep('tools', client.listTools());
  await call('echo', { message: 'hé \u{1f980} "\\' });
  await call('get-sum', { a: 1e21, b: 0.1 });
  await call('get-sum', { a: 'x' });
  await call('absent');
  await call('get-structured-content', { location: 'Chicago' });
  await call('get-tiny-image');
  await call('get-annotated-message', { messageType: 'error', includeImage: true });
  await call('get-resource-links', { count: 3 });
  const reports = [];
  const onprogress = (report) => reports.push(report);
  await call('trigger-long-running-operation', { duration: 0.8, steps: 4 }, { onprogress });
  // The SDK forgets reports that it reads together with the result: the last ones are not compared.
  said.push(['reports', reports.slice(0, 2)]);
  await keep('resources', client.listResources());
  await keep('templates', client.listResourceTemplates());
  await keep('resource', client.readResource({ uri: 'demo://resource/static/document/architecture.md' }));
  await keep('no resource', client.readResource({ uri: 'demo://absent' }));
  await keep('prompts', client.listPrompts());
  await keep('prompt', client.getPrompt({ name: 'args-prompt', arguments: { city: 'Bern', state: 'BE' } }));
  await keep('no prompt', client.getPrompt({ name: 'absent' }));
  const ref = { type: 'ref/prompt', name: 'completable-prompt' };
  const context = { arguments: { department: 'Sales' } };
  await keep('completion', client.complete({ ref, argument: { name: 'name', value: 'D' }, context }));
  if (era === 'legacy') {
    await call('trigger-elicitation-request');
    await call('trigger-sampling-request', { prompt: 'x' });
    await call('get-roots-list');
    await keep('ping', client.ping());
    await keep('level', client.setLoggingLevel('error'));
  }
} finally {
  await client.close();
}
console.log(JSON.stringify(said));
