"""PyTorch's side of bench:train: one GPT training step of the same shapes, as a server on stdin.

    /usr/bin/python3 bench/torch/train.py --precision bf16 --threads 2 --block llama

Prints {"ready": true, "params": …, "torch": …}, then answers each line {"op": "step"} with
{"seconds": …, "loss": …}: zero the gradients, forward, backward, AdamW. Ends at end of input.
6 layers, 6 heads, 384 wide, T 256, B 16, V 8192, untied head. The threads are set in the
environment before torch loads, because torch.set_num_threads alone leaves OpenBLAS at all cores.
"""

import argparse
import json
import os
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--block", choices=["llama", "gpt"], default="llama")
parser.add_argument("--warmup", type=int, default=2)
args = parser.parse_args()
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = str(args.threads)

import torch  # noqa: E402
import torch.nn as nn  # noqa: E402
import torch.nn.functional as F  # noqa: E402

torch.set_num_threads(args.threads)
L, H, C, T, B, V = 6, 6, 384, 256, 16, 8192
D, HIDDEN = C // H, 8 * C // 3
HALF = torch.bfloat16 if args.precision == "bf16" else torch.float32
CAUSAL = torch.full((T, T), float("-inf")).triu(1).to(HALF)


class RMSNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(C))

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-5) * self.weight


def linear(rows, columns):
    return nn.Linear(rows, columns, bias=args.block == "gpt")


def attend(q, k, v):
    """q, k, v [B, H, T, D]; one fused scale-and-mask product, then softmax."""
    q, k, v = (x.reshape(B * H, T, D) for x in (q, k, v))
    scores = torch.baddbmm(CAUSAL, q, k.transpose(1, 2), alpha=D**-0.5)
    y = torch.bmm(scores.softmax(-1), v)
    return y.view(B, H, T, D).transpose(1, 2).reshape(B, T, C)


def rotary():
    rate = 10000.0 ** (-torch.arange(D // 2) / (D // 2))
    angle = torch.arange(T)[:, None] * rate
    return angle.cos().to(HALF), angle.sin().to(HALF)


COS, SIN = rotary()


def rope(x):
    left, right = x.chunk(2, -1)
    return torch.cat([left * COS - right * SIN, right * COS + left * SIN], -1)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = linear(C, 3 * C), linear(C, C)

    def forward(self, x):
        q, k, v = self.qkv(x).view(B, T, 3, H, D).permute(2, 0, 3, 1, 4)
        q, k = (rope(q), rope(k)) if args.block == "llama" else (q, k)
        return self.out(attend(q, k, v))


class SwiGLU(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.down = linear(C, 2 * HIDDEN), linear(HIDDEN, C)

    def forward(self, x):
        gate, up = self.up(x).chunk(2, -1)
        return self.down(F.silu(gate) * up)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        llama = args.block == "llama"
        norm = RMSNorm if llama else lambda: nn.LayerNorm(C)
        gelu = nn.GELU(approximate="tanh")
        wide = lambda: nn.Sequential(linear(C, 4 * C), gelu, linear(4 * C, C))
        self.norm1, self.attention = norm(), Attention()
        self.norm2, self.mlp = norm(), SwiGLU() if llama else wide()

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(V, C)
        self.position = nn.Parameter(torch.zeros(T, C)) if args.block == "gpt" else 0.0
        self.blocks = nn.Sequential(*(Block() for _ in range(L)))
        self.norm = RMSNorm() if args.block == "llama" else nn.LayerNorm(C)
        self.head = nn.Linear(C, V, bias=False)

    def forward(self, ids, targets):
        x = self.blocks(self.embedding(ids) + self.position)
        logits = self.head(self.norm(x))
        return F.cross_entropy(logits.view(-1, V), targets.view(-1))


torch.manual_seed(1)
model = Model()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), foreach=True)
ids, targets = torch.randint(V, (2, B, T))


def step():
    start = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=args.precision == "bf16"):
        loss = model(ids, targets)
    loss.backward()
    optimizer.step()
    return {"seconds": time.perf_counter() - start, "loss": loss.item()}


def reply(answer):
    print(json.dumps(answer), flush=True)


for _ in range(args.warmup):
    step()
params = sum(p.numel() for p in model.parameters())
reply({"ready": True, "params": params, "torch": torch.__version__, "threads": args.threads})
for line in sys.stdin:
    known = json.loads(line).get("op") == "step"
    reply(step() if known else {"error": f"unknown request {line.strip()}"})
