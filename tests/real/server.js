// A Node server that says who it is, on both of its streams, and ends cleanly on SIGTERM.
const http = require('http');

const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({
    service: process.env.PMO_SERVICE,
    greeting: process.env.GREETING,
    pid: process.pid,
  }));
  console.error(`answered ${request.url}`);
});

server.listen(Number(process.env.NODE_PORT), '127.0.0.1', () => {
  console.log(`listening on ${process.env.NODE_PORT}`);
});

process.on('SIGTERM', () => {
  server.close(() => {
    console.log('closed');
    process.exit(0);
  });
  server.closeAllConnections();
});
