// Loaded before the library: every HTTPS connection to the old hosts goes to the port of the test. The library stays as it is.
const tls = require("tls");
const connect = tls.connect;
const port = Number(process.env.SERENDIP_PORT);

tls.connect = function (options, ...rest) {
  if (options && /\.omegle\.com$/.test(options.host ?? "")) return connect.call(this, { ...options, host: "127.0.0.1", port }, ...rest);
  return connect.call(this, options, ...rest);
};
