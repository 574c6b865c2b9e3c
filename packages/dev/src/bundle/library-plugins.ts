import { dirname } from 'node:path';
import type { Plugin } from 'rolldown';
import { addonProblem } from './run-time-files.ts';

const sdk = '@opentelemetry/sdk-node';
const sdkPrefix = '\0node-sdk:';

/**
 * Bundles OpenTelemetry's SDK, which `@acme/rpc/telemetry` requires only if it is used, in its ES modules and without what
 * `NodeSDK` does not import. Its CommonJS modules are three times as large: they include the parts of a configuration file.
 */
export const importTelemetry: Plugin = {
  name: 'import-telemetry',
  transform: {
    filter: { code: /^const require = createRequire\(import\.meta\.url\);$/m },
    // Without it, the calls of `require` are those that the bundle replaces.
    handler: (code) => ({
      code: code.replace(/^const require = createRequire\(import\.meta\.url\);$/m, ''),
      map: null,
    }),
  },
  resolveId: {
    filter: { id: /^@opentelemetry\// },
    async handler(source, importer, { kind }) {
      if (kind !== 'require-call') return null;
      const module = await this.resolve(source, importer, { kind: 'import-statement', skipSelf: true });
      return module && source === sdk ? sdkPrefix + module.id : module;
    },
  },
  load: {
    filter: { id: new RegExp(`^${sdkPrefix}`) },
    handler: (id) => `export { NodeSDK } from ${JSON.stringify(id.slice(sdkPrefix.length))};`,
  },
};

const http = '\0node:http';

/**
 * Loads `node:http` without reading its exports. An `import` reads all of them, among them WebSocket, for which Node loads a
 * client of HTTP: 6 % of the start, and 2 MB.
 */
export const loadHttp: Plugin = {
  name: 'load-http',
  resolveId: {
    filter: { id: /^(node:)?http$/ },
    handler: (_source, _importer, { kind }) => (kind === 'require-call' ? null : http),
  },
  load: {
    filter: { id: new RegExp(`^${http}$`) },
    handler: () => "module.exports = process.getBuiltinModule('node:http');",
  },
};

/** Declares the folder with the files that packages read when they run. */
export const modulesFolder = "const modulesFolder = import.meta.dirname + '/../node_modules';";

/** Keeps the folder of each package that looks for files of its own: grpc-js reads .proto files. */
export const keepFolders: Plugin = {
  name: 'keep-folders',
  transform: {
    filter: { id: /[\\/]node_modules[\\/]/, code: /__(dirname|filename)/ },
    handler: (code, id) => {
      // An ES module has no such variables, and may declare them.
      if (/\b(const|let|var)\s+__(dirname|filename)\b/.test(code)) return null;
      const file = id
        .split(/[\\/]node_modules(?=[\\/])/)
        .slice(1)
        .join('/node_modules');
      const kept = (path: string) => `(modulesFolder + ${JSON.stringify(path)})`;
      return {
        code: code.replaceAll('__dirname', kept(dirname(file))).replaceAll('__filename', kept(file)),
        map: null,
      };
    },
  },
};

/**
 * Bundles what an npm package requires through the `createRequire` of the bundler that built it, which calls it `__require`.
 * The OTLP exporters over gRPC load grpc-js so.
 */
export const followRequire: Plugin = {
  name: 'follow-require',
  transform: {
    filter: { id: /[\\/]node_modules[\\/]/, code: /\b__require\(["']/ },
    handler: (code) => ({ code: code.replaceAll(/\b__require\((?=["'])/g, 'require('), map: null }),
  },
};

/** Rejects machine code, which rolldown would read as JavaScript. */
export const rejectAddons: Plugin = {
  name: 'reject-addons',
  load: {
    filter: { id: /\.node$/ },
    handler(id) {
      throw new Error(addonProblem(id));
    },
  },
};
