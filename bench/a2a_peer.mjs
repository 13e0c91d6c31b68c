// The JavaScript SDK's own server with the same scripted agent, in memory. Argument: its port.
import { createServer } from "node:http";
import { createRequire } from "node:module";

// The tests of the JavaScript client have it installed.
const require = createRequire(new URL("../tkr_chat/tests/a2a/js/", import.meta.url));
const server = require("@a2a-js/sdk/server");
const { TaskState, Role } = require("@a2a-js/sdk");

const CHUNKS = 20;
const port = Number(process.argv[2]);

class Scripted {
  async execute(context, bus) {
    const { taskId, contextId, userMessage } = context;
    const status = (state) => ({ state, timestamp: new Date().toISOString(), message: undefined });
    bus.publish(server.AgentEvent.task({
      id: taskId, contextId, status: status(TaskState.TASK_STATE_WORKING), history: [userMessage], artifacts: [],
      metadata: undefined,
    }));
    const wanted = userMessage.parts.some((part) => JSON.stringify(part).includes("chunks")) ? CHUNKS : 1;
    for (let number = 0; number < wanted; number += 1) {
      const text = wanted === 1 ? "Hello." : String(number);
      bus.publish(server.AgentEvent.artifactUpdate({
        taskId, contextId, append: number > 0, lastChunk: number === wanted - 1, metadata: undefined,
        artifact: {
          artifactId: "answer", name: "answer", description: "", metadata: undefined, extensions: [],
          parts: [{ content: { $case: "text", value: text }, metadata: undefined, filename: "", mediaType: "" }],
        },
      }));
    }
    bus.publish(server.AgentEvent.statusUpdate({
      taskId, contextId, status: status(TaskState.TASK_STATE_COMPLETED), metadata: undefined,
    }));
    bus.finished();
  }

  async cancelTask() {}
}

const card = {
  name: "Scripted", description: "Says hello.", version: "1", provider: undefined, documentationUrl: "", iconUrl: "",
  supportedInterfaces: [
    { url: `http://127.0.0.1:${port}/`, protocolBinding: "JSONRPC", protocolVersion: "1.0", tenant: "" },
  ],
  capabilities: { streaming: true, pushNotifications: false, extensions: [], extendedAgentCard: false },
  securitySchemes: {}, securityRequirements: [], signatures: [],
  defaultInputModes: ["text/plain"], defaultOutputModes: ["text/plain"], skills: [],
};
const handler = new server.DefaultRequestHandler(card, new server.InMemoryTaskStore(), new Scripted());
const rpc = new server.JsonRpcTransportHandler(handler);

async function answer(body, response) {
  const context = new server.ServerCallContext({ requestedVersion: "1.0", user: new server.UnauthenticatedUser() });
  const result = await rpc.handle(JSON.parse(body), context);
  if (typeof result?.[Symbol.asyncIterator] !== "function") {
    const said = JSON.stringify(result);
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(said) });
    response.end(said);
    return;
  }
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  for await (const event of result) response.write(`data: ${JSON.stringify(event)}\n\n`);
  response.end();
}

createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => answer(Buffer.concat(pieces).toString(), response));
}).listen(port, "127.0.0.1");
