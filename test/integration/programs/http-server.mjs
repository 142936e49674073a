/** An HTTP server as Node's documentation has it: `/SIZE` answers so many bytes. Ends when its standard input does. */

import { createServer } from 'node:http';

const server = createServer((request, response) => {
  const size = Number(request.url.slice(1)) || 12;
  response.setHeader('content-length', size);
  response.end(Buffer.alloc(size, 'x'));
});
server.listen(Number(process.argv[2]), () => console.log('ready'));
process.stdin.on('end', () => server.close()).resume();
