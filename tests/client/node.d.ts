// What the examples use of Node; its types are a package of their own.
declare const process: { argv: string[] };
