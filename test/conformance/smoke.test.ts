import { expect, test } from '@jest/globals';
import { connected, overEveryAttachment, receiveText, text } from './support.ts';

overEveryAttachment('echo', (pair) => {
  test('what one side sends the other receives, and back', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    expect(await a.send(client, text('hello'))).toBe(5);
    expect(await receiveText(b, server)).toBe('hello');
    expect(await b.send(server, text('world'))).toBe(5);
    expect(await receiveText(a, client)).toBe('world');
  });
});
