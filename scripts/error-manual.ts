import type { CatalogueEntry } from '../src/errors/catalogue.ts';

const INTRO = `# Codes

Every refusal and every fault has a stable code. The client gets it in the member \`code\` of an \`application/problem+json\` body
(RFC 9457), the access record in \`decision.code\`, with a \`reason\` that the client never sees. A refusal is a decision, not a fault:
only \`internal\` means that the gateway itself broke.

Status 499 goes to nobody: it stands in the record where the client left first.

This page is made from \`src/errors/catalogue.ts\` by \`npm run docs\`.
`;

/** The manual page of all codes, by the room that speaks them. */
export function errorManual(catalogue: Readonly<Record<string, CatalogueEntry>>): string {
  const entries = Object.entries(catalogue);
  const rooms = [...new Set(entries.map(([, entry]) => entry.room))];
  const parts = rooms.map((room) => {
    const own = entries.filter(([, entry]) => entry.room === room);
    return `## ${room}\n\n${own.map(([code, entry]) => describe(code, entry)).join('\n')}`;
  });
  return `${[INTRO, ...parts].join('\n')}`;
}

function describe(code: string, entry: CatalogueEntry): string {
  const told = entry.told === undefined ? '' : ` The client is told \`${entry.told}\`.`;
  return `### ${code}\n\n**${entry.status}** ${entry.title}. ${entry.help}${told}\n`;
}
