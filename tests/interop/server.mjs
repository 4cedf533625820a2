// A server of the TypeScript SDK, of both eras: `node server.mjs stdio`, or `node server.mjs http` on `PORT` at `/mcp`.

import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import {
  McpServer,
  ResourceTemplate,
  acceptedContent,
  createMcpHandler,
  fromJsonSchema,
  inputRequired,
  inputResponse,
} from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

const object = (properties, required = Object.keys(properties)) =>
  fromJsonSchema({ type: 'object', properties, required });
const says = (text) => ({ content: [{ type: 'text', text }] });

/** Called for each connection over stdio, and for each request over HTTP. */
function build() {
  const server = new McpServer(
    { name: 'foreign', version: '1' },
    { capabilities: { logging: {}, resources: { subscribe: true, listChanged: true }, tools: { listChanged: true } } },
  );
  const number = { type: 'number' };
  server.registerTool('add', { description: 'Adds', inputSchema: object({ a: number, b: number }) }, ({ a, b }) =>
    says(String(a + b)),
  );
  server.registerTool('fail', { description: 'Fails' }, () => {
    throw new Error('on purpose');
  });
  server.registerTool('progress', { description: 'Reports' }, async (ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (const progress of [1, 2, 3]) {
      const params = { progressToken, progress, total: 3 };
      await ctx.mcpReq.notify({ method: 'notifications/progress', params });
    }
    return says('done');
  });
  server.registerTool('ask', { description: 'Asks for a name' }, async (ctx) => {
    const answer = acceptedContent(ctx.mcpReq.inputResponses, 'name');
    if (answer) return says(`Hello, ${answer.name}!`);
    const requestedSchema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
    return inputRequired({ inputRequests: { name: inputRequired.elicit({ message: 'Who?', requestedSchema }) } });
  });
  server.registerTool('sample', { description: 'Samples' }, async (ctx) => {
    const answer = inputResponse(ctx.mcpReq.inputResponses, 'sampled');
    if (answer.kind === 'sampling') return says(answer.result.content.text);
    const messages = [{ role: 'user', content: { type: 'text', text: 'Say something' } }];
    return inputRequired({
      inputRequests: { sampled: inputRequired.createMessage({ messages, maxTokens: 10 }) },
      requestState: 'opaque',
    });
  });
  server.registerTool('wait', { description: 'Takes a minute' }, async (ctx) => {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, 60_000);
      ctx.mcpReq.signal.addEventListener('abort', () => resolve(clearTimeout(timer)));
    });
    return says('late');
  });
  server.registerResource('note', 'note://one', { mimeType: 'text/plain' }, (uri) => ({
    contents: [{ uri: uri.href, text: 'a note' }],
  }));
  server.registerResource(
    'greeting',
    new ResourceTemplate('greeting://{name}', { list: undefined }),
    {},
    (uri, { name }) => ({ contents: [{ uri: uri.href, text: `Hello, ${name}!` }] }),
  );
  server.registerPrompt(
    'greet',
    { description: 'Greets', argsSchema: object({ name: { type: 'string' } }) },
    ({ name }) => ({ messages: [{ role: 'user', content: { type: 'text', text: `Greet ${name}` } }] }),
  );
  return server;
}

if (process.argv[2] === 'stdio') {
  serveStdio(build);
} else {
  const handler = createMcpHandler(build);
  const serve = async (incoming, outgoing) => {
    const gone = new AbortController();
    outgoing.on('close', () => gone.abort());
    const hasBody = incoming.method === 'POST';
    const request = new Request(`http://${incoming.headers.host}${incoming.url}`, {
      method: incoming.method,
      headers: incoming.headers,
      body: hasBody ? Readable.toWeb(incoming) : undefined,
      duplex: hasBody ? 'half' : undefined,
      signal: gone.signal,
    });
    const response = await handler.fetch(request);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    if (!response.body) return outgoing.end();
    for await (const piece of response.body) outgoing.write(piece);
    outgoing.end();
  };
  createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  }).listen(Number(process.env.PORT), '127.0.0.1');
}
