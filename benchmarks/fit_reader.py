r"""Fit the reader of index/passage_reader.py: whether a passage states what is asked.

    python benchmarks/fit_reader.py --texts benchmarks/reading/texts-*.jsonl \
        --claims benchmarks/reading/claims-*.jsonl --squad train-v1.1.json --out index/passage_reader.npz

The weights are the cross-encoder's own. What is learned: a low-rank change of the upper layers' matrices (LoRA,
Hu et al. 2021, arXiv:2106.09685), their biases and layer norms (BitFit, Ben Zaken et al. 2021, arXiv:2106.10199),
and four linear layers on top: one over the mean of each sentence's token states (it states the answer), one over each
token's (it is of the answer, or nothing is: a null as of Devlin et al. 2019, arXiv:1810.04805, section 4.3), two over
the first token's (the passage states the answer; it supports the claim).
Needs torch and transformers (both come with sentence-transformers) and, beside them, `pip install onnx`.
"""

import argparse
import json
import math
import random
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from reading_examples import (
    Asked,
    Claimed,
    Example,
    asked_of,
    asked_of_squad,
    claim_examples,
    claimed_of,
    examples,
    kept_aside,
)
from tokenizers import Encoding, Tokenizer
from torch import nn
from transformers import BertConfig, BertModel

from index.models import DEFAULT_RERANKER, carried
from index.passage_reader import tokens_within
from index.reading import NOTHING, laid_out, stated
from index.types import Reading
from qa.evaluate.metrics import area_under_curve

LAYERS = 12
MATRICES = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
"""The linear parts of a layer, in the order in which the graph holds their matrices."""
HEADS = ("sentence", "answer", "passage", "support")
BATCH_TOKENS = 3000
YES_OR_NO = ("yes", "no")
"""Answers that stand in no sentence; "not" and "nobody" begin so too, and the whole sentence will do for them."""


# ------------------------------------------------------------------------------------------------ the model


class LowRank(nn.Module):
    """A linear layer whose matrix is changed by a product of two thin ones."""

    def __init__(self, inner: nn.Linear, rank: int) -> None:
        super().__init__()
        self.inner = inner
        self.down = nn.Parameter(torch.randn(rank, inner.in_features) / math.sqrt(inner.in_features))
        self.up = nn.Parameter(torch.zeros(inner.out_features, rank))

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """float[..., out] of float[..., in]."""
        return self.inner(states) + (states @ self.down.T) @ self.up.T


class Model(nn.Module):
    """The cross-encoder's body with the heads."""

    def __init__(self, graph: onnx.GraphProto, frozen: int, rank: int) -> None:
        super().__init__()
        self.frozen = frozen
        self.body = body_of(graph)
        self.sentence = nn.Linear(384, 1)
        self.answer = nn.Linear(384, 1)
        self.passage = nn.Linear(384, 1)
        self.support = nn.Linear(384, 1)
        for parameter in self.body.parameters():
            parameter.requires_grad = False
        for layer in self.body.encoder.layer[frozen:]:
            for parameter in layer.parameters():
                parameter.requires_grad = parameter.dim() == 1
            for name in MATRICES if rank else ():
                parent, _, last = name.rpartition(".")
                holder = layer.get_submodule(parent)
                setattr(holder, last, LowRank(getattr(holder, last), rank))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        """Token states, float[rows, length, 384]."""
        wide = (1.0 - mask[:, None, None, :].float()) * torch.finfo(torch.float32).min
        with torch.no_grad():
            states = self.body.embeddings(input_ids=ids, token_type_ids=types)
            for layer in self.body.encoder.layer[: self.frozen]:
                states = _states(layer(states, wide))
        for layer in self.body.encoder.layer[self.frozen :]:
            states = _states(layer(states, wide))
        return states


def _states(output: object) -> torch.Tensor:
    return output[0] if isinstance(output, tuple) else output  # it differs between versions of transformers


