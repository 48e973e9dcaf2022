"""Text that a web page carries around an article: stays addressable, never competes for an answer."""

import re

from index.dates import only_date

# Whole short lines, and openings of longer furniture. General to news and blog pages, not to one site.
_LINES = re.compile(
    r"""(?xi)^\W*(?:
      skip\ to\ (?:main\ )?content | skip\ navigation | share(?:\ (?:via|this(?:\ (?:article|story|page))?|on\ \w+))?
    | advertisement | sponsored(?:\ content)? | image(?:\ \d+)? | photo | video | gallery | menu | search | home | back\ to\ top
    | (?:read|show|see|load|view)\ (?:more|less|all) | continue\ reading | more\ in\ [\w\s&]{1,30} | related(?:\ (?:articles?|stories|content))?
    | log\ ?in | sign\ ?(?:in|up) | subscribe(?:\ now)? | register | print | e-?mail | comments? | \d+\ comments? | tags?:?
    | join\ (?:the\ movement|us|now) | follow\ us.{0,40} | copy\ link | close | next | previous | accept(?:\ all)?(?:\ cookies)?
    | listen\ to\ this\ article.{0,30} | \d+\ min(?:ute)?s?\ read | trending(?:\ now)? | most\ (?:read|popular|viewed) | loading.{0,3}
    )\W*$"""
)
_OPENINGS = re.compile(
    r"""(?xi)^\W*(?:
      already\ a\ (?:subscriber|member) | (?:please\ )?(?:log|sign)\ in\ to\ (?:view|read|continue|comment)
    | keep\ up\ to\ date\ with\ (?:our|the)\ latest | sign\ up\ (?:for|to)\ (?:our|the)\b | subscribe\ to\ (?:our|the)\b
    | (?:this|our)\ (?:site|website)\ uses\ cookies | we\ use\ cookies | by\ (?:clicking|continuing|signing\ up)
    | ©|copyright\ (?:©|\d{4}) | all\ rights\ reserved | click\ here\ to | get\ (?:the\ latest|our\ newsletter)
    | enable\ javascript | your\ browser\ (?:does\ not|is)
    )"""
)
_LONGEST_OPENING = 80
"""Words. A longer paragraph is an article's own, whatever it opens with."""


def is_boilerplate(text: str) -> bool:
    """Whether a paragraph (on one line) is page furniture: a label, a date alone, a call to subscribe."""
    if not any(c.isalnum() for c in text):
        return True
    if _LINES.match(text) or only_date(text) is not None:
        return True
    return bool(_OPENINGS.match(text)) and len(text.split()) <= _LONGEST_OPENING
