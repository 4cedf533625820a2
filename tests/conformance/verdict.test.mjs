// `node --test tests/conformance`: the verdict can fail, for each reason it knows.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { faults } from './verdict.mjs';

const CLEAN = { exit: 0 };
const row = (status, id = 'a-check') => ({ id, status, description: 'as described' });

test('enough successes pass', () => {
  assert.deepEqual(faults({ success: 2 }, CLEAN, [row('SUCCESS'), row('SUCCESS')]), []);
  assert.deepEqual(faults({ success: 1 }, CLEAN, [row('SUCCESS'), row('SUCCESS')]), []);
});

test('too few successes fail, and so does a run that checked nothing', () => {
  assert.equal(faults({ success: 2 }, CLEAN, [row('SUCCESS')]).length, 1);
  assert.equal(faults({ success: 1 }, CLEAN, []).length, 1);
});

for (const status of ['FAILURE', 'WARNING', 'SKIPPED', 'INFO', 'NEW-STATUS', undefined]) {
  test(`a row with status ${status} fails`, () => {
    assert.equal(faults({ success: 1 }, CLEAN, [row('SUCCESS'), row(status)]).length, 1);
  });
}

test('a skipped or informative row passes only under the id and status that the table names', () => {
  const checks = [row('SUCCESS'), row('SKIPPED', 'x')];
  assert.deepEqual(faults({ success: 1, skipped: ['x'] }, CLEAN, checks), []);
  assert.equal(faults({ success: 1, skipped: ['y'] }, CLEAN, checks).length, 1);
  assert.equal(faults({ success: 1, info: ['x'] }, CLEAN, checks).length, 1);
});

test('the table cannot excuse a failure', () => {
  const checks = [row('SUCCESS'), row('FAILURE', 'x')];
  assert.equal(faults({ success: 1, skipped: ['x'], info: ['x'] }, CLEAN, checks).length, 1);
});

test('a bad end of the process fails whatever the rows say', () => {
  const checks = [row('SUCCESS')];
  assert.equal(faults({ success: 1 }, { exit: 1 }, checks).length, 1);
  assert.equal(faults({ success: 1 }, { exit: null, signal: 'SIGKILL' }, checks).length, 1);
  assert.equal(faults({ success: 1 }, { exit: null, signal: 'SIGKILL', timedOut: true }, checks).length, 1);
});

test('missing checks fail', () => {
  assert.equal(faults({ success: 1 }, CLEAN, undefined).length, 1);
  assert.equal(faults({ success: 1 }, CLEAN, {}).length, 1);
});

test('a table row that asks for nothing fails', () => {
  assert.equal(faults({ success: 0 }, CLEAN, [row('SUCCESS')]).length, 1);
  assert.equal(faults({}, CLEAN, [row('SUCCESS')]).length, 1);
});
