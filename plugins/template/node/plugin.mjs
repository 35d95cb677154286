// A hookline transport plugin in Node: it posts events over HTTP with a bearer token. No code of hookline is in it, only its
// specification (transport.proto). `npm run build` makes one executable file of it, since a plugin is one file.
import crypto from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import path from 'node:path'
import grpc from '@grpc/grpc-js'
import loader from '@grpc/proto-loader'
import protobuf from 'protobufjs'
import selfsigned from 'selfsigned'
import specification from './transport.proto'

const NAME = 'PLUGIN_NAME'
const VERSION = '1.0.0'
const WINDOW = 1024 // attempts at once

// What the owner of an endpoint sets. "writeOnly" marks a secret.
const endpointSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  additionalProperties: false,
  required: ['token'],
  properties: {
    token: { type: 'string', minLength: 8, maxLength: 200, pattern: '^[!-~]+$', writeOnly: true, description: 'sent as bearer token' },
  },
}

function checkSettings(bytes) {
  const s = bytes.length ? JSON.parse(bytes.toString()) : {}
  for (const name of Object.keys(s)) if (!(name in endpointSchema.properties)) throw new Error(`/${name} is unknown`)
  if (typeof s.token !== 'string' || !/^[!-~]{8,200}$/.test(s.token)) throw new Error('/token must be 8 to 200 printable characters')
  return s
}

const agents = { 'http:': new http.Agent({ keepAlive: true, maxSockets: Infinity }), 'https:': new https.Agent({ keepAlive: true, maxSockets: Infinity }) }

// deliver makes one attempt. It resolves to a result; what it throws is the plugin's own fault.
function deliver(attempt, signal) {
  const settings = checkSettings(attempt.settings)
  const url = new URL(attempt.target)
  const headers = { authorization: `Bearer ${settings.token}`, 'content-length': attempt.body.length }
  for (const h of attempt.headers) headers[h.name] = h.value.toString('latin1')
  return new Promise((resolve, reject) => {
    const out = (url.protocol === 'https:' ? https : http).request(url, { method: attempt.method || 'POST', headers, agent: agents[url.protocol], signal }, (res) => {
      const chunks = []
      let size = 0
      let truncated = false
      const answer = () => resolve({
        outcome: res.statusCode === 200 ? 'OUTCOME_ACKNOWLEDGED' : 'OUTCOME_REJECTED',
        errorKind: res.statusCode === 200 ? '' : 'status',
        status: res.statusCode,
        headers: Object.entries(res.headers).map(([name, v]) => ({ name, value: Buffer.from(String(v), 'latin1') })),
        body: Buffer.concat(chunks).subarray(0, 64 << 10),
        truncated,
      })
      res.on('data', (c) => {
        if (size < 64 << 10) chunks.push(c)
        else truncated = true
        size += c.length
      })
      res.on('end', answer)
      res.on('error', () => { truncated = true; answer() })
    })
    out.on('error', (e) => {
      if (signal.aborted) {
        if (signal.reason === 'timeout') resolve({ outcome: 'OUTCOME_TIMED_OUT', errorKind: 'timeout_response', error: 'no answer within the timeout' })
        else reject(new Error('canceled'))
        return
      }
      const kinds = { ECONNREFUSED: 'connect_refused', ECONNRESET: 'connection_reset', ENOTFOUND: 'dns', EAI_AGAIN: 'dns' }
      resolve({ outcome: 'OUTCOME_UNREACHABLE', errorKind: kinds[e.code] ?? 'connection_reset', error: `${e.code ?? 'broken connection'}` })
    })
    out.end(attempt.body)
  })
}

let configured = false
let underWay = 0
const idle = [] // callbacks of Drain

