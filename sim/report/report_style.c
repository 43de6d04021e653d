/* The page's looks. Colours have names; the dark scheme gives them other values, and paper the light ones. */
#include "sim/report/report.h"

/* Light, and paper. */
#define LIGHT                                                                                                          \
    "--page:#fcfcfb;--card:#fff;--ink:#1d2329;--soft:#5d6873;--rule:#e2e5e8;--life:#cfd5db;--good:#1d7a46;"            \
    "--good-back:#e9f5ee;--bad:#b3261e;--bad-back:#fcecea;--warn-back:#fdf4e3;--step-back:#f1f3f5;--node:#f7f8f9;"     \
    "--phone:#2f6fb3;--nat:#a8681a;--sbc:#7450a8;--pbx:#1f7a70;--other:#7b8794;--media:#dff0e6;"                       \
    "--c0:#2458a6;--c1:#8a4b08;--c2:#75368f;--c3:#0f6e62;--c4:#a1246b;--c5:#4d5b13"

static const char colours[] =
    ":root{" LIGHT "}\n"
    "@media (prefers-color-scheme:dark)"
    "{:root{--page:#14181c;--card:#1b2025;--ink:#e3e7ea;--soft:#98a4af;--rule:#2d343b;"
    "--life:#3b444c;--good:#62c48c;--good-back:#173024;--bad:#ff8a80;--bad-back:#3b1c1a;--warn-back:#362a14;"
    "--step-back:#232a30;--node:#20262c;--phone:#74aeea;--nat:#dfa45c;--sbc:#b99ae6;--pbx:#5fc2b5;--other:#8e9aa6;"
    "--media:#1c3a2a;--c0:#8ab6f5;--c1:#e5ab6b;--c2:#d29fea;--c3:#6ecdbf;--c4:#f192c4;--c5:#bccb72}}\n";

static const char page[] =
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,\"Segoe "
    "UI\",Roboto,\"Noto Sans\",\"DejaVu Sans\",sans-serif}\n"
    "main{width:max-content;min-width:min(100%,60rem);max-width:none;margin:0 auto;padding:2.5rem 2rem 3rem}\n"
    "header,#verdict,#died,footer,.remark{max-width:62rem}\n"
    "h1{font-size:1.9rem;line-height:1.2;margin:0;letter-spacing:-.01em}\n"
    "h2{font-size:1.15rem;margin:2.6rem 0 .8rem;padding-bottom:.3rem;border-bottom:1px solid var(--rule)}\n"
    ".title{margin:.4rem 0 0;font-size:1.05rem;color:var(--soft)}\n"
    ".outcome{margin:1.2rem 0;padding:.7rem 1rem;border-radius:8px;font-size:1.15rem;font-weight:600}\n"
    ".outcome.held{color:var(--good);background:var(--good-back)}\n"
    ".outcome.failed{color:var(--bad);background:var(--bad-back)}\n"
    ".outcome .after{color:var(--soft);font-weight:400;font-size:.95rem}\n"
    ".facts{display:flex;flex-wrap:wrap;gap:.3rem 2rem;margin:0;font-size:.9rem}\n"
    ".facts div{display:flex;gap:.5rem}dt{color:var(--soft)}dd{margin:0}\n"
    ".remark{color:var(--soft);font-size:.87rem;margin:.4rem 0 1rem}\n"
    "footer{margin-top:3rem;padding-top:.8rem;border-top:1px solid var(--rule);font-size:.9rem;color:var(--soft)}\n"
    "a{color:inherit;text-decoration-color:var(--life);text-underline-offset:3px}\n";

static const char tables[] =
    "table{border-collapse:collapse;font-size:.9rem}\n"
    "th{text-align:left;font-weight:600;color:var(--soft);font-size:.8rem}\n"
    "thead th{white-space:nowrap}\n"
    "td,th{padding:.3rem .9rem .3rem 0;vertical-align:top}\n"
    "tbody tr{border-top:1px solid var(--rule)}\n"
    "td.t,td.line,td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;color:var(--soft)}\n"
    ".mono{font-family:ui-monospace,\"DejaVu Sans Mono\",monospace;font-size:.82rem}\n"
    ".items{width:100%}.items thead th:nth-child(2),.items thead th:nth-child(3){text-align:right}\n"
    ".items td:last-child{width:100%}.items a{text-decoration:none}.items a:hover{text-decoration:underline}\n"
    ".sign{font-weight:700}.held .sign{color:var(--good)}.failed .sign{color:var(--bad)}\n"
    ".items .failed{background:var(--bad-back)}.items .failed td:first-child{padding-left:.5rem}\n"
    ".items td:first-child{padding-left:.5rem}\n"
    ".items .expect{color:var(--soft)}\n"
    ".why{color:var(--soft);font-size:.85rem}.failed .why{color:var(--bad)}\n"
    ".moments{margin:.5rem 0;font-size:.85rem}.moments p{margin:0;color:var(--soft)}.moments tr{border:0}\n"
    ".moments td,.moments th{padding:.1rem .9rem .1rem 0;font-size:.82rem}\n"
    ".moments td:last-child{width:auto}\n"
    ".cause{color:var(--bad);font-weight:600}\n"
    "details{margin-top:1.5rem}summary{cursor:pointer;color:var(--soft);font-size:.9rem}\n"
    ".dialogs .id{font-weight:700}\n";

