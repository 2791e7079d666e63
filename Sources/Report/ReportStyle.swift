/// How a page looks: in light and in dark, at any width. No script, no font and no picture comes from elsewhere.
let reportStyle = """
  :root { color-scheme: light dark; --text: #1c1e21; --quiet: #5a6068; --page: #fdfdfc; --line: #d8dade; --heat: #2f7ed8;
    --wrong: #b3261e; --mark: #2f7ed8; }
  @media (prefers-color-scheme: dark) {
    :root { --text: #e4e6e9; --quiet: #a4abb5; --page: #17191c; --line: #3a3f46; --heat: #4f9bf0; --wrong: #ff8a80;
      --mark: #7ab8ff; }
  }
  * { box-sizing: border-box; }
  body { margin: 0 auto; padding: 1rem; max-width: 76rem; color: var(--text); background: var(--page);
    font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
  h1 { font-size: 1.6rem; line-height: 1.2; margin: 0.5rem 0; }
  h2 { font-size: 1.25rem; margin: 2.5rem 0 0.5rem; padding-top: 0.5rem; border-top: 1px solid var(--line); }
  p.quiet, figcaption, caption, .quiet { color: var(--quiet); }
  a { color: var(--mark); }
  nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; padding: 0; list-style: none; }
  :focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
  .skip { position: absolute; left: -999rem; }
  .skip:focus { position: static; }
  .scroll { overflow-x: auto; max-height: 36rem; overflow-y: auto; border: 1px solid var(--line); margin: 0.75rem 0; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  caption { text-align: left; padding: 0.35rem 0.6rem; position: sticky; left: 0; }
  th, td { padding: 0.2rem 0.6rem; text-align: right; white-space: nowrap; }
  thead th { position: sticky; top: 0; background: var(--page); box-shadow: inset 0 -1px var(--line); }
  .words { text-align: left; white-space: normal; min-width: 6rem; max-width: 24rem; }
  .matrix td { background: color-mix(in srgb, var(--heat) calc(var(--s) * 70%), transparent); min-width: 2.6rem; }
  .matrix td.right { outline: 1px solid var(--line); outline-offset: -1px; }
  .matrix td.none { color: var(--line); }
  .pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 0.75rem; padding: 0; }
  .pictures figure, .row figure { margin: 0; font-size: 0.85rem; line-height: 1.3; }
  .row { display: flex; gap: 0.75rem; overflow-x: auto; padding: 0.5rem; border: 1px solid var(--line); margin: 0.5rem 0; }
  .wrap { flex-wrap: wrap; }
  .row figure { flex: 0 0 8.5rem; }
  .row figure:first-child { border-right: 1px solid var(--line); padding-right: 0.75rem; flex-basis: 9.25rem; }
  img { width: 8rem; height: 8rem; object-fit: contain; image-rendering: pixelated; background: var(--line);
    display: block; }
  .name { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; }
  .wrong { color: var(--wrong); }
  svg { max-width: 22rem; width: 100%; height: auto; display: block; }
  svg text { fill: var(--quiet); font: 11px system-ui, sans-serif; }
  svg .bar { fill: var(--heat); fill-opacity: 0.6; }
  svg .axis { stroke: var(--quiet); fill: none; }
  svg .curve { stroke: var(--heat); stroke-width: 1.5; fill: none; }
  .curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); gap: 0.75rem; }
  .curves figure { margin: 0; font-size: 0.85rem; }
  svg .even { stroke: var(--quiet); stroke-dasharray: 4 4; }
  pre, code { font: 0.85rem/1.4 ui-monospace, monospace; white-space: pre-wrap; }
  details summary { cursor: pointer; }
  .lineage ul { padding-left: 1.1rem; }
  @media print { .scroll { max-height: none; } }
  """
