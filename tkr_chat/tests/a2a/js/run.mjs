// node run.mjs current|former <JSON: url, binding, version, token>
const [, , client, given] = process.argv
const { run } = await import(`./${client}.mjs`)
await run(JSON.parse(given))
process.exit(0) // gRPC keeps its channels open
