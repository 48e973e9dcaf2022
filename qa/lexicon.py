"""Closed word lists of verification: irregular forms, near-synonyms, opposites, and sets that exclude one another.

All written for this project. They are small on purpose: an entry earns its place by a common word that a restatement
or a falsification turns on; what they lack is the learned layer's business.
"""

import re
from collections.abc import Iterable

from index.analysis import stem

_IRREGULAR = """
speak spoke spoken; say said; tell told; meet met; hold held; take took taken; give gave given; make made; get
got gotten; go went gone; come came; become became; begin began begun; see saw seen; know knew known; find
found; think thought; lead led; leave left; keep kept; bring brought; buy bought; sell sold; send sent; spend
spent; build built; lose lost; win won; pay paid; rise rose risen; fall fell fallen; grow grew grown; write
wrote written; break broke broken; choose chose chosen; drive drove driven; fly flew flown; draw drew drawn; run
ran; sit sat; stand stood; understand understood; seek sought; teach taught; catch caught; fight fought; strike
struck; shoot shot; lay laid; lie lain; hear heard; feel felt; mean meant; read; wear wore worn; steal stole
stolen; hide hid hidden; show shown; eat ate eaten; forget forgot forgotten; swear swore sworn; bear bore born;
withdraw withdrew withdrawn; overthrow overthrew overthrown; undergo underwent undergone; arise arose arisen;
child children; man men; woman women; person people; life lives; datum data; analysis analyses; mouse mice; foot
feet
"""

_SYNONYMS = """
call phone telephone teleconference; talk speak conversation converse discussion discuss dialogue; call
conversation talk speak; say state tell announce; meet meeting; start begin commence open launch initiate; end
finish conclude complete terminate; resume restart renew reopen; stop halt cease suspend cut; last take run;
last recent latest previous former earlier; next following subsequent; reiterate reaffirm repeat; respond
response answer; shake hand handshake; study degree graduate; resupply supply; ask request seek; answer reply
respond response; buy purchase acquire procure; weapon arm armament; aircraft plane jet; ship vessel boat; visit
trip travel; worry concern fear alarm; nation country; military army armed; force troop; leader chief head;
official officer authority; help aid assist assistance support; try attempt; show demonstrate indicate reveal
suggest; big large huge great major; small little tiny minor; fast quick rapid; important significant crucial
critical vital key; get receive obtain; job position post role seat; name appoint; replace succeed; predecessor
former previous; war conflict invasion; topic issue subject matter; area region zone; risk danger threat; warn
caution; deny reject refuse decline; agree accept; accord agreement treaty pact deal; company firm business;
staff employee worker; rule regulation; harass intimidate; study research trial; patient subject participant;
illness disease disorder; drug medicine medication; cause induce trigger; effect impact influence; method
approach technique; happen occur; increase rise grow raise boost elevate; decrease fall drop decline reduce
lower diminish; bar ban prohibit forbid; allow permit enable; roughly approximately; yearly annual annually;
monthly; often frequently; mostly mainly primarily largely; reporter journalist correspondent; hometown home;
college university school; degree; graduate; die death dead; kill murder; marry marriage wed; produce generate;
contain include; need require must; reach achieve attain; keep maintain preserve; let allow; obligation duty;
counterpart; link line channel; establish set create found; improve enhance better; worsen deteriorate; goal aim
objective purpose intend; use utilize employ; strain tense tension; close near; warship ship; cannon; describe
call label; first initial; final last; tie relation relationship; speed pace; fund money finance; child kid;
movie film; song track; book novel
"""

# Claim and evidence that differ in one of these say opposite things.
_OPPOSITES = """
increase/decrease; increase/reduce; rise/fall; raise/lower; raise/reduce; elevate/reduce; high/low;
higher/lower; more/less; more/fewer; most/least; many/few; large/small; larger/smaller; great/small;
greater/less; greater/smaller; big/small; long/short; longer/shorter; old/young; old/new; older/younger;
early/late; earlier/later; before/after; precede/follow; first/last; first/latest; start/end; begin/end;
start/stop; open/close; resume/suspend; resume/halt; resume/stop; resume/end; resume/break; continue/stop;
support/oppose; accept/reject; accept/refuse; agree/refuse; agree/disagree; allow/prohibit; allow/ban;
allow/prevent; permit/forbid; approve/reject; promote/prevent; promote/inhibit; promote/suppress;
activate/inhibit; activate/suppress; activate/deactivate; induce/inhibit; induce/suppress; induce/prevent;
stimulate/inhibit; stimulate/suppress; enhance/impair; enhance/reduce; enhance/inhibit; improve/worsen;
improve/impair; strengthen/weaken; strong/weak; stronger/weaker; upregulate/downregulate; gain/lose; win/lose;
success/failure; succeed/fail; successful/unsuccessful; positive/negative; best/worst; better/worse; good/bad;
safe/dangerous; presence/absence; present/absent; with/without; above/below; over/under; up/down;
maximum/minimum; majority/minority; always/never; always/rarely; often/rarely; frequent/rare; frequently/rarely;
common/rare; all/none; everyone/nobody; public/private; publicly/privately; import/export; buy/sell; join/leave;
enter/exit; arrive/depart; send/receive; friend/enemy; ally/adversary; war/peace; peace/conflict; attack/defend;
civilian/military; domestic/foreign; internal/external; direct/indirect; directly/indirectly; formal/informal;
partly/entirely; deny/confirm; denied/confirmed; affirm/deny; resist/sensitize; resistance/sensitivity;
benefit/harm; beneficial/harmful; protect/harm; cool/warm; cold/hot; wet/dry; rich/poor; expand/contract;
expand/shrink; grow/shrink; increase/shrink; expand/reduce; grow/decline; widen/narrow; relax/strain;
ease/tighten; ease/worsen; friendly/hostile; aggressive/peaceful; remember/forget; include/exclude;
inclusion/exclusion; superior/inferior; influential/powerless; success/defeat; victory/defeat; profit/loss;
maintain/abandon; encourage/discourage; praise/criticize; praise/condemn; welcome/condemn;
predecessor/successor; employ/dismiss; hire/fire; appoint/remove; arrest/release; guilty/innocent; alive/dead;
leading/trailing; sustain/halt; commit/withdraw; avoid/seek; hasten/delay; accelerate/slow; accelerate/delay;
quick/slow; fast/slow; rapid/slow; faster/slower; worsen/alleviate; aggravate/alleviate; mature/immature;
acute/chronic; proximal/distal; dominant/recessive; upstream/downstream; inner/outer; male/female;
mother/father; man/woman; husband/wife; son/daughter; brother/sister; boy/girl; day/night; north/south;
east/west; northern/southern; eastern/western; left/right; top/bottom; front/back; upper/lower; senior/junior;
highest/lowest; tall/short; deep/shallow; heavy/light; full/empty; same/different; similar/different;
true/false; certain/uncertain; clear/unclear; visible/hidden; temporary/permanent; voluntary/mandatory;
optional/mandatory; optional/required; urban/rural; guilty/acquitted; ignore/address; unaffected/affected;
exceed/trail
"""

