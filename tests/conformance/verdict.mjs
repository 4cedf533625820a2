// The strict verdict over one scenario of the official suite.
//
// The suite's own verdict passes on warnings, on checks that were never reached, and on a client that
// does nothing at all. Here a scenario passes when the suite exits 0, no check failed or warned, every
// other row is a SUCCESS or named in the table, and there are at least as many SUCCESS rows as the table asks.

/**
 * What is wrong with a run of one scenario; empty when it passes.
 *
 * @param {{success: number, skipped?: string[], info?: string[]}} expected  the row of `expected.json`
 * @param {{exit: number | null, signal?: string | null, timedOut?: boolean}} outcome  how the suite's process ended
 * @param {unknown} checks  the parsed `checks.json`, or `undefined` where there is none
 * @returns {string[]}
 */
export function faults(expected, outcome, checks) {
  const found = [];
  if (outcome.timedOut) found.push('the scenario did not end in time');
  else if (outcome.exit !== 0) found.push(`the suite ended with ${outcome.signal ?? `exit code ${outcome.exit}`}`);
  if (!Number.isInteger(expected?.success) || expected.success < 1) {
    return [...found, 'the table does not ask for a single SUCCESS row'];
  }
  if (!Array.isArray(checks)) return [...found, 'the suite wrote no checks.json'];

  for (const check of checks) {
    const fault = rowFault(expected, check);
    if (fault) found.push(fault);
  }
  const successes = checks.filter((check) => check?.status === 'SUCCESS').length;
  if (successes < expected.success) found.push(`${successes} SUCCESS rows, ${expected.success} expected`);
  return found;
}

/** What is wrong with one row of `checks.json`, or `undefined`. */
function rowFault(expected, check) {
  const allowed = { SKIPPED: expected.skipped ?? [], INFO: expected.info ?? [] };
  if (check?.status === 'SUCCESS' || allowed[check?.status]?.includes(check.id)) return undefined;
  const reason = check?.errorMessage ?? check?.details?.reason ?? check?.description ?? '';
  return `${check?.status} ${check?.id}: ${reason}`;
}