static const char drawings[] =
    "svg{display:block}svg.topology{max-width:calc(100vw - 5rem);height:auto}text{font-size:12px;fill:var(--ink)}\n"
    ".wire{fill:none;stroke:var(--life);stroke-width:1.5}\n"
    ".net rect{fill:var(--life)}.net .far{fill:var(--soft)}.net "
    "text{text-anchor:middle;paint-order:stroke;stroke:var(--page);stroke-width:4px}\n"
    "text.name{font-weight:650;font-size:13px}\n"
    ".addr,.hops{font-size:11px;fill:var(--soft);font-family:ui-monospace,\"DejaVu Sans Mono\",monospace}\n"
    ".hops{font-family:inherit;font-style:italic}\n"
    ".side{font-family:system-ui,\"DejaVu Sans\",sans-serif;font-size:10px}\n"
    ".kind{font-size:10.5px;fill:var(--soft);text-anchor:end}.mid{text-anchor:middle}\n"
    ".count{fill:var(--soft);font-weight:400}\n"
    ".node rect{fill:var(--node);stroke:var(--rule)}\n"
    ".node rect.mark{stroke:none;fill:var(--other)}\n"
    ".k-phone rect.mark{fill:var(--phone)}.k-nat rect.mark{fill:var(--nat)}.k-sbc rect.mark{fill:var(--sbc)}"
    ".k-pbx rect.mark{fill:var(--pbx)}\n";

static const char rungs[] =
    ".heads{position:sticky;top:0;background:var(--page);z-index:1;width:max-content}\n"
    ".rungs{background-repeat:no-repeat;background-size:1px 100%;padding-bottom:8px;"
    "print-color-adjust:exact;-webkit-print-color-adjust:exact}\n"
    ".c0{--d:var(--c0)}.c1{--d:var(--c1)}.c2{--d:var(--c2)}.c3{--d:var(--c3)}.c4{--d:var(--c4)}.c5{--d:var(--c5)}\n"
    ".m .line{fill:none;stroke:var(--d);stroke-width:1.4}.m .tip{fill:var(--d)}\n"
    ".unseen .line,.lost .line{stroke-dasharray:5 4}\n"
    ".cross{fill:none;stroke:var(--bad);stroke-width:2.4}\n"
    ".msg,.died,.heard,.note{text-anchor:middle}\n"
    ".msg,.died{paint-order:stroke;stroke:var(--page);stroke-width:4px;stroke-linejoin:round}\n"
    ".msg .id{fill:var(--d);font-weight:700}.dialogs .id{color:var(--d)}\n"
    ".msg .again{fill:var(--soft);font-style:italic}.msg .who{fill:var(--soft)}\n"
    ".died{fill:var(--bad);font-size:11px;font-weight:600}\n"
    ".rungs text.t{text-anchor:end;font-size:11px;fill:var(--soft);font-variant-numeric:tabular-nums}\n"
    ".pill{fill:var(--card);stroke:var(--life)}.pill.bad{fill:var(--bad-back);stroke:var(--bad)}\n"
    ".note{font-size:10.5px;fill:var(--ink)}.note.bad{fill:var(--bad)}\n"
    ".media rect{fill:var(--media)}.media .tip{fill:var(--good)}.media .heard{font-size:11px;fill:var(--good);"
    "font-weight:600}\n"
    ".media .narrow{text-anchor:start;paint-order:stroke;stroke:var(--page);stroke-width:4px}\n"
    ".deaf rect{fill:var(--bad-back)}.deaf .tip{fill:var(--bad)}.deaf .heard{fill:var(--bad)}\n"
    ".band{display:flex;margin:7px 0;padding:3px 12px 3px 0;border-radius:6px;font-size:13px;line-height:1.45;"
    "scroll-margin-top:64px;break-inside:avoid}\n"
    ".band .t{flex:none;width:82px;margin-right:14px;text-align:right;font-size:11px;padding-top:2px;"
    "color:var(--soft);font-variant-numeric:tabular-nums}\n"
    ".band.step{background:var(--step-back);font-weight:600}.band.event{background:var(--warn-back)}\n"
    ".band .why{font-size:inherit;margin-left:.5em}.band.held span{background:var(--page)}.band.held "
    "b{color:var(--good)}\n"
    ".band.failed{background:var(--bad-back)}.band.failed b{color:var(--bad)}\n"
    ".band:target{outline:2px solid var(--c0)}\n"
    ".band .say{position:sticky;left:96px;max-width:60rem}\n"
    ".gap{text-align:center;color:var(--soft);font-size:12px;margin:4px 0;padding-left:96px}\n"
    ".gap span{background:var(--page);padding:1px 12px;border-radius:9px;border:1px dashed var(--life)}\n"
    ".left-out{margin:18px 0}\n";

static const char paper[] =
    "@media print{:root{" LIGHT ";--page:#fff}\n"
    "@page{size:A4 "
    "landscape;margin:12mm}.topology,.heads,.rungs{zoom:.75}tr{break-inside:avoid}.band{break-after:avoid}\n"
    "body{font-size:10pt}main{padding:0;width:auto}.heads{position:static}.outcome,.band,.items .failed{"
    "print-color-adjust:exact;-webkit-print-color-adjust:exact}a{text-decoration:none}}"
    "\n";

const char *const report_style[] = {colours, page, tables, drawings, rungs, paper, NULL};