# Of each set a thing has one: naming another is as wrong as another number.
_EXCLUSIVE = """
monday tuesday wednesday thursday friday saturday sunday; spring summer fall autumn winter; morning afternoon
evening night noon midnight; daily weekly monthly yearly; red blue green yellow black white orange purple brown;
second minute hour day week month year decade century; mother father; son daughter; brother sister; husband
wife; bachelor master doctorate
"""


_DEFINED = """
employee employer landlord tenant lessor lessee licensor licensee buyer seller purchaser vendor supplier customer
client consultant contractor subcontractor company borrower lender guarantor insurer insured assignor assignee
claimant defendant applicant respondent appellant plaintiff debtor creditor trustee beneficiary executor investor
issuer agent principal franchisee franchisor carrier operator provider recipient participant student patient sponsor
investigator author party
"""

_SPELLING = (
    (re.compile(r"(?<=.{2})our(?=$|s$|ed|ing|abl|it)"), "or"),
    (re.compile(r"defence"), "defense"),
    (re.compile(r"(?<=.{3})is(?=e$|ed$|es$|ing$|ation)"), "iz"),
    (re.compile(r"(?<=.{3})yse"), "yze"),
    (re.compile(r"(?<=[a-z]{3})tre$"), "ter"),
    (re.compile(r"ae(?=[a-z]{3})"), "e"),
)
"""British spellings and their American ones."""

IRREGULAR: dict[str, str] = {
    form: stem(forms[0]) for forms in (entry.split() for entry in _IRREGULAR.split(";")) for form in forms
}
"""From an irregular form, as written, to the key of its base."""


def root(word: str) -> str:
    """The key of a word in lower case: of its base where it is irregular, else its stem in American spelling."""
    for pattern, instead in _SPELLING:
        word = pattern.sub(instead, word)
    return IRREGULAR.get(word) or stem(word)


_NOUNS = frozenset(
    "child children man men woman women person people life lives datum data analysis analyses mouse mice foot feet".split()
)
PAST_FORMS: frozenset[str] = frozenset(
    form
    for forms in (entry.split() for entry in _IRREGULAR.split(";"))
    for form in forms[1:]
    if form not in _NOUNS
)
"""Irregular past forms of verbs."""


def _synonyms() -> dict[str, frozenset[str]]:
    near: dict[str, set[str]] = {}
    for entry in _SYNONYMS.split(";"):
        keys = {root(word) for word in entry.split()}
        for key in keys:
            near.setdefault(key, set()).update(keys - {key})
    return {key: frozenset(others) for key, others in near.items()}


SYNONYMS: dict[str, frozenset[str]] = _synonyms()
"""From a key to keys that may stand for it in a restatement."""


def _pairs(entries: Iterable[Iterable[str]]) -> dict[str, frozenset[str]]:
    against: dict[str, set[str]] = {}
    for entry in entries:
        keys = [root(word) for word in entry]
        for key in keys:
            against.setdefault(key, set()).update(other for other in keys if other != key)
    return {key: frozenset(others) for key, others in against.items()}


OPPOSITES: dict[str, frozenset[str]] = _pairs(entry.strip().split("/") for entry in _OPPOSITES.split(";"))
"""From a key to keys that mean the opposite."""

EXCLUSIVE: dict[str, frozenset[str]] = _pairs(entry.split() for entry in _EXCLUSIVE.split(";"))
"""From a key to the other members of the set it is one of."""

DEFINED: frozenset[str] = frozenset(map(root, _DEFINED.split()))
"""Keys of what a contract calls its parties."""

PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "de", "mis")
"""A word with one of these before it denies the word without, where both exist."""
