// Loaded before the library: every HTTPS connection to the old hosts goes to the port of the test, and every one by plain HTTP to the company
// that checks people to that of its stand-in. The library stays as it is.
const http = require("http");
const tls = require("tls");
const connect = tls.connect;
const port = Number(process.env.SERENDIP_PORT);

tls.connect = function (options, ...rest) {
  if (options && /\.omegle\.com$/.test(options.host ?? "")) return connect.call(this, { ...options, host: "127.0.0.1", port }, ...rest);
  return connect.call(this, options, ...rest);
};

const company = Number(process.env.SERENDIP_COMPANY);
const create = http.Agent.prototype.createConnection;
http.Agent.prototype.createConnection = function (options, ...rest) {
  if (options.host === "www.google.com") return create.call(this, { ...options, host: "127.0.0.1", port: company }, ...rest);
  return create.call(this, options, ...rest);
};
