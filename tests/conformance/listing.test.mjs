import assert from 'node:assert/strict';
import { test } from 'node:test';

import { gaps, listed } from './listing.mjs';

const LIST = `Server scenarios (test against a server):
  - ping [2025-06-18,2025-11-25]
  - tools-list [2025-11-25,2026-07-28]
  - tasks-one [extension]

Client scenarios (test against a client):
  - initialize [2025-03-26]
  - auth/one [extension]

Authorization server scenarios (test against an authorization server):
  - metadata [2025-11-25]
`;

const cell = (role, scenario, revision) => ({ role, scenario, revision });

test('cells are those of the requirements', () => {
  assert.deepEqual(listed(LIST), [
    cell('server', 'ping', '2025-11-25'),
    cell('server', 'tools-list', '2025-11-25'),
    cell('server', 'tools-list', '2026-07-28'),
    cell('server', 'tasks-one', '2026-07-28'),
    cell('client', 'auth/one', '2025-11-25'),
    cell('client', 'auth/one', '2026-07-28'),
  ]);
});

test('whatever is neither run nor excused, or is not there, is found', () => {
  const row = { success: 1 };
  const table = {
    server: { '2025-11-25': { ping: row, 'tools-list': row }, '2026-07-28': { 'tools-list': row } },
    client: { '2025-11-25': {}, '2026-07-28': {} },
    excused: { 'auth/': 'not yet', 'tasks-': 'not yet' },
  };
  assert.deepEqual(gaps(listed(LIST), table), []);

  const { 'tasks-': _, ...excused } = table.excused;
  assert.deepEqual(gaps(listed(LIST), { ...table, excused }), [
    'server 2026-07-28 tasks-one: neither run nor excused',
  ]);
  const idle = { ...table.excused, 'skills-': 'not yet' };
  assert.deepEqual(gaps(listed(LIST), { ...table, excused: idle }), ['skills-: an excuse for nothing']);
  const server = { ...table.server, '2026-07-28': { 'tools-list': row, gone: row } };
  assert.deepEqual(gaps(listed(LIST), { ...table, server }), [
    'server 2026-07-28 gone: the suite has no such scenario',
  ]);
});
