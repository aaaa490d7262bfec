// A pair relay on ws for Node: pairs by arrival, forwards text, closes both. `ws_pairs.js PORT`
const { WebSocketServer } = require("ws");
const port = Number(process.argv[process.argv.length - 1]);
const server = new WebSocketServer({ host: "127.0.0.1", port, perMessageDeflate: false, backlog: 4096 });
let waiting = null;

server.on("connection", (socket) => {
  socket.partner = null;
  if (waiting === null) {
    waiting = socket;
  } else {
    socket.partner = waiting;
    waiting.partner = socket;
    waiting = null;
    for (const side of [socket.partner, socket]) side.send('{"type":"matched"}');
  }
  socket.on("message", (data) => socket.partner?.send(data, { binary: false }));
  socket.on("close", () => {
    if (waiting === socket) waiting = null;
    socket.partner?.close();
  });
});
