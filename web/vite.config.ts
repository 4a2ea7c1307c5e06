import react from "@vitejs/plugin-react";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, URL } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, type Plugin, type Rolldown } from "vite";
import { defineConfig } from "vitest/config";

/** Writes .gz and .br beside every text asset, so that the server never compresses a static file itself. */
function precompress(): Plugin {
  return {
    name: "precompress",
    apply: "build",
    writeBundle({ dir }) {
      const folder = join(dir ?? "dist", "assets");
      for (const name of readdirSync(folder)) {
        if (!/\.(js|css|svg)$/.test(name)) continue;
        const bytes = readFileSync(join(folder, name));
        writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
        // The figure bundles load rarely and late; a second copy of each would double their share of the wheel.
        if (bytes.length > 1_000_000) continue;
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(bytes, { params }));
      }
    },
  };
}

/** What `boot.ts` may ask for, by the name that it has there. */
const ENTRIES: Record<string, string> = {
  home: "pages/home/HomePage.tsx",
  projects: "pages/projects/ProjectsPage.tsx",
  tasks: "pages/tasks/TasksPage.tsx",
  compare: "pages/compare/ComparePage.tsx",
  models: "pages/models/ModelsPage.tsx",
  model: "pages/models/ModelPage.tsx",
  datasets: "pages/datasets/DatasetsPage.tsx",
  dataset: "pages/datasets/DatasetPage.tsx",
  task: "pages/task/TaskPage.tsx",
  execution: "pages/task/tabs/Execution.tsx",
  configuration: "pages/task/tabs/Configuration.tsx",
  artifacts: "pages/task/tabs/Artifacts.tsx",
  info: "pages/task/tabs/Info.tsx",
  "output/log": "pages/task/tabs/Console.tsx",
  "output/metrics/scalar": "pages/task/tabs/Scalars.tsx",
  "output/metrics/plots": "pages/task/tabs/Plots.tsx",
  "output/debugImages": "pages/task/tabs/Images.tsx",
};

/** Puts `boot.ts` first into the page, and the names of each page's files where it finds them. */
function boot(): Plugin {
  let file = "";
  return {
    name: "boot",
    apply: "build",
    async generateBundle() {
      const made = (await build({
        configFile: false,
        logLevel: "warn",
        build: { write: false, target: "es2022", modulePreload: false, rolldownOptions: { input: source("boot.ts") } },
      })) as Rolldown.RolldownOutput;
      const { code } = made.output[0];
      const id = this.emitFile({ type: "asset", name: "boot.js", source: code });
      file = `/${this.getFileName(id)}`;
    },
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle }) {
        if (!bundle) return;
        const chunks = Object.values(bundle).filter((one) => one.type === "chunk");
        const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
        const reach = (name: string, seen: Set<string>) => {
          if (seen.has(name)) return seen;
          seen.add(name);
          byName.get(name)?.imports.forEach((next) => reach(next, seen));
          return seen;
        };
        const first = chunks
          .filter((chunk) => chunk.isEntry)
          .reduce((seen, chunk) => reach(chunk.fileName, seen), new Set<string>());
        const files = Object.entries(ENTRIES).map(([name, path]) => {
          const chunk = chunks.find((one) => one.facadeModuleId === source(path));
          if (!chunk) throw new Error(`${path} has no chunk of its own`);
          return [name, [...reach(chunk.fileName, new Set())].filter((one) => !first.has(one)).map((one) => `/${one}`)];
        });
        const names = JSON.stringify(Object.fromEntries(files)).replaceAll('"', "&quot;");
        const head = `<meta name="trialbook-chunks" content="${names}">\n    <script type="module" async src="${file}"></script>\n    `;
        // In front of the page's own script: it is small, and what it asks for takes longest.
        return html.replace('<script type="module" crossorigin', (found) => head + found);
      },
    },
  };
}

function source(path: string): string {
  return fileURLToPath(new URL(`./src/${path}`, import.meta.url));
}

export default defineConfig({
  plugins: [react(), boot(), precompress()],
  resolve: { alias: { "~": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    // One small style sheet costs less than a round trip for each page's own.
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            {
              name: "vendor",
              test: /node_modules\/(react|react-dom|scheduler|@tanstack\/(react-router|router-core|history|store|react-store|react-query|query-core))\//,
              priority: 3,
            },
            {
              name: "shared",
              test: /src\/(api|state|theme|widgets|pages\/task\/context)/,
              minShareCount: 2,
              priority: 2,
            },
            { name: "charts", test: /src\/charts\/(?!react\/PlotCard)|node_modules\/uplot\//, priority: 1 },
          ],
        },
      },
    },
    // The plotly bundles are far above the default limit and load only when a figure needs them.
    chunkSizeWarningLimit: 2000,
  },
  server: {
    proxy: Object.fromEntries(
      ["^/[a-z_]+\\.[a-z_]+$", "^/stream$", "^/files/"].map((path) => [
        path,
        { target: process.env.TRIALBOOK_SERVER ?? "http://127.0.0.1:8008" },
      ]),
    ),
  },
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    environment: "node",
    testTimeout: 30_000,
    env: { DEBUG_PRINT_LIMIT: "0" },
  },
});
