// The official client, as it is today: everything it can do, in 1.0 and, with its compatibility layer, in 0.3.
import assert from "node:assert/strict"

import { ListTasksRequest, SendMessageRequest, TaskState } from "@a2a-js/sdk"
import {
  ClientFactory, DefaultAgentCardResolver, JsonRpcTransportFactory, RestTransportFactory,
} from "@a2a-js/sdk/client"
import { GrpcTransportFactory } from "@a2a-js/sdk/client/grpc"

import { NEVER, all, has, named } from "./asserting.mjs"

const request = (text, message = {}) =>
  SendMessageRequest.fromJSON({ message: { messageId: "m-1", role: "ROLE_USER", parts: [{ text }], ...message } })
const textOf = task => task.artifacts[0].parts[0].content.value

function factory(binding, polling = false) {
  const options = { legacyCompat: { enabled: true } }
  return new ClientFactory({
    transports: [
      new JsonRpcTransportFactory(options), new RestTransportFactory(options), new GrpcTransportFactory(options),
    ],
    preferredTransports: [binding],
    cardResolver: new DefaultAgentCardResolver(options),
    clientConfig: { polling },
  })
}

export async function run({ url, binding, version, token }) {
  const options = token ? { serviceParameters: { Authorization: `Bearer ${token}` } } : {}
  const client = await factory(binding).createFromUrl(`${url}/`)
  const impatient = await factory(binding, true).createFromUrl(`${url}/`)
  assert.equal(client.transport.protocolName, binding)
  assert.equal(client.protocolVersion.slice(0, 3), version)
  const isLegacy = version === "0.3"

  const task = await client.sendMessage(request("say Hello."), options)
  assert.equal(task.status.state, TaskState.TASK_STATE_COMPLETED)
  assert.equal(textOf(task), "Hello.")
  assert.deepEqual(await client.getTask({ id: task.id, tenant: "" }, options), task)

  const seen = await all(client.sendMessageStream(request("say Hello.\nask Your name?"), options))
  const last = seen.at(-1).payload.value
  assert.equal(seen[0].payload.$case, "task")
  assert.equal(last.status.state, TaskState.TASK_STATE_INPUT_REQUIRED)
  assert.equal(last.status.message.parts[0].content.value, "Your name?")
  const done = await client.sendMessage(request("Ada", { taskId: last.taskId }), options)
  assert.equal(done.artifacts.at(-1).parts[0].content.value, "You said Ada.")

  const long = await impatient.sendMessage(request("wait 20"), options)
  const watching = client.resubscribeTask({ id: long.id, tenant: "" }, options)
  assert.equal((await watching.next()).value.payload.value.id, long.id)
  const stopped = await client.cancelTask({ id: long.id, tenant: "", metadata: undefined }, options)
  assert.equal(stopped.status.state, TaskState.TASK_STATE_CANCELED)
  assert.equal((await all(watching)).at(-1).payload.value.status.state, TaskState.TASK_STATE_CANCELED)
  await assert.rejects(
    client.cancelTask({ id: long.id, tenant: "", metadata: undefined }, options), named("TaskNotCancelable"))

  if (isLegacy) await assert.rejects(client.listTasks(ListTasksRequest.fromJSON({}), options))
  else {
    const listed = await client.listTasks(ListTasksRequest.fromJSON({ contextId: task.contextId }), options)
    assert.deepEqual(listed.tasks.map(each => each.id), [task.id])
  }

  const config = { taskId: task.id, id: "mine", url: "http://127.0.0.1:9/", token: "t", tenant: "" }
  const kept = await client.createTaskPushNotificationConfig(config, options)
  has(kept, { taskId: task.id, id: "mine", url: config.url })
  const one = { taskId: task.id, id: "mine", tenant: "" }
  has(await client.getTaskPushNotificationConfig(one, options), { id: "mine", url: config.url })
  const listing = { taskId: task.id, tenant: "", pageSize: 0, pageToken: "" }
  assert.equal((await client.listTaskPushNotificationConfig(listing, options)).configs.length, 1)
  await client.deleteTaskPushNotificationConfig(one, options)
  assert.equal((await client.listTaskPushNotificationConfig(listing, options)).configs.length, 0)

  if (token) assert.equal((await client.getAgentCard(options)).name, "Clerk")
  else await assert.rejects(client.getAgentCard(options)) // it asks for the extended card
  await assert.rejects(client.getTask({ id: NEVER, tenant: "" }, options), named("TaskNotFound"))
}
