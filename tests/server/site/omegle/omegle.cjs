// A program that uses omegle-node as its README says: commands on standard input, events on standard output, one JSON a line.
const Omegle = require("omegle-node");
const om = new Omegle();
const names = ["gotID", "serverUpdated", "waiting", "connected", "typing", "stoppedTyping", "gotMessage", "strangerDisconnected", "commonLikes", "disconnected", "omerror", "omegleError", "connectionDied", "antinudeBanned", "recaptchaRequired"];

for (const name of names) om.on(name, (...values) => console.log(JSON.stringify([name, ...values])));
require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [verb, ...values] = JSON.parse(line);
    if (verb === "language") om.language = values[0];
    else om[verb](...values);
  });
