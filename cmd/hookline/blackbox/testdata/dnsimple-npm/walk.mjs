// DNSimple's own Node client as a judge: the walk of ../dnsimple/main.go, told in the same lines.
//
//	node walk.mjs BASE TOKEN ACCOUNT
import { DNSimple } from 'dnsimple';

const [baseUrl, accessToken, account] = process.argv.slice(2);
const hooks = new DNSimple({ baseUrl, accessToken }).webhooks;
const say = (step, ...words) => console.log(`${step}: ${words.map(String).join(' ')}`);

// refused tells an error as the client understood it.
const refused = async (step, call) => {
  try {
    await call;
    say(step, 'not refused');
  } catch (e) {
    const fields = Object.keys(e.data?.errors ?? {});
    say(step, e.constructor.name, e.status, e.data?.message, ...fields);
  }
};

const list = async (step, params) => {
  const { data, pagination: p } = await hooks.listWebhooks(account, params);
  const page = p ? [`page ${p.current_page} of ${p.total_pages}, ${p.per_page} of ${p.total_entries}`] : [];
  say(step, ...data.map((w) => w.id), ...page);
};

for (const n of [1, 2, 3]) {
  const { data: w } = await hooks.createWebhook(account, { url: `https://hooks.example.com/${n}` });
  say('create', w.id, w.url);
}
await list('list', {});
await list('list desc', { sort: 'id:desc' });
await list('list page', { page: 2, per_page: 2 });
const { data: two } = await hooks.getWebhook(account, 2);
say('get', two.id, two.url, two.suppressed_at);
await refused('get unknown', hooks.getWebhook(account, 99));
await refused('unknown account', hooks.listWebhooks('nobody'));
await refused('bad token', new DNSimple({ baseUrl, accessToken: 'wrong' }).webhooks.listWebhooks(account));
await refused('bad sort', hooks.listWebhooks(account, { sort: 'name:asc' }));
await refused('http url', hooks.createWebhook(account, { url: 'http://hooks.example.com/' }));
await refused('no url', hooks.createWebhook(account, {}));
await hooks.deleteWebhook(account, 2);
await refused('delete again', hooks.deleteWebhook(account, 2));
await list('list', {});
const { data: who } = await new DNSimple({ baseUrl, accessToken }).identity.whoami();
say('whoami', who.user, who.account);
