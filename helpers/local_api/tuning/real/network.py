"""A language model of the Llama kind, forwards and backwards, in NumPy: RMS norm, rotary positions,
attention with shared keys and values, a gated feed-forward part.

Its own weights never change. Beside each matrix W of the upper layers stands an adapter (LoRA, Hu
et al., arXiv 2106.09685): y = W x + s B A x, with A (rank, inputs), B (outputs, rank) and s = ALPHA
/ RANK. B begins as zeros, so that an untrained adapter changes nothing. The layers below are the
same before and after: what they make of a text is computed once, layer by layer, so that one of
them at a time is in memory.

    model = Model(weights, shape, upper=10, seed=1)
    text = Text(prompt, [answer, other])
    [below] = model.below([text])          # once for all texts
    said = model.above(below, text)        # said.logprobs: of each answer's tokens, in nats
    model.back(said, [coefficient, …])     # adds to the gradients of the adapters

What a layer passes on is (n, width), float32, with n tokens of a text.
"""

from dataclasses import dataclass

import numpy as np

from .weights import ALPHA, MATRICES, RANK


class Text:
    """A prompt and the answers to it in one row of tokens, so that it is computed once: each
    answer sees the prompt and itself, and begins at the place behind the prompt.

    prompt: a list of tokens. answers: lists of tokens, none empty. ids: all, (n,). positions: (n,).
    hidden: (n, n), where a row may not look. rows: which tokens an answer's tokens
    are guessed from; targets: these. ends: where each answer but the last ends among them.
    """

    def __init__(self, prompt, answers):
        before, sizes = len(prompt), [len(answer) for answer in answers]
        self.ids = np.array([*prompt, *(token for answer in answers for token in answer)])
        self.positions = np.concatenate(
            [np.arange(before), *(before + np.arange(n) for n in sizes)]
        )
        whose = np.repeat(np.arange(len(sizes) + 1), [before, *sizes])  # 0: the prompt
        seen = (whose[:, None] == whose[None]) | (whose[None] == 0)
        self.hidden = ~np.tril(seen)
        self.targets = self.ids[before:]
        self.rows = np.arange(before - 1, len(self.ids) - 1)
        self.ends = np.cumsum(sizes)[:-1]
        self.rows[[0, *self.ends]] = before - 1


def angles(positions, shape):
    """(cosines, sines) of the rotary positions, each (n, 1, head / 2)."""
    turns = positions[:, None] * shape.theta ** (-np.arange(0, shape.head, 2) / shape.head)
    return np.cos(turns).astype("f4")[:, None], np.sin(turns).astype("f4")[:, None]


def turned(x, cosines, sines):
    """(n, heads, head) with each pair of neighbours turned by its angle, as GGUF has them."""
    first, second = x[..., 0::2], x[..., 1::2]
    out = np.empty_like(x)
    out[..., 0::2] = first * cosines - second * sines
    out[..., 1::2] = first * sines + second * cosines
    return out


def normed(x, weight, epsilon):
    """(RMS norm of the rows of x, the factor of each)"""
    factor = 1 / np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(epsilon))
    return x * factor * weight, factor


def normed_back(gradient, x, factor, weight):
    """The gradient of x, given that of its norm."""
    g = gradient * weight
    return factor * g - x * factor**3 * (g * x).mean(-1, keepdims=True)


class Matrix:
    """A fixed matrix (outputs, inputs), and the adapter beside it, or None: a (RANK, inputs), b
    (outputs, RANK). `gradients`: of both, summed up until `clear`.
    """

    def __init__(self, fixed, adapter=None):
        self.fixed, self.adapter, self.scale = fixed, adapter, np.float32(ALPHA / RANK)
        self.clear()

    def clear(self):
        self.gradients = [np.zeros_like(part) for part in self.adapter or ()]

    def __call__(self, x):
        """(x through both, what came out of a)"""
        y = x @ self.fixed.T
        if not self.adapter:
            return y, None
        a, b = self.adapter
        inner = x @ a.T
        return y + self.scale * (inner @ b.T), inner

    def back(self, gradient, x, inner):
        a, b = self.adapter
        through = self.scale * (gradient @ b)
        self.gradients[0] += through.T @ x
        self.gradients[1] += self.scale * (gradient.T @ inner)
        return gradient @ self.fixed + through @ a


