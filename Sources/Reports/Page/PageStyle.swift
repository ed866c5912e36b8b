import Core
import Formats

/// The style sheet of a report: one column on a phone, small multiples side by side if there is room, light or dark as
/// set in the reader's system, and plain in print.
enum PageStyle {
  static let sheet: Markup = """
    :root{color-scheme:light dark;--paper:#fff;--page:#f5f6f8;--ink:#1d2129;--soft:#5a6170;--rule:#dfe3ea;--grid:#e6e9ef;
    --accent:#2459a8;--good:#22703a;--bad:#b3261e;--wait:#8a5a00;
    --c0:#2f6cbf;--c1:#d9730d;--c2:#34894a;--c3:#d03a2f;--c4:#8354ad;--c5:#6e5446;--c6:#17828f}
    @media (prefers-color-scheme:dark){:root{--paper:#1b1f26;--page:#12151a;--ink:#e8ebf1;--soft:#a3acbb;--rule:#323945;
    --grid:#2b313b;--accent:#8ab6ff;--good:#7dd195;--bad:#ff9a91;--wait:#f0c36d;
    --c0:#74a9f5;--c1:#f2a355;--c2:#6fcb87;--c3:#ff8278;--c4:#bd93e6;--c5:#c9a893;--c6:#57c6d3}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;
    overflow-wrap:anywhere}
    main,header,footer{max-width:72rem;margin:0 auto;padding:0 1rem}
    header{padding-top:1.5rem}footer{padding:1rem 1rem 2.5rem;color:var(--soft);font-size:.85rem}
    h1{font-size:clamp(1.25rem,4.5vw,1.9rem);line-height:1.2;margin:.1rem 0 .4rem}
    h2{font-size:1.2rem;margin:0 0 .6rem}h3{font-size:1rem;margin:1.2rem 0 .4rem}
    a{color:var(--accent)}
    .eyebrow{margin:0;color:var(--soft);font-size:.85rem;letter-spacing:.02em}
    .why{margin:.3rem 0 .8rem;font-size:1.08rem;max-width:46rem}
    .why b{color:var(--soft);font-weight:600}
    .chip{display:inline-block;padding:.05rem .6rem;border-radius:1rem;border:1px solid currentColor;font-size:.8rem;
    font-weight:600;white-space:nowrap}
    .finished{color:var(--good)}.failed{color:var(--bad)}.running{color:var(--accent)}.interrupted{color:var(--wait)}
    .card{background:var(--paper);border:1px solid var(--rule);border-radius:.6rem;padding:1rem;margin:1rem 0}
    .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.2rem,1fr));gap:.6rem;margin:1rem 0;padding:0}
    .tiles div{background:var(--paper);border:1px solid var(--rule);border-radius:.6rem;padding:.55rem .8rem}
    .tiles dt{color:var(--soft);font-size:.8rem}.tiles dd{margin:0;font-size:1.3rem;font-weight:650;line-height:1.25}
    .tiles small{display:block;font-size:.78rem;font-weight:400;color:var(--soft)}
    .grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,19rem),1fr));gap:.8rem}
    figure{margin:0 0 .6rem}figcaption{color:var(--soft);font-size:.87rem;margin-top:.35rem;max-width:60rem}
    .scroll{overflow-x:auto}
    table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
    table.wide{width:100%}
    th,td{padding:.28rem .7rem .28rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
    thead th{color:var(--soft);font-weight:600}tbody th{font-weight:500}
    .scroll th,.scroll td{overflow-wrap:break-word;max-width:24rem}
    td.n,th.n{text-align:right;white-space:nowrap}
    table.facts th{color:var(--soft);white-space:nowrap;padding-right:1rem}
    code,pre{font:.85em/1.45 ui-monospace,SFMono-Regular,Menlo,monospace}
    pre{white-space:pre-wrap;background:var(--page);border-radius:.4rem;padding:.6rem .8rem;margin:.4rem 0}
    details{border-top:1px solid var(--rule);padding:.5rem 0}
    summary{cursor:pointer;font-weight:600}summary:focus-visible,a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
    .note{color:var(--soft);font-size:.9rem}
    .warn{border-left:4px solid var(--bad);background:color-mix(in srgb,var(--bad) 9%,transparent);padding:.5rem .8rem;
    margin:.6rem 0;border-radius:.2rem}
    img{max-width:100%;height:auto;display:block;border-radius:.3rem;background:#888}img.pixels{image-rendering:pixelated}
    .zoom{display:block;position:relative;cursor:zoom-in}
    .zoom input{position:absolute;opacity:0;width:1px;height:1px;margin:0}
    .zoom:has(input:focus-visible){outline:3px solid var(--accent);outline-offset:2px}
    .zoom:has(input:checked){position:fixed;inset:0;z-index:9;overflow:auto;padding:1rem;background:var(--page);
    display:grid;place-content:safe center;cursor:zoom-out}
    .zoom:has(input:checked) :is(img,svg){max-width:none;height:auto;
    width:max(calc(var(--w)*1px),min(100vw - 2rem,(100vh - 2rem)*var(--w)/var(--h)))}
    .shots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,19rem),1fr));gap:1rem;align-items:start}
    .bar{display:inline-block;width:5rem;height:.6rem;border-radius:.3rem;background:var(--grid);vertical-align:middle}
    .bar i{display:block;height:100%;border-radius:.3rem;background:var(--c0)}
    svg.plot{display:block;width:100%;height:auto}
    svg .paper{fill:transparent}svg .grid{stroke:var(--grid)}svg .axis{stroke:var(--soft)}
    svg .label{fill:var(--soft)}svg .ink{fill:var(--ink)}
    \(palette)
    .narrow{display:none}@media (max-width:40rem){.wide-plot{display:none}.narrow{display:block}}
    .skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem}
    @media print{:root{color-scheme:light}body{background:#fff}.card{break-inside:avoid}
    details::details-content{content-visibility:visible;height:auto}}
    """

  /// The colours of a plot's series, by class.
  private static var palette: Markup {
    (0..<7).map { index in
      """
      svg .line.c\(index){stroke:var(--c\(index))}svg .dot.c\(index),svg .band.c\(index){fill:var(--c\(index))}
      """
    }.joined(separator: "\n")
  }
}
