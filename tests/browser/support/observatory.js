// MDN's judge in a process of its own, since only at its start does Node take one more certificate to trust (the front's).
// Prints the verdict on the host that it is given.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// The browsers' preload list, which the package would fetch with its install script. No localhost is in it.
writeFileSync(fileURLToPath(import.meta.resolve('@mdn/mdn-http-observatory/conf/hsts-preload.json')), '{}');
const { scan } = await import('@mdn/mdn-http-observatory/src/scanner/index.js');
process.stdout.write(JSON.stringify(await scan(process.argv[2])));