class Layer:
    def __init__(self, weights, shape, number, adapters=None):
        """adapters: {matrix: (a, b)}; None: a layer that is not trained."""
        self.shape, name = shape, f"blk.{number}.{{}}.weight".format
        self.norm1, self.norm2 = weights[name("attn_norm")], weights[name("ffn_norm")]
        self.matrices = {
            short: Matrix(weights[name(short)], adapters and adapters[name(short)])
            for short in MATRICES
        }

    def forward(self, x, text):
        """(x after this layer, what `back` needs)"""
        shape, of, n = self.shape, self.matrices, len(x)
        turn = angles(text.positions, shape)
        h, r1 = normed(x, self.norm1, shape.epsilon)
        (q, iq), (k, ik), (v, iv) = (of[f"attn_{part}"](h) for part in "qkv")
        q = turned(q.reshape(n, shape.heads, shape.head), *turn)
        k = turned(k.reshape(n, shape.kv_heads, shape.head), *turn)
        shared = shape.heads // shape.kv_heads
        k = np.repeat(k, shared, 1)
        v = np.repeat(v.reshape(n, shape.kv_heads, shape.head), shared, 1)
        scores = np.matmul(q.transpose(1, 0, 2), k.transpose(1, 2, 0))
        scores /= np.float32(np.sqrt(shape.head))
        np.copyto(scores, np.float32(-1e9), where=text.hidden)
        p = np.exp(scores - scores.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        o = np.matmul(p, v.transpose(1, 0, 2)).transpose(1, 0, 2).reshape(n, -1)
        y, io = of["attn_output"](o)
        x2 = x + y
        h2, r2 = normed(x2, self.norm2, shape.epsilon)
        (g, ig), (up, iu) = of["ffn_gate"](h2), of["ffn_up"](h2)
        sig = 1 / (1 + np.exp(-g))
        m = g * sig * up
        z, im = of["ffn_down"](m)
        kept = (x, h, r1, iq, ik, iv, q, k, v, p, o, io, x2, h2, r2, g, ig, up, iu, sig, m, im)
        return x2 + z, kept

    def back(self, d, kept, text):
        """The gradient of what went in, given that of what came out; adds to the adapters'."""
        x, h, r1, iq, ik, iv, q, k, v, p, o, io, x2, h2, r2, g, ig, up, iu, sig, m, im = kept
        shape, of, n = self.shape, self.matrices, len(x)
        cosines, sines = angles(text.positions, shape)
        dm = of["ffn_down"].back(d, m, im)
        dgate = dm * up * (sig + g * sig * (1 - sig))
        dh2 = of["ffn_gate"].back(dgate, h2, ig) + of["ffn_up"].back(dm * g * sig, h2, iu)
        d2 = d + normed_back(dh2, x2, r2, self.norm2)
        do = of["attn_output"].back(d2, o, io).reshape(n, shape.heads, -1).transpose(1, 0, 2)
        dp = np.matmul(do, v.transpose(1, 2, 0))
        dv = np.matmul(p.transpose(0, 2, 1), do).transpose(1, 0, 2)
        ds = p * (dp - (dp * p).sum(-1, keepdims=True)) / np.float32(np.sqrt(shape.head))
        dq = np.matmul(ds, k.transpose(1, 0, 2)).transpose(1, 0, 2)
        dk = np.matmul(ds.transpose(0, 2, 1), q.transpose(1, 0, 2)).transpose(1, 0, 2)
        fold = lambda t: t.reshape(n, shape.kv_heads, -1, shape.head).sum(2)
        back = lambda t: turned(t, cosines, -sines).reshape(n, -1)
        dh = (
            of["attn_q"].back(back(dq), h, iq)
            + of["attn_k"].back(back(fold(dk)), h, ik)
            + of["attn_v"].back(fold(dv).reshape(n, -1), h, iv)
        )
        return d2 + normed_back(dh, x, r1, self.norm1)


@dataclass
class Said:
    """What a model makes of a text's answers. logprobs: of the tokens of each, in nats. hits:
    whether each token was the likeliest. kept: for the way back.
    """

    logprobs: list
    hits: list
    kept: tuple


class Model:
    """weights: a mapping from GGUF's names to float32 arrays. upper: how many layers are trained.
    adapters: {matrix: (a, b)} of an earlier training; else they are drawn from `seed`.
    """

    def __init__(self, weights, shape, upper, seed=0, adapters=None):
        self.weights, self.shape, self.first = weights, shape, shape.layers - upper
        self.embedding, self.norm = weights["token_embd.weight"], weights["output_norm.weight"]
        draw = np.random.default_rng(seed)
        self.layers = []
        for number in range(self.first, shape.layers):
            names = [f"blk.{number}.{short}.weight" for short in MATRICES]
            own = {
                name: adapters[name] if adapters else drawn(weights[name], draw) for name in names
            }
            self.layers.append(Layer(weights, shape, number, own))

    def adapters(self):
        """{matrix: its Matrix} of all that are trained."""
        return {
            f"blk.{number}.{short}.weight": matrix
            for number, layer in enumerate(self.layers, self.first)
            for short, matrix in layer.matrices.items()
        }

    def parts(self):
        """{matrix: (a, b)}"""
        return {name: matrix.adapter for name, matrix in self.adapters().items()}

    def below(self, texts):
        """[what the layers below make of each Text], which no training changes."""
        states = [self.embedding[text.ids] for text in texts]
        for number in range(self.first):
            layer = Layer(self.weights, self.shape, number)
            for n, text in enumerate(texts):  # each in the place of the last: they are large
                states[n] = layer.forward(states[n], text)[0]
        return states

    def above(self, x, text):
        """The Said of a Text, given what the layers below made of it."""
        kept = []
        for layer in self.layers:
            x, k = layer.forward(x, text)
            kept.append(k)
        part = x[text.rows]
        h, factor = normed(part, self.norm, self.shape.epsilon)
        logits = h @ self.embedding.T
        logits -= logits.max(-1, keepdims=True)
        own = np.take_along_axis(logits, text.targets[:, None], 1)[:, 0]
        np.exp(logits, out=logits)
        total = logits.sum(-1, keepdims=True)
        logits /= total  # now the probabilities
        split = lambda values: np.split(values, text.ends)
        return Said(
            split(own - np.log(total[:, 0])), split(own == 0), (kept, part, factor, logits, text)
        )

    def back(self, said, coefficients):
        """Adds coefficients · d (sum of an answer's logprobs) / d adapters to the gradients, with
        one coefficient an answer. Spends `said`.
        """
        kept, part, factor, d, text = said.kept
        each = np.repeat(np.array(coefficients, "f4"), [len(one) for one in said.logprobs])
        d *= -each[:, None]
        d[np.arange(len(each)), text.targets] += each
        gradient = np.zeros((len(text.ids), part.shape[1]), "f4")
        # the last token of a prompt is what every answer begins from
        np.add.at(gradient, text.rows, normed_back(d @ self.embedding, part, factor, self.norm))
        for layer in reversed(self.layers):
            gradient = layer.back(gradient, kept.pop(), text)


def drawn(matrix, draw):
    """An adapter that changes nothing yet: a drawn, b zeros."""
    outputs, inputs = matrix.shape
    a = draw.standard_normal((RANK, inputs)) / np.sqrt(inputs)
    return a.astype("f4"), np.zeros((outputs, RANK), "f4")
