// Reads requests as JSON from stdin and lets the libraries that receivers use judge each. One line for each: its judge
// and "ok", or "refused" and why.
import { createHmac, createPublicKey, timingSafeEqual, verify as verifySignature } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { verify as octokit } from '@octokit/webhooks-methods'
import { HTTP } from 'cloudevents'
import { Webhook as Standard } from 'standardwebhooks'
import Stripe from 'stripe'
import { Webhook as Svix } from 'svix'

const demand = (ok, why) => { if (!ok) throw new Error(why) }

const judges = {
  // The rule as OSIR's document states it.
  osir({ secret, headers, body }) {
    const expected = createHmac('sha256', secret).update(body).digest('hex')
    demand(timingSafeEqual(Buffer.from(headers['x-osir-signature']), Buffer.from(expected)), 'another signature')
  },
  async octokit({ secret, headers, body }) {
    demand(headers['x-github-event'] && headers['x-github-delivery'], 'no event or delivery header')
    demand(await octokit(secret, body, headers['x-hub-signature-256']), 'another signature')
  },
  // The same verifier for OSIR's header, which lacks GitHub's prefix (P2).
  async octokitOSIR({ secret, headers, body }) {
    demand(await octokit(secret, body, 'sha256=' + headers['x-osir-signature']), 'another signature')
  },
  standardwebhooks({ secret, headers, body }) { new Standard(secret).verify(body, headers) },
  svix({ secret, headers, body }) { new Svix(secret).verify(body, headers) },
  stripe({ secret, headers, body }) {
    const event = new Stripe('sk_test_none').webhooks.constructEvent(body, headers['stripe-signature'], secret)
    demand(event.object === 'event' && event.type && event.data.object && Number.isInteger(event.created), 'no event object')
  },
  // v1a, which the libraries do not know yet: Node's own ed25519, by the specification's words.
  v1a({ public_key, headers, body }) {
    const raw = Buffer.from(public_key.replace(/^whpk_/, ''), 'base64')
    const key = createPublicKey({ format: 'der', type: 'spki', key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]) })
    const signed = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`)
    const signatures = headers['webhook-signature'].split(' ').filter((s) => s.startsWith('v1a,')).map((s) => Buffer.from(s.slice(4), 'base64'))
    demand(signatures.some((s) => verifySignature(null, signed, key, s)), 'no signature verifies')
  },
  cloudevents({ headers, body }) {
    const event = HTTP.toEvent({ headers, body })
    demand(event.validate() && event.data && event.source && event.time, 'not a valid event')
  },
}

for (const item of JSON.parse(readFileSync(0, 'utf8'))) {
  try {
    await judges[item.by](item)
    console.log(item.by, 'ok')
  } catch (err) {
    console.log(item.by, 'refused', err.message.split('\n')[0])
  }
}