const transport = {
  Describe: (_, reply) => reply(null, { name: NAME, version: VERSION, endpointSchema: Buffer.from(JSON.stringify(endpointSchema)) }),

  Configure: (call, reply) => {
    try {
      const s = call.request.json.length ? JSON.parse(call.request.json.toString()) : {}
      const unknown = Object.keys(s)
      if (unknown.length) throw new Error(`settings: /${unknown[0]} is unknown: this transport has none for the operator`)
    } catch (e) {
      reply({ code: grpc.status.INVALID_ARGUMENT, message: e.message })
      return
    }
    configured = true
    reply(null, {})
  },

  Deliver: (call) => {
    if (!configured) {
      call.emit('error', { code: grpc.status.FAILED_PRECONDITION, message: 'Configure comes before Deliver' })
      return
    }
    const open = new Map() // id -> AbortController
    let ready = []
    let ended = false
    const flush = () => {
      while (ready.length) {
        const results = ready.slice(0, 128)
        ready = ready.slice(128)
        if (!call.cancelled) call.write({ results })
        underWay -= results.length
      }
      if (underWay === 0) idle.splice(0).forEach((done) => done())
      if (ended && open.size === 0) call.end()
    }
    const make = async (attempt) => {
      const began = process.hrtime.bigint()
      const abort = new AbortController()
      open.set(attempt.id, abort)
      const timer = setTimeout(() => abort.abort('timeout'), Number(attempt.timeoutNs) / 1e6)
      let result
      try {
        result = await deliver(attempt, abort.signal)
      } catch (e) {
        result = { fault: e.message || 'failed' }
      }
      clearTimeout(timer)
      open.delete(attempt.id)
      if (ready.length === 0) setImmediate(flush) // what is ready goes together
      ready.push({ ...result, id: attempt.id, tookNs: String(process.hrtime.bigint() - began) })
    }
    call.write({ window: WINDOW }) // the credit comes first
    call.on('data', (batch) => {
      underWay += batch.attempts.length
      batch.attempts.forEach(make)
      batch.cancel.forEach((id) => open.get(id)?.abort('canceled'))
    })
    call.on('end', () => { ended = true; flush() })
    call.on('cancelled', () => open.forEach((a) => a.abort('canceled')))
    call.on('error', () => open.forEach((a) => a.abort('canceled')))
  },

  Drain: (_, reply) => {
    if (underWay === 0) reply(null, {})
    else idle.push(() => reply(null, {}))
  },

  Health: (_, reply) => reply(null, { underWay, configured }),
}

// The services beside the transport's that the handshake asks for.
const beside = `syntax = "proto3";
package grpc.health.v1;
message HealthCheckRequest { string service = 1; }
message HealthCheckResponse { int32 status = 1; }
service Health { rpc Check(HealthCheckRequest) returns (HealthCheckResponse); }`
const controller = `syntax = "proto3";
package plugin;
message Empty {}
service GRPCController { rpc Shutdown(Empty) returns (Empty); }`

function load(text) {
  const { root } = protobuf.parse(text, { keepCase: false })
  return grpc.loadPackageDefinition(loader.fromJSON(root.toJSON(), { longs: String, enums: String, defaults: true, arrays: true }))
}

async function main() {
  if (process.env.HOOKLINE_PLUGIN !== 'transport-v1') {
    console.error(`${NAME} is a hookline transport plugin and is started by hookline: try hookline plugins verify FILE`)
    process.exit(2)
  }
  console.log = console.info = console.error // standard output belongs to the handshake
  const cert = await selfsigned.generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec', curve: 'P-256', algorithm: 'sha256',
    extensions: [{ name: 'basicConstraints', cA: true }, { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  })
  const server = new grpc.Server({ 'grpc.max_receive_message_length': 16 << 20, 'grpc.max_send_message_length': 16 << 20 })
  server.addService(load(specification).hookline.transport.v1.Transport.service, transport)
  server.addService(load(beside).grpc.health.v1.Health.service, { Check: (_, reply) => reply(null, { status: 1 }) })
  server.addService(load(controller).plugin.GRPCController.service, { Shutdown: (_, reply) => { reply(null, {}); setTimeout(() => process.exit(0), 50) } })
  const socket = path.join(process.env.PLUGIN_UNIX_SOCKET_DIR, crypto.randomBytes(6).toString('hex'))
  const credentials = grpc.ServerCredentials.createSsl(Buffer.from(process.env.PLUGIN_CLIENT_CERT),
    [{ private_key: Buffer.from(cert.private), cert_chain: Buffer.from(cert.cert) }], true)
  server.bindAsync(`unix:${socket}`, credentials, (e) => {
    if (e) throw e
    const der = new crypto.X509Certificate(cert.cert).raw.toString('base64').replace(/=+$/, '')
    fs.writeSync(1, `1|1|unix|${socket}|grpc|${der}\n`)
  })
  const parent = process.ppid
  setInterval(() => { if (process.ppid !== parent) process.exit(0) }, 250)
}

main()
