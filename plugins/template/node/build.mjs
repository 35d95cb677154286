// Bundles the plugin into one executable file: hookline copies, pins and runs exactly that file.
import fs from 'node:fs'
import esbuild from 'esbuild'

const outfile = 'dist/PLUGIN_NAME'
await esbuild.build({
  entryPoints: ['plugin.mjs'], outfile, bundle: true, platform: 'node', target: 'node20', format: 'cjs',
  loader: { '.proto': 'text' }, banner: { js: `#!${process.execPath}` }, logLevel: 'warning',
})
fs.chmodSync(outfile, 0o755)
