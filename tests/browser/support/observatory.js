// Runs MDN's scanner in a separate process, because Node reads additional certificates to trust (the front's) only at
// its start. Prints the scan of the given host.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// The browsers' HSTS preload list, which the package's install script would download. It contains no localhost.
writeFileSync(fileURLToPath(import.meta.resolve('@mdn/mdn-http-observatory/conf/hsts-preload.json')), '{}');
const { scan } = await import('@mdn/mdn-http-observatory/src/scanner/index.js');
process.stdout.write(JSON.stringify(await scan(process.argv[2])));
