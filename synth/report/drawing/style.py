"""Style sheet of a report: light, dark, and for print."""

STYLE = """
:root { color-scheme: light dark; --text: #1f2328; --soft: #59636e; --line: #d1d9e0; --back: #ffffff;
  --panel: #f6f8fa; --best: #1f4e9c;
  --faint: #8a8f98; --add: #116329; --addback: #dafbe1; --del: #a40e26; --delback: #ffebe9; --warn: #9a6700;
    --warnback: #fff8c5; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --soft: #9198a1; --line: #3d444d; --back: #0d1117;
  --panel: #151b23; --best: #79b0ff;
  --faint: #7d8590; --add: #7ee787; --addback: #12361f; --del: #ffa198; --delback: #45171c; --warn: #e3b341;
    --warnback: #3a2d0a; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 1000px;
  margin: 0 auto; padding: 24px 20px 60px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 40px 0 10px;
  border-bottom: 1px solid var(--line); padding-bottom: 4px; }
h3 { font-size: 15px; margin: 18px 0 6px; } p { margin: 6px 0; } .soft { color: var(--soft); }
.status { display: inline-block; border: 1px solid var(--line); border-radius: 12px; padding: 1px 10px;
  font-size: 13px; background: var(--panel); }
.live { border-color: var(--warn); color: var(--warn); } .note { background: var(--warnback);
  border-left: 3px solid var(--warn); padding: 6px 10px; margin: 8px 0; }
.figures { display: flex; flex-wrap: wrap; gap: 10px; margin: 14px 0; }
.figure { border: 1px solid var(--line); border-radius: 8px; padding: 8px 14px; background: var(--panel);
  min-width: 110px; }
.figure b { display: block; font-size: 20px; } .figure span { color: var(--soft); font-size: 13px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; margin: 8px 0; } th, td { text-align: left;
  padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 600; } .number { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
pre, code { font: 13px/1.45 ui-monospace, Menlo, Consolas, monospace; } pre { background: var(--panel);
  border: 1px solid var(--line); border-radius: 6px; padding: 10px; overflow-x: auto; margin: 8px 0; }
p, td, pre span, summary b { unicode-bidi: isolate; } pre.said { white-space: pre-wrap; overflow-wrap: anywhere; }
  .add { color: var(--add); background: var(--addback); } .del { color: var(--del); background: var(--delback); }
  .at { color: var(--soft); }
pre.diff span { display: block; min-height: 1.45em; }
details { border: 1px solid var(--line); border-radius: 6px; padding: 6px 12px; margin: 8px 0; } summary {
  cursor: pointer; overflow-wrap: anywhere; }
.videos { display: flex; flex-wrap: wrap; gap: 16px; } figure { margin: 0; } figcaption { font-size: 13px;
  color: var(--soft); max-width: 320px; } img { max-width: 100%; image-rendering: pixelated;
  border: 1px solid var(--line); }
.scroll { overflow-x: auto; } svg text { fill: var(--soft); font: 12px system-ui, sans-serif; } svg.chart {
  width: 100%; height: auto; } svg .label { font-size: 12px; }
.grid { stroke: var(--line); stroke-width: 0.7; } .axis { stroke: var(--soft); } .accepted { fill: var(--best);
  stroke: var(--back); stroke-width: 0.7; } .rejected { fill: var(--faint); opacity: 0.4; }
.best { fill: none; stroke: var(--best); stroke-width: 2; } svg text.bestlabel { fill: var(--best); font-weight: 700; }
.edge { fill: none; stroke: var(--faint); opacity: 0.6; } .crossed { stroke-dasharray: 4 3; } .edge.online {
  stroke: var(--best); stroke-width: 2.2; opacity: 1; }
.node circle { fill: var(--back); stroke: var(--faint); stroke-width: 1.5; } .node.online circle {
  stroke: var(--best); stroke-width: 2; } .node.bestnode circle { fill: var(--best); } .node.notaccepted {
  opacity: 0.6; }
svg .nodescore { font-weight: 600; fill: var(--text); }
@media print { :root { --text: #000; --soft: #444; --line: #bbb; --back: #fff; --panel: #fff; --best: #1f4e9c;
  --faint: #777; --add: #116329; --addback: #fff; --del: #a40e26; --delback: #fff; --warn: #000; --warnback: #fff; }
  body { max-width: none; padding: 0; font-size: 12px; } details::details-content { content-visibility: visible;
    block-size: auto; } pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  pre, .figure, figure, svg.chart, tr { break-inside: avoid; } h2, h3 { break-after: avoid; } svg.lineage {
    max-width: 100%; height: auto; } }
"""
