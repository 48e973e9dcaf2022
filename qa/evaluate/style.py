"""The style of the report page: one sheet, light and dark, nothing fetched."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #5b6470; --faint: #e4e7eb; --page: #fff; --card: #f7f8fa;
  --accent: #2666b0; --good: #1d7a4c; --bad: #b03a2e; --good-page: #e7f4ec; --bad-page: #fbeae7; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #a0a9b4; --faint: #333a43; --page: #14171b;
  --card: #1c2126; --accent: #74aef0; --good: #6cc795; --bad: #f08c7e; --good-page: #17301f; --bad-page: #3a1d19; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 28px 24px 60px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 25px; margin: 0 0 2px; overflow-wrap: anywhere; } h2 { font-size: 18px; margin: 36px 0 10px; }
h3 { font-size: 13px; margin: 14px 0 4px; color: var(--soft); font-weight: 600; }
p { margin: 4px 0; } .soft { color: var(--soft); } .empty { color: var(--soft); padding: 40px 0; text-align: center; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(168px, 45%), 1fr)); gap: 10px;
  margin: 20px 0; }
.tile { background: var(--card); border-radius: 8px; padding: 10px 14px; }
.tile b { display: block; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums; }
.tile { font-size: 13px; } .tile span { display: block; color: var(--soft); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 18px; }
figure { margin: 0; padding: 14px 16px; border: 1px solid var(--faint); border-radius: 8px; }
figcaption { font-weight: 600; margin-bottom: 8px; }
svg { display: block; width: 100%; height: auto; font-size: 12px; } svg text { fill: var(--soft); }
svg .value { fill: var(--ink); font-weight: 600;
  paint-order: stroke; stroke: var(--page); stroke-width: 4px; }
svg .grid { stroke: var(--faint); }
svg .line { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; }
svg .mark { fill: var(--accent); } svg .bar { fill: var(--accent); }
svg .beside { fill: var(--soft); } svg .track { fill: var(--faint); }
svg .guide { stroke: var(--soft); stroke-dasharray: 3 3; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--faint); text-align: right; white-space: nowrap; }
th { color: var(--soft); font-weight: 600; } th:first-child, td:first-child { text-align: left; }
.clear { font-weight: 700; }
details { border: 1px solid var(--faint); border-radius: 8px; margin: 10px 0; }
summary { cursor: pointer; padding: 10px 14px; overflow-wrap: anywhere; }
.miss { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(330px, 100%), 1fr)); gap: 22px;
  padding: 0 16px 16px; }
.miss > div { min-width: 0; }
.chip { display: inline-block; border-radius: 4px; padding: 0 7px; font-size: 12px; background: var(--faint);
  margin-left: 4px; }
.chip.bad { background: var(--bad-page); color: var(--bad); }
.chip.good { background: var(--good-page); color: var(--good); }
.text { margin: 3px 0 10px; padding: 6px 10px; background: var(--card); border-left: 3px solid var(--faint);
  border-radius: 0 4px 4px 0; overflow-wrap: anywhere; white-space: pre-line; }
.text.gold { border-left-color: var(--good); } .place { font-size: 13px; overflow-wrap: anywhere; }
code { font-size: 13px; background: var(--card); padding: 1px 5px; border-radius: 3px; overflow-wrap: anywhere; }
"""
