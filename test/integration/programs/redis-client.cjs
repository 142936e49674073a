/** A client of a Redis server: writes and reads back, many commands at once, a large value, a subscription. `redis-client.cjs HOST PORT` */

const { createHash } = require('node:crypto');
const { Redis } = require('ioredis');

const [host, port] = [process.argv[2], Number(process.argv[3])];
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

async function main() {
  const client = new Redis({ host, port });
  const counts = await Promise.all(Array.from({ length: 500 }, () => client.incr('count')));
  const large = Buffer.alloc(4_000_000, 'redis over winsockd ');
  await client.set('large', large);
  const back = await client.getBuffer('large');
  const subscriber = new Redis({ host, port });
  const heard = new Promise((resolve) => {
    subscriber.on('message', (channel, text) => resolve(`${channel}: ${text}`));
  });
  await subscriber.subscribe('news');
  await client.publish('news', 'good');
  console.log(JSON.stringify({ last: counts.at(-1), isSame: digest(back) === digest(large), heard: await heard }));
  await Promise.all([client.quit(), subscriber.quit()]);
}

main();