def body_of(graph: onnx.GraphProto) -> BertModel:
    """The body of the int8 graph, its matrices made floats again."""
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}

    def floats(name: str) -> np.ndarray:
        if name in stored:
            return stored[name]
        zero = stored[f"{name}_zero_point"].astype(np.float32)
        return (stored[f"{name}_quantized"].astype(np.float32) - zero) * stored[f"{name}_scale"]

    config = BertConfig(
        vocab_size=30522, hidden_size=384, num_hidden_layers=LAYERS, num_attention_heads=12, intermediate_size=1536,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    body = BertModel(config, add_pooling_layer=False)
    names = matrix_names(graph)
    weights: dict[str, torch.Tensor] = {}
    for key, value in body.state_dict().items():
        layer, _, part = key.removeprefix("encoder.layer.").partition(".")
        if part.removesuffix(".weight") in MATRICES and part.endswith("weight"):
            array = floats(names[int(layer) * len(MATRICES) + MATRICES.index(part.removesuffix(".weight"))]).T
        elif key in ("embeddings.position_ids", "embeddings.token_type_ids"):
            continue
        else:
            array = floats(f"bert.{key}")
        assert array.shape == value.shape, key
        weights[key] = torch.from_numpy(np.array(array))
    body.load_state_dict(weights, strict=False)
    return body


def matrix_names(graph: onnx.GraphProto) -> list[str]:
    """Names of the layers' matrices in the order of the graph, without their endings."""
    ends = "_quantized"
    return [
        tensor.name.removesuffix(ends)
        for tensor in graph.initializer
        if tensor.name.startswith("onnx::MatMul") and tensor.name.endswith(ends)
    ]


# ------------------------------------------------------------------------------------------------ fitting


@dataclass
class Batch:
    """Padded tokens of some examples, and for each sentence of a passage with a question its row, tokens and label."""

    ids: torch.Tensor
    mask: torch.Tensor
    types: torch.Tensor
    pool: torch.Tensor
    """float[sentences, rows × length]: the mean over a sentence's tokens, as a matrix."""
    rows: torch.Tensor
    labels: torch.Tensor
    passages: torch.Tensor
    """Of each row, 1 where its passage states the answer or supports the claim."""
    claims: torch.Tensor
    """bool[rows]: the rows that hold claims."""
    read: torch.Tensor
    """bool[rows, length]: the tokens of sentences."""
    right: torch.Tensor
    """bool[rows, length]: those of the answer; of the whole sentence where it is not marked."""


def batch_of(chosen: Sequence[tuple[Example, Encoding]]) -> Batch:
    """Examples as arrays."""
    length = max(len(encoding.ids) for _, encoding in chosen)
    ids = torch.zeros(len(chosen), length, dtype=torch.long)
    mask, types = ids.clone(), ids.clone()
    read, right = ids.bool(), ids.bool()
    pool: list[torch.Tensor] = []
    rows: list[int] = []
    labels: list[float] = []
    for row, (example, encoding) in enumerate(chosen):
        n = len(encoding.ids)
        ids[row, :n] = torch.tensor(encoding.ids)
        mask[row, :n] = 1
        types[row, :n] = torch.tensor(encoding.type_ids)
        if example.claim:
            continue
        text, spans = laid_out(example.passage)
        for span, label in zip(spans, example.labels, strict=True):
            tokens = tokens_within(encoding, span)
            read[row, tokens] = True
            if label:
                right[row, tokens_within(encoding, answer_within(text, span, example.answer)) or tokens] = (
                    True
                )
            if tokens:
                weights = torch.zeros(len(chosen) * length)
                weights[[row * length + t for t in tokens]] = 1 / len(tokens)
                pool.append(weights)
                rows.append(row)
                labels.append(label)
    whole = torch.tensor([float(any(example.labels)) for example, _ in chosen])
    return Batch(
        ids,
        mask,
        types,
        torch.stack(pool) if pool else torch.zeros(0, len(chosen) * length),
        torch.tensor(rows, dtype=torch.long),
        torch.tensor(labels),
        whole,
        torch.tensor([example.claim for example, _ in chosen]),
        read,
        right,
    )


def answer_within(text: str, span: tuple[int, int], answer: str) -> tuple[int, int]:
    """Where an answer stands in a sentence of a text, in whatever case; the sentence where it does not."""
    words = answer.strip(" .")
    if not words or words.lower().startswith(YES_OR_NO):
        return span
    found = re.compile(rf"(?<!\w){re.escape(words)}(?!\w)", re.IGNORECASE).search(text, *span)
    return found.span() if found else span


def logits_of(model: Model, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits of sentences, of tokens, and of rows: of their passage, or where they hold a claim of its support."""
    # half precision is two to three times as fast on a processor with avx512_bf16, and the weights are int8 in the end
    with torch.autocast("cpu", dtype=torch.bfloat16):
        states = model(batch.ids, batch.mask, batch.types)
    states = states.float()
    flat = states.reshape(-1, states.shape[-1])
    first = states[:, 0]
    whole = torch.where(batch.claims, model.support(first)[:, 0], model.passage(first)[:, 0])
    return model.sentence(batch.pool @ flat)[:, 0], model.answer(states)[:, :, 0], whole


def batches(
    found: Sequence[Example], tokenizer: Tokenizer, chance: random.Random | None
) -> Iterator[list[tuple[Example, Encoding]]]:
    """Examples of like length together, in random order when fitting."""
    encodings = tokenizer.encode_batch([(e.text, laid_out(e.passage)[0]) for e in found])
    order = sorted(
        range(len(found)), key=lambda n: len(encodings[n].ids) + (chance.random() * 12 if chance else 0)
    )
    groups: list[list[int]] = [[]]
    for n in order:
        if (len(groups[-1]) + 1) * len(encodings[n].ids) > BATCH_TOKENS:
            groups.append([])
        groups[-1].append(n)
    if chance:
        chance.shuffle(groups)
    for group in groups:
        yield [(found[n], encodings[n]) for n in group]


def judged(model: Model, tokenizer: Tokenizer, asked: Sequence[Asked]) -> list[float]:
    """For each question the greatest score among its own passages and its siblings'."""
    found = [
        [
            Example(one.text, placed.read_for(one.text), (0.0,) * len(placed.passage.sentences))
            for placed in (*one.gold, *one.own[:4], *one.siblings[:3])
        ]
        for one in asked
    ]
    return greatest(model, tokenizer, found, lambda row, sentences: stated([Reading(row, tuple(sentences))]))


def supports(model: Model, tokenizer: Tokenizer, claims: Sequence[Claimed]) -> list[float]:
    """For each claim its greatest support by one of its windows."""
    found = [
        [
            Example(one.text, placed.read_for(one.text), (0.0,), claim=True)
            for placed in (*one.gold, *one.wrong)
        ]
        for one in claims
    ]
    return greatest(model, tokenizer, found, lambda row, _: row)


def greatest(
    model: Model,
    tokenizer: Tokenizer,
    found: Sequence[Sequence[Example]],
    score: Callable[[float, Sequence[float]], float],
) -> list[float]:
    """The greatest score of each group of examples, made of the logits of its row and of its sentences."""
    owner = {id(example): n for n, group in enumerate(found) for example in group}
    best = [NOTHING] * len(found)
    model.eval()
    with torch.no_grad():
        for chosen in batches([example for group in found for example in group], tokenizer, None):
            batch = batch_of(chosen)
            sentences, tokens, rows = logits_of(model, batch)
            within = batch.pool.reshape(len(sentences), *tokens.shape)[range(len(sentences)), batch.rows] > 0
            answers = torch.where(within, tokens[batch.rows], -torch.inf).logsumexp(1)
            said = (sentences + answers) / 2
            for row, (example, _) in enumerate(chosen):
                value = score(rows[row].item(), said[batch.rows == row].tolist())
                best[owner[id(example)]] = max(best[owner[id(example)]], value)
    model.train()
    return best


def refused(scores: Sequence[float], right: Sequence[bool], false: float = 0.05) -> float:
    """Share of unanswerable questions below the score that refuses a share `false` of answerable ones."""
    yes = sorted(s for s, r in zip(scores, right, strict=True) if r)
    bar = yes[int(false * len(yes))]
    no = [s for s, r in zip(scores, right, strict=True) if not r]
    return sum(s < bar for s in no) / len(no)


def save(model: Model, graph: onnx.GraphProto, weights: str, path: Path, rank: int) -> None:
    """What was learned, in half precision, by the names that the graph has for it."""
    names = matrix_names(graph)
    values: dict[str, np.ndarray] = {"of": np.array(weights)}
    for n, layer in enumerate(model.body.encoder.layer):
        if n < model.frozen:
            continue
        for key, parameter in layer.named_parameters():
            plain = key.replace(".inner.", ".")
            if parameter.dim() == 1:
                values[f"bert.encoder.layer.{n}.{plain}"] = parameter.detach().numpy().astype(np.float16)
        for m, part in enumerate(MATRICES if rank else ()):
            low = layer.get_submodule(part)
            name = names[n * len(MATRICES) + m]
            values[f"{name}.down"] = low.down.detach().numpy().astype(np.float16)
            values[f"{name}.up"] = low.up.detach().numpy().astype(np.float16)
    for head in HEADS:
        linear = getattr(model, head)
        values[f"{head}.weight"] = linear.weight.detach().numpy()[0].astype(np.float32)
        values[f"{head}.bias"] = linear.bias.detach().numpy().astype(np.float32)
    np.savez_compressed(path, **values)


def lines_of(files: Sequence[str]) -> list[dict]:
    """The objects of some files with one a line."""
    return [json.loads(line) for name in files for line in Path(name).read_text().splitlines() if line]


def fit(args: argparse.Namespace) -> None:
    """Read the texts, fit, save after each epoch."""
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    chance = random.Random(args.seed)
    files = carried(DEFAULT_RERANKER)
    assert files is not None, "the weights are not installed"
    graph = onnx.load(str(files.files["model.onnx"])).graph
    tokenizer = Tokenizer.from_file(str(files.files["tokenizer.json"]))
    tokenizer.no_padding()
    tokenizer.enable_truncation(512)
    documents = lines_of(args.texts)
    every, claims = asked_of(documents), claimed_of(documents, lines_of(args.claims))
    aside = {group for group, _ in every if kept_aside(group, args.aside)}
    learn = [asked for group, asked in every if group not in aside]
    learn_claims = [claimed for group, claimed in claims if group not in aside]
    test = [asked for group, asked in every if group in aside]
    test_claims = [claimed for group, claimed in claims if group in aside]
    squad = json.loads(args.squad.read_text())["data"] if args.squad else []
    questions = asked_of_squad(squad, args.squad_questions * args.epochs, chance)
    print(
        f"{len(documents)} documents; to learn from: {len(learn)} questions, {len(learn_claims)} claims,"
        f" {len(questions)} questions of SQuAD; aside: {len(test)} and {len(test_claims)}",
        flush=True,
    )
    model = Model(graph, args.frozen, args.rank)
    if args.start:
        restore(model, graph, np.load(args.start))
    plan: list[list[list[tuple[Example, Encoding]]]] = []
    for epoch in range(args.epochs):
        mine = questions[epoch :: args.epochs]
        found = [e for asked in (*learn, *mine) for e in examples(asked, chance)]
        found += [e for claimed in learn_claims for e in claim_examples(claimed, chance)]
        plan.append(list(batches(found, tokenizer, chance)))
    for epoch, loss in enumerate(descended(model, plan, args)):
        save(model, graph, files.sha256, args.out, args.rank)
        if args.start and args.keep:
            np.savez_compressed(args.out, **blended(np.load(args.start), np.load(args.out), args.keep))
        print(f"epoch {epoch + 1}: loss {loss:.3f}", flush=True)
        if test:
            told(judged(model, tokenizer, test), [asked.sentence is not None for asked in test], "questions")
        if test_claims:
            told(supports(model, tokenizer, test_claims), [bool(one.gold) for one in test_claims], "claims")


def told(scores: Sequence[float], right: Sequence[bool], what: str) -> None:
    """Print how well scores tell right from wrong."""
    yes, no = ([s for s, r in zip(scores, right, strict=True) if r is kind] for kind in (True, False))
    print(
        f"    aside, {what}: AUC {area_under_curve(yes, no) or 0:.3f},"
        f" refused at 5 % false {refused(scores, right):.2f}",
        flush=True,
    )


def descended(
    model: Model, plan: Sequence[Sequence[Sequence[tuple[Example, Encoding]]]], args: argparse.Namespace
) -> Iterator[float]:
    """Descend through the batches of each epoch; gives its mean loss."""
    low = [p for m in model.modules() if isinstance(m, LowRank) for p in (m.down, m.up)]
    flat = [p for p in model.body.parameters() if p.requires_grad and p.dim() == 1]
    heads = [p for head in HEADS for p in getattr(model, head).parameters()]
    rated = [(low, args.rate), (flat, args.rate * args.bias), (heads, args.rate)]
    optimizer = torch.optim.AdamW(
        [{"params": params, "lr": rate} for params, rate in rated if params], weight_decay=args.decay
    )
    total, step, clock = sum(map(len, plan)), 0, time.time()
    rates = [group["lr"] for group in optimizer.param_groups]
    for some in plan:
        losses: list[float] = []
        for chosen in some:
            factor = min(1.0, step / (0.06 * total + 1)) * (1 - step / total)
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            loss = loss_of(model, batch_of(chosen), args.weight)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
            optimizer.step()
            losses.append(loss.item())
            step += 1
            if step % 50 == 0:
                mean = np.mean(losses[-50:])
                print(f"{step}/{total} {time.time() - clock:.0f} s, loss {mean:.3f}", flush=True)
        yield float(np.mean(losses))


def loss_of(model: Model, batch: Batch, weight: float) -> torch.Tensor:
    """Cross-entropy of the sentences, and half that of the rows; a claim's row counts in full."""
    sentences, tokens, rows = logits_of(model, batch)
    loss = torch.zeros(())
    if len(batch.labels):
        entropy = nn.functional.binary_cross_entropy_with_logits
        loss = entropy(sentences, batch.labels, pos_weight=torch.tensor(weight))
        loss = loss + answer_loss(
            tokens[~batch.claims], batch.read[~batch.claims], batch.right[~batch.claims]
        )
    each = nn.functional.binary_cross_entropy_with_logits(rows, batch.passages, reduction="none")
    return loss + (each * torch.where(batch.claims, 1.0, 0.5)).mean()


def answer_loss(tokens: torch.Tensor, read: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of where the answer stands, over the tokens that were read and the null, whose logit is 0."""
    null = torch.zeros(len(tokens), 1)
    every = torch.cat([null, torch.where(read, tokens, -torch.inf)], dim=1)
    wanted = torch.cat(
        [torch.where(right.any(1, keepdim=True), -torch.inf, null), torch.where(right, tokens, -torch.inf)],
        dim=1,
    )
    return (every.logsumexp(1) - wanted.logsumexp(1)).mean()


def blended(
    before: "np.lib.npyio.NpzFile", after: "np.lib.npyio.NpzFile", share: float
) -> dict[str, np.ndarray]:
    """What was learned last, with a share of what was known before: weights between the two do better elsewhere
    (WiSE-FT, Wortsman et al. 2022, arXiv:2109.01903).
    """

    def between(name: str) -> np.ndarray:
        value = after[name]
        if value.dtype.kind != "f" or name not in before or before[name].shape != value.shape:
            return value
        mixed = share * before[name].astype(np.float32) + (1 - share) * value.astype(np.float32)
        return np.asarray(mixed.astype(value.dtype))

    return {name: between(name) for name in after}


def restore(model: Model, graph: onnx.GraphProto, saved: "np.lib.npyio.NpzFile") -> None:
    """Go on from what was saved."""
    names = matrix_names(graph)
    with torch.no_grad():
        for n, layer in enumerate(model.body.encoder.layer):
            for key, parameter in layer.named_parameters():
                name = f"bert.encoder.layer.{n}.{key.replace('.inner.', '.')}"
                if parameter.dim() == 1 and name in saved:
                    parameter.copy_(torch.from_numpy(saved[name].astype(np.float32)))
            for m, part in enumerate(MATRICES):
                low = layer.get_submodule(part)
                name = names[n * len(MATRICES) + m]
                if isinstance(low, LowRank) and f"{name}.up" in saved:
                    # of a lesser rank: the rows and columns that are new stay as they are, and add nothing yet
                    rank = saved[f"{name}.up"].shape[1]
                    low.down[:rank].copy_(torch.from_numpy(saved[f"{name}.down"].astype(np.float32)))
                    low.up[:, :rank].copy_(torch.from_numpy(saved[f"{name}.up"].astype(np.float32)))
        for head in (head for head in HEADS if f"{head}.weight" in saved):
            linear = getattr(model, head)
            linear.weight.copy_(torch.from_numpy(saved[f"{head}.weight"][None]))
            linear.bias.copy_(torch.from_numpy(saved[f"{head}.bias"]))


def main() -> int:
    """Parse the arguments and fit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", nargs="+", required=True, metavar="FILE")
    parser.add_argument("--claims", nargs="*", default=[], metavar="FILE", help="claims on these texts")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--squad", type=Path, help="a file in the format of SQuAD 1.1 to learn from as well")
    parser.add_argument(
        "--squad-questions", type=int, default=6_000, help="how many of its questions an epoch"
    )
    parser.add_argument("--start", type=Path, help="go on from this file")
    parser.add_argument("--keep", type=float, default=0.0, help="share of the weights of --start that stays")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument(
        "--bias", type=float, default=1.0, help="rate of biases and norms, as a share of --rate"
    )
    parser.add_argument("--decay", type=float, default=0.01)
    parser.add_argument(
        "--weight", type=float, default=2.0, help="weight of a sentence that states the answer"
    )
    parser.add_argument("--frozen", type=int, default=4, help="lower layers left alone")
    parser.add_argument("--rank", type=int, default=8, help="rank of the change of a matrix; 0 for none")
    parser.add_argument(
        "--aside", type=int, default=0, metavar="N", help="keep about every Nth group aside and measure on it"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    fit(parser.parse_args())
    return 0


if __name__ == "__main__":
    sys.exit(main())
