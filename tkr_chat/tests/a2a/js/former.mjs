// The official client of the days of 0.3: everything it can do.
import assert from "node:assert/strict"

import { ClientFactory, JsonRpcTransportFactory, RestTransportFactory } from "@a2a-js/sdk-0.3/client"
import { GrpcTransportFactory } from "@a2a-js/sdk-0.3/client/grpc"

import { NEVER, all, has, named } from "./asserting.mjs"

const request = (text, message = {}) => ({
  message: { kind: "message", messageId: "m-1", role: "user", parts: [{ kind: "text", text }], ...message },
})

function factory(binding, polling = false) {
  return new ClientFactory({
    transports: [new JsonRpcTransportFactory(), new RestTransportFactory(), new GrpcTransportFactory()],
    preferredTransports: [binding],
    clientConfig: { polling },
  })
}

export async function run({ url, binding, token }) {
  const options = token ? { serviceParameters: { Authorization: `Bearer ${token}` } } : {}
  const client = await factory(binding).createFromUrl(`${url}/`)
  const impatient = await factory(binding, true).createFromUrl(`${url}/`)

  const task = await client.sendMessage(request("say Hello."), options)
  assert.equal(task.status.state, "completed")
  assert.equal(task.artifacts[0].parts[0].text, "Hello.")
  assert.deepEqual(await client.getTask({ id: task.id }, options), task)

  const seen = await all(client.sendMessageStream(request("say Hello.\nask Your name?"), options))
  assert.equal(seen[0].kind, "task")
  has(seen.at(-1), { kind: "status-update", final: true })
  assert.equal(seen.at(-1).status.message.parts[0].text, "Your name?")
  const done = await client.sendMessage(request("Ada", { taskId: seen[0].id }), options)
  assert.equal(done.artifacts.at(-1).parts[0].text, "You said Ada.")

  const long = await impatient.sendMessage(request("wait 20"), options)
  const watching = client.resubscribeTask({ id: long.id }, options)
  assert.equal((await watching.next()).value.id, long.id)
  assert.equal((await client.cancelTask({ id: long.id }, options)).status.state, "canceled")
  assert.equal((await all(watching)).at(-1).status.state, "canceled")
  await assert.rejects(client.cancelTask({ id: long.id }, options), named("TaskNotCancelable"))

  const config = { id: "mine", url: "http://127.0.0.1:9/", token: "t" }
  const kept = await client.setTaskPushNotificationConfig({ taskId: task.id, pushNotificationConfig: config }, options)
  has(kept.pushNotificationConfig, config)
  const one = { id: task.id, pushNotificationConfigId: "mine" }
  has((await client.getTaskPushNotificationConfig(one, options)).pushNotificationConfig, config)
  assert.equal((await client.listTaskPushNotificationConfig({ id: task.id }, options)).length, 1)
  await client.deleteTaskPushNotificationConfig(one, options)
  assert.equal((await client.listTaskPushNotificationConfig({ id: task.id }, options)).length, 0)

  if (token) assert.equal((await client.getAgentCard(options)).name, "Clerk")
  else await assert.rejects(client.getAgentCard(options)) // it asks for the extended card
  await assert.rejects(client.getTask({ id: NEVER }, options), named("TaskNotFound"))
}
