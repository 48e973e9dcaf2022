"""Reading an LLM's draft as it comes: each whole sentence is attributed and judged before anybody sees it."""

from collections.abc import Callable, Sequence

from index.types import Hit
from qa.claims import without_markers
from qa.compose import Checked
from qa.prompt import REFUSAL
from qa.structured import DraftText
from qa.types import DraftSentence, VerifyMode
from qa.verify import Similarity, is_refusal, judge, split_sentences

_ENDS = (".", "!", "?", "]", '"', "”", ":")


class DraftReader:
    """Takes the text of a draft piece by piece and passes on what may be shown."""

    def __init__(
        self,
        question: str,
        hits: Sequence[Hit],
        similarity: Similarity | None,
        mode: VerifyMode,
        say: Callable[[Checked], object],
    ) -> None:
        self._question = question
        self._hits = hits
        self._similarity = similarity
        self._mode = mode
        self._say = say
        self._draft = DraftText()
        self._text = ""
        self._read = 0
        self.shown = 0
        self.dropped = 0
        self.judged: list[DraftSentence] = []

    @property
    def text(self) -> str:
        """The draft as far as it has come, as plain text."""
        return self._text

    @property
    def refused(self) -> bool:
        """Whether the model says that the sources do not hold the answer."""
        return self.shown == 0 and (REFUSAL in self._text.upper() or is_refusal(self._text))

    def feed(self, text: str) -> None:
        """Take more of the draft; sentences that another one follows are whole."""
        self._text += self._draft.feed(text)
        if not self.refused:
            self._take(split_sentences(self._text)[:-1])

    def finish(self, *, whole: bool) -> None:
        """The draft is over; an unfinished last sentence of one that was cut off is left out."""
        self._text += self._draft.finish()
        spans = split_sentences(self._text)
        if not whole and spans and not self._text.rstrip().endswith(_ENDS):
            spans = spans[:-1]
        if not self.refused:
            self._take(spans)

    def _take(self, spans: Sequence[tuple[int, int]]) -> None:
        for start, end in spans:
            if start < self._read:
                continue
            self._read = end
            self._judge(start, end)

    def _judge(self, start: int, end: int) -> None:
        text = self._text[start:end]
        if is_refusal(text):
            return
        judged = judge(text, self._hits, self._similarity, question=self._question)
        supported = judged.verdict in ("supported", "partial")
        shown = supported or self._mode == "flag"
        self.judged.append(DraftSentence(start, end, judged.verdict, judged.score, judged.layer, shown))
        if not shown:
            self.dropped += 1
            return
        self.shown += 1
        quotes = judged.quotes if supported else ()
        self._say(Checked(without_markers(text), judged.verdict, judged.score, quotes, judged.layer))
