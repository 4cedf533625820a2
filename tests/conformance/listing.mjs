// What the official suite has, against what the table runs or excuses.

/** The revisions whose scenarios the suite counts as its requirements. */
const REVISIONS = ['2025-11-25', '2026-07-28'];

/**
 * The cells of the suite, from what `list` prints: role, scenario and revision. An extension of a server is of 2026-07-28,
 * one of a client of both revisions. What tests an authorization server is left out: nobody here is one.
 *
 * @param {string} text
 * @returns {{role: string, scenario: string, revision: string}[]}
 */
export function listed(text) {
  const cells = [];
  let role;
  for (const line of text.split('\n')) {
    const heading = /^(Server|Client|Authorization server) scenarios/.exec(line);
    if (heading) role = { Server: 'server', Client: 'client' }[heading[1]];
    const entry = /^\s+- (\S+) \[([^\]]*)\]/.exec(line);
    if (!entry || !role) continue;
    const [, scenario, tags] = entry;
    const isExtension = tags === 'extension';
    const revisions = REVISIONS.filter((revision) =>
      isExtension ? role === 'client' || revision === '2026-07-28' : tags.split(',').includes(revision),
    );
    cells.push(...revisions.map((revision) => ({ role, scenario, revision })));
  }
  return cells;
}

/**
 * What is wrong between the suite and the table: a cell that is neither run nor excused, a row that the suite does not
 * have, and an excuse for nothing.
 *
 * @param {ReturnType<typeof listed>} cells
 * @param {{server: object, client: object, excused: Record<string, string>}} table
 * @returns {string[]}
 */
export function gaps(cells, table) {
  const found = [];
  const used = new Set();
  for (const { role, scenario, revision } of cells) {
    if (table[role]?.[revision]?.[scenario]) continue;
    const excuse = Object.keys(table.excused).find((prefix) => scenario.startsWith(prefix));
    if (excuse) used.add(excuse);
    else found.push(`${role} ${revision} ${scenario}: neither run nor excused`);
  }
  for (const role of ['server', 'client']) {
    for (const revision of REVISIONS) {
      for (const scenario of Object.keys(table[role][revision] ?? {})) {
        const has = cells.some((cell) => cell.role === role && cell.revision === revision && cell.scenario === scenario);
        if (!has) found.push(`${role} ${revision} ${scenario}: the suite has no such scenario`);
      }
    }
  }
  for (const excuse of Object.keys(table.excused)) {
    if (!used.has(excuse)) found.push(`${excuse}: an excuse for nothing`);
  }
  return found;
}
