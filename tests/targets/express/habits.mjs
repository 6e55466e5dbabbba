// JITTER=50-300 (ms, each answer) and RATE=n (per second, then 429 with Retry-After), laid around the server, which is as it was given.
import http from 'node:http';
const [shortest, longest] = (process.env.JITTER || '0-0').split('-').map(Number), rate = +process.env.RATE || 0;
const emit = http.Server.prototype.emit;
let recent = [];
const isTooMany = () => {
  const now = performance.now();
  recent = recent.filter(at => at > now - 1000);
  return recent.length >= rate || !recent.push(now);
};
http.Server.prototype.emit = function (event, req, res) {
  if (event !== 'request' || !req.url.startsWith('/api')) return emit.apply(this, arguments);
  setTimeout(() => {
    if (!rate || !isTooMany()) return emit.call(this, event, req, res);
    const id = req.headers['x-request-id'];
    req.resume();
    res.writeHead(429, { 'Content-Type': 'application/json', 'Retry-After': '1', ...(id ? { 'X-Request-ID': id } : {}) });
    res.end(JSON.stringify({ error: { code: 'rate_limited', message: 'Too many requests.' } }));
  }, shortest + Math.random() * (longest - shortest));
};
